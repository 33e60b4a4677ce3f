"""Does the memory's doubt hold? How often the truth lies within its deviations.

A deviation that is right leaves 68 of 100 truths within one of it and 95 within two, as errors of
a normal distribution do; these have longer tails.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.memory.noise import Noise, Range
from calibration.memory.traces import Trace, held_out_traces
from calibration.memory.trials import PACES, RATES, Array, Follow, Trial, make_trial

LEVELS = (0.5, 1.0, 2.0)  # times the noise
SIZES = ("white", "jitter", "drift", "talk_size", "blur_size")  # what a level scales
ONE, TWO = 0.6827, 0.9545  # shares of a normal distribution within one and two deviations


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of one trial."""

    one: float  # share of true values within one spread of the answer
    two: float  # within two
    spread: float  # its mean


@dataclass(frozen=True, slots=True)
class Row:
    set: str
    pace: float
    rate: float  # readings a second
    level: float  # times the noise
    doubt: Doubt


def scaled(noise: Noise, level: float) -> Noise:
    """The same noise, `level` times as large; as frequent, and with the same confidence."""
    sizes: dict[str, Range] = {name: getattr(noise, name) for name in SIZES}
    larger = {name: (low * level, high * level) for name, (low, high) in sizes.items()}
    return dataclasses.replace(noise, **larger)  # type: ignore[arg-type]  # all of them are ranges


def doubt_of(trial: Trial, affect: Array, spread: Array) -> Doubt:
    off = _off(trial, affect, spread)
    return Doubt(float((off <= 1).mean()), float((off <= 2).mean()), float(spread.mean()))


def fitted(follow: Follow, traces: list[Trace], noise: Noise) -> float:
    """By what the spread must be multiplied for ONE of the truths of `traces` to lie within it.

    traces: of the training; at every rate, pace and level alike.
    """
    found = []
    for pace, rate, level in itertools.product(PACES, RATES, LEVELS):
        trial = make_trial(traces, rate, pace, scaled(noise, level), seed=7)
        off = _off(trial, *follow(trial.x))
        found.append(np.quantile(off, np.linspace(0.001, 0.999, 999)))  # every trial counts alike
    return float(np.quantile(np.concatenate(found), ONE))


def table(shared: Path, follow: Follow, noise: Noise) -> list[Row]:
    """One row per held-out set, pace, rate and level of noise."""
    held_out = held_out_traces(shared).items()
    rows = []
    for (name, traces), pace, rate, level in itertools.product(held_out, PACES, RATES, LEVELS):
        trial = make_trial(traces, rate, pace, scaled(noise, level), seed=11)
        rows.append(Row(name, pace, rate, level, doubt_of(trial, *follow(trial.x))))
    return rows


def mean(rows: list[Row]) -> Doubt:
    found = [dataclasses.astuple(row.doubt) for row in rows]
    return Doubt(*np.mean(found, axis=0).tolist())


def as_text(rows: list[Row]) -> Iterator[str]:
    """Per level and rate, and per set: the means over everything else."""
    yield f"share of true values within 1 and 2 deviations ({ONE:.3f} and {TWO:.3f} if normal)"
    for level, rate in itertools.product(LEVELS, RATES):
        kept = [row for row in rows if (row.level, row.rate) == (level, rate)]
        yield _line(f"noise x{level:g}, {rate:.0f}/s", mean(kept))
    for name in dict.fromkeys(row.set for row in rows):
        yield _line(name, mean([row for row in rows if row.set == name]))
    yield _line("all", mean(rows))


def _line(what: str, d: Doubt) -> str:
    return f"{what:<20} {d.one:.3f}  {d.two:.3f}  mean deviation {d.spread:.3f}"


def _off(trial: Trial, affect: Array, spread: Array) -> Array:
    """(n,): how far off the answer is, in its own deviations, wherever there is a truth."""
    rated = np.isfinite(trial.truth)
    return np.asarray(np.abs(affect - trial.truth)[rated] / spread[rated], np.float32)
