"""A running neutral, for films in which nobody can be asked to sit still. Causal.

    calibrated(t) = smooth(t) - median of smooth up to t, clipped to [-1, 1]

The median of what a face has shown stands for its rest (Baltrusaitis, Mahmoud and Robinson
2015, for action units); here the past fades exponentially. It holds while a face is at rest for
more than half of its recent time. A face that never rests is taken for resting: only its changes
are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray

from tracker.values import Affect

# A displayed emotion lasts 0.5 to 4 s (Matsumoto and Hwang 2011). It has to stay far below half
# of the weight; a face that changes for good is the new neutral after 60 ln 2 = 42 s.
TIME_CONSTANT = 60.0  # s in which the weight of a reading falls to 1/e
WARM_UP = 3.0  # s in which a track has no calibrated value: a first expression is no neutral
BINS = 1000  # from -1 to 1; the median is exact to the width of one, 0.002
WIDTH = 2 / BINS


@dataclass(slots=True)
class _Shown:
    """What one track has shown: seconds per bin, those long past fading."""

    first: float  # s
    last: float  # s
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, BINS)))

    def add(self, pts: float, affect: Affect) -> None:
        """A reading stands for the time since the one before, whatever the frame rate."""
        keep = exp(-(pts - self.last) / TIME_CONSTANT)
        self.weights *= keep
        self.weights[0, _bin(affect.valence)] += 1 - keep
        self.weights[1, _bin(affect.arousal)] += 1 - keep
        self.last = pts

    def median(self) -> Affect:
        return Affect(_median(self.weights[0]), _median(self.weights[1]))


class RollingBaseline:
    """Takes each track's running neutral off. Every key (a track) keeps its own.

    forget_after: s without a reading before a key starts afresh; math.inf for never.
    """

    def __init__(self, *, forget_after: float = 2.0) -> None:
        self._forget_after = forget_after
        self._shown: dict[int, _Shown] = {}

    def begin(self) -> None:
        """Forget everyone: another stream follows."""
        self._shown = {}

    def __call__(
        self, pts: float, keys: Sequence[int], smooth: Sequence[Affect]
    ) -> list[Affect | None]:
        """One value per key; None until the key has been known for the warm-up."""
        self._forget(pts)
        calibrated: list[Affect | None] = []
        for key, affect in zip(keys, smooth, strict=True):
            shown = self._shown.setdefault(key, _Shown(pts, pts))
            shown.add(pts, affect)
            warm = pts - shown.first >= WARM_UP
            calibrated.append(_less(affect, shown.median()) if warm else None)
        return calibrated

    def _forget(self, pts: float) -> None:
        """Too old, or from the future, as the memory forgets."""
        oldest = pts - self._forget_after
        self._shown = {k: s for k, s in self._shown.items() if oldest <= s.last <= pts}


def _less(affect: Affect, neutral: Affect) -> Affect:
    return Affect(
        min(1.0, max(-1.0, affect.valence - neutral.valence)),
        min(1.0, max(-1.0, affect.arousal - neutral.arousal)),
    )


def _bin(value: float) -> int:
    return min(BINS - 1, max(0, int((value + 1) / WIDTH)))


def _median(weights: NDArray[np.float64]) -> float:
    """Where half of the weight lies below; within a bin, as if spread evenly over it."""
    below = np.cumsum(weights)
    half = below[-1] / 2
    i = int(np.searchsorted(below, half))
    before = below[i - 1] if i else 0.0
    return float(-1 + WIDTH * (i + (half - before) / weights[i]))
