"""Endless series for the training: pieces of traces, changed at random, read through noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from calibration.memory.noise import Noise, disturb, draw_times
from calibration.memory.traces import Trace, value_at


@dataclass(frozen=True, slots=True)
class Batch:
    x: torch.Tensor  # (b, t, 4) what the memory reads
    truth: torch.Tensor  # (b, t, 2) what it should say; nan where nobody rated


def draw_batch(
    rng: np.random.Generator, traces: list[Trace], noise: Noise, series: int, steps: int
) -> Batch:
    pts = draw_times(rng, noise, series, steps)
    chosen = rng.integers(len(traces), size=series)
    truth = np.stack(
        [_vary(rng, traces[which], row) for which, row in zip(chosen, pts, strict=True)]
    )
    readings = disturb(truth, pts, rng, noise)
    return Batch(torch.from_numpy(readings.x), torch.from_numpy(truth))


def _vary(rng: np.random.Generator, trace: Trace, pts: NDArray[np.float64]) -> NDArray[np.float32]:
    """(t, 2): the trace from a random moment on, at a random pace, size, level and side.

    Faces move faster than raters of one value a second can say, hence paces up to 6. Sides and
    axes are swapped so that nothing is learned about which affect is common: only how it moves.
    """
    pace = np.exp(rng.uniform(np.log(0.7), np.log(6)))
    length = trace.pts[-1]
    own = np.abs((pts * pace + rng.uniform(0, 2 * length)) % (2 * length) - length)  # to and fro
    values = value_at(trace, own) * rng.uniform(0.4, 1.3, 2) * rng.choice([-1, 1], 2)
    values = values[:, ::-1] if rng.random() < 0.5 else values
    return np.asarray(np.clip(values + rng.uniform(-0.3, 0.3, 2), -1, 1), np.float32)
