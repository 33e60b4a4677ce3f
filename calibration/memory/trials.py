"""Traces read through noise: what every comparison of memories and filters walks through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.memory.noise import Noise, disturb, draw_times
from calibration.memory.traces import Trace, value_at
from engines import Engine, infer_rows

RATES = (5.0, 10.0, 25.0, 60.0)  # readings a second
LENGTH = 30.0  # s of each trace that are read
PACES = (1.0, 3.0)  # as the raters answered, and as fast as faces move
AT_MOST = 80  # traces of a set, evenly taken: the large sets add time, not certainty
AT_LEAST = 50  # series of a set: the small ones are read more than once, each time anew

Array = NDArray[np.float32]
Follow = Callable[[Array], tuple[Array, Array]]  # (b, t, 4) to affect and spread, (b, t, 2) each


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Traces read through noise, and the truth behind them; nan where nobody rated."""

    pts: NDArray[np.float64]  # (b, t) s
    x: Array  # (b, t, 4)
    truth: Array  # (b, t, 2)


def spread_out(traces: list[Trace]) -> list[Trace]:
    """At most AT_MOST of them, evenly chosen."""
    return traces[:: -(-len(traces) // AT_MOST)]


def make_trial(traces: list[Trace], rate: float, pace: float, noise: Noise, seed: int) -> Trial:
    """Reads the first LENGTH seconds of every trace, at `pace` times its own speed."""
    rng = np.random.default_rng(seed)
    chosen = spread_out(traces)
    chosen = chosen * -(-AT_LEAST // len(chosen))
    pts = draw_times(rng, noise, len(chosen), int(LENGTH * rate), rate)
    truth = np.stack([_values(t, row * pace) for t, row in zip(chosen, pts, strict=True)])
    return Trial(pts, disturb(truth, pts, rng, noise).x, truth)


def lstm(engine: Engine) -> Follow:
    """The exported memory, walked through whole series."""

    def follow(x: Array) -> tuple[Array, Array]:
        hidden = engine.inputs[1].shape[0]
        h = c = np.zeros((len(x), hidden), np.float32)
        affect, spread = np.empty_like(x[..., :2]), np.empty_like(x[..., :2])
        for t in range(x.shape[1]):
            affect[:, t], spread[:, t], h, c = infer_rows(engine, x[:, t], h, c)
        return affect, spread

    return follow


def _values(trace: Trace, pts: NDArray[np.float64]) -> Array:
    """To and fro, where a trace is too short."""
    end = trace.pts[-1]
    return value_at(trace, end - np.abs(pts % (2 * end) - end))
