"""Endless series for the training: pieces of traces, changed at random, read through noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from calibration.memory.noise import Noise, disturb, draw_times
from calibration.memory.traces import Trace, value_at

PACE = (0.7, 6.0)  # times the raters' own: faces move faster than one value a second can say
SLOWER = (0.08, 0.7)  # of a second movement beneath: a step of a second becomes a long ramp
BENEATH = 1 / 2  # share of series with one
BURSTS = 1 / 8  # share of series with expressions that come and go
ONSET = (0.1, 0.4)  # s in which one comes, and goes; assumed
HELD = (0.3, 4.0)  # s; most felt expressions last between half a second and four (Ekman 1984)
APART = (1.0, 12.0)  # s between two; assumed


@dataclass(frozen=True, slots=True)
class Batch:
    x: torch.Tensor  # (b, t, 4) what the memory reads
    truth: torch.Tensor  # (b, t, 2) what it should say; nan where nobody rated


def draw_batch(
    rng: np.random.Generator, traces: list[Trace], noise: Noise, series: int, steps: int
) -> Batch:
    pts = draw_times(rng, noise, series, steps)
    truth = np.stack([_vary(rng, traces, row) for row in pts])
    readings = disturb(truth, pts, rng, noise)
    return Batch(torch.from_numpy(readings.x), torch.from_numpy(truth))


def _vary(
    rng: np.random.Generator, traces: list[Trace], pts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(t, 2): a trace, under it perhaps a slower one, and expressions that come and go; any level.

    Raters answer in steps. With nothing else, slow movement would be taken for an error.
    """
    pace = PACE[0] * (PACE[1] / PACE[0]) ** (rng.random() ** 1.25)  # the slow ones more often
    values = _played(rng, traces, pts * pace)
    if rng.random() < BENEATH:
        slow = _played(rng, traces, pts * math.exp(rng.uniform(*np.log(SLOWER))))
        values = rng.uniform(0, 1) * values + np.nan_to_num(slow)
    if rng.random() < BURSTS:
        values = values + _bursts(rng, pts)
    return np.asarray(np.clip(values + rng.uniform(-0.3, 0.3, 2), -1, 1), np.float32)


def _played(
    rng: np.random.Generator, traces: list[Trace], pts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(t, 2): a trace from a random moment on, to and fro, of random size and sides.

    Sides and axes are swapped so that nothing is learned about which affect is common: only how
    it moves.
    """
    trace = traces[rng.integers(len(traces))]
    length = trace.pts[-1]
    own = np.abs((pts + rng.uniform(0, 2 * length)) % (2 * length) - length)
    values = value_at(trace, own) * rng.uniform(0.4, 1.3, 2) * rng.choice([-1, 1], 2)
    return np.asarray(values[:, ::-1] if rng.random() < 0.5 else values, np.float64)


def _bursts(rng: np.random.Generator, pts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(t, 2): nothing, then an expression of its own size and direction, then nothing again.

    Raters of one value a second do not follow these; a face shows them, and a memory that has
    never seen one takes it for an error.
    """
    onset, held, apart = (math.exp(rng.uniform(*np.log(span))) for span in (ONSET, HELD, APART))
    total = np.zeros((len(pts), 2))
    begin = rng.exponential(apart)
    while begin < pts[-1]:
        length = rng.exponential(held) + onset
        height = np.clip(np.minimum(pts - begin, begin + length + onset - pts) / onset, 0, 1)
        angle = rng.uniform(0, 2 * np.pi)
        total += rng.uniform(0.2, 1) * height[:, None] * np.array([np.cos(angle), np.sin(angle)])
        begin += length + onset + rng.exponential(apart)
    return total
