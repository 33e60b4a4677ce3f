"""Causal smoothing: what is said of time t depends on nothing later than t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines import Engine, infer_rows
from tracker.values import Affect

Vector = NDArray[np.float32]  # (hidden,)


@dataclass(frozen=True, slots=True)
class Steady:
    """A value and how far off the memory expects it to be."""

    affect: Affect
    spread: Affect  # standard deviations, more than 0


@dataclass(slots=True)
class _Memory:
    """What the LSTM remembers of one key."""

    pts: float  # s, when it last read the key
    h: Vector
    c: Vector


class LstmSmoother:
    """One LSTM step per key and look; every key keeps its own memory.

    A key is a track. The engine maps x (n, 4), h (n, hidden), c (n, hidden) to affect (n, 2),
    spread (n, 2), h, c, where x is valence, arousal, confidence and the seconds since that key
    was last read. Elapsed time is an input because a live source drops frames: the model must
    see time, not frame counts. Zeros for h and c say that a key is new; its first reading comes
    back as it is.

    forget_after: s without a reading before a key starts afresh; math.inf for never.
    """

    def __init__(self, engine: Engine, *, forget_after: float = 2.0) -> None:
        self._engine = engine
        self._forget_after = forget_after
        self._hidden = engine.inputs[1].shape[0]
        self._memories: dict[int, _Memory] = {}

    def begin(self) -> None:
        """Forget everyone: another stream follows."""
        self._memories = {}

    def close(self) -> None:
        self._engine.close()

    def __call__(
        self, pts: float, keys: Sequence[int], readings: NDArray[np.float32]
    ) -> list[Affect]:
        """The values of `steady` alone."""
        return [steady.affect for steady in self.steady(pts, keys, readings)]

    def steady(
        self, pts: float, keys: Sequence[int], readings: NDArray[np.float32]
    ) -> list[Steady]:
        """readings: (n, 3) valence, arousal, confidence, one row per key; no key twice.

        Returns n values with their spreads, in the order of `keys`.
        """
        self._forget(pts)
        known = [self._recall(key, pts) for key in keys]
        elapsed = np.array([pts - m.pts for m in known], np.float32).reshape(-1, 1)
        x = np.concatenate([readings, elapsed], axis=1, dtype=np.float32)
        h = np.array([m.h for m in known], np.float32).reshape(-1, self._hidden)
        c = np.array([m.c for m in known], np.float32).reshape(-1, self._hidden)
        affect, spread, h, c = infer_rows(self._engine, x, h, c)
        for i, key in enumerate(keys):
            self._memories[key] = _Memory(pts, h[i], c[i])
        return [
            Steady(Affect(float(said[0]), float(said[1])), Affect(float(wide[0]), float(wide[1])))
            for said, wide in zip(affect, spread, strict=True)
        ]

    def _recall(self, key: int, pts: float) -> _Memory:
        zeros = np.zeros(self._hidden, np.float32)
        return self._memories.get(key) or _Memory(pts, zeros, zeros)

    def _forget(self, pts: float) -> None:
        """Too old, or from the future: a looped or spliced stream may step back in time."""
        oldest = pts - self._forget_after
        self._memories = {k: m for k, m in self._memories.items() if oldest <= m.pts <= pts}
