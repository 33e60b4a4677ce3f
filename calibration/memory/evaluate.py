"""Does the memory beat a filter? `python -m calibration.memory.evaluate`.

Traces that no training saw are read through noise at 5, 10, 25 and 60 readings a second. Every
filter has, for each rate, the parameters that did best on the training traces.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from calibration.memory import doubt, filters
from calibration.memory.noise import OTHERS, Noise
from calibration.memory.traces import held_out_traces, training_traces
from calibration.memory.trials import (
    AT_MOST,
    LENGTH,
    PACES,
    RATES,
    Array,
    Follow,
    Trial,
    lstm,
    make_trial,
    spread_out,
)
from calibration.metrics import ccc, rmse
from calibration.samples import run
from engines import load

GRID = 0.02  # s, steps of the clock on which lag is looked for
FARTHEST = 1.5  # s, the largest lag looked for
SLOW = 4.0  # s; what changes more slowly says nothing about lag

Filter = Callable[[Array], Array]  # (b, t, 4) to (b, t, 2)


@dataclass(frozen=True, slots=True)
class Score:
    ccc: float
    rmse: float
    lag: float  # s by which the answer comes late


@dataclass(frozen=True, slots=True)
class Row:
    set: str
    pace: float
    rate: float  # readings a second
    method: str
    setting: str  # the parameters chosen on the training traces, in words
    traces: int  # how many different ones were read
    score: Score


def score(trial: Trial, answer: Array) -> Score:
    rated = np.isfinite(trial.truth)
    said, true = answer[rated], trial.truth[rated]
    return Score(ccc(said, true), rmse(said, true), lag_of(trial, answer))


def lag_of(trial: Trial, answer: Array) -> float:
    """s by which `answer` follows the truth: where their correlation, over all series, is highest.

    Only changes faster than SLOW count, since slow ones look alike at every lag. A parabola through
    the highest three values gives the part of a step. nan if there is no height within reach.
    """
    shifts = np.arange(round(-0.5 / GRID), round(FARTHEST / GRID) + 1)
    total = np.zeros(len(shifts))
    for said, true in _on_a_grid(trial, answer):
        said, true = _changes(said), _changes(true)
        middle = true[-shifts[0] : len(true) - shifts[-1]]
        total += np.correlate(said, middle, "valid")
    best = int(total.argmax())
    if best in (0, len(total) - 1):
        return float("nan")
    before, top, after = total[best - 1 : best + 2]
    return float((shifts[best] + 0.5 * (before - after) / (before - 2 * top + after)) * GRID)


def _changes(series: Array) -> Array:
    """What is left of a series (on the grid) after its mean over SLOW seconds."""
    width = round(SLOW / GRID)
    padded = np.pad(series, (width // 2, width - 1 - width // 2), mode="edge")
    sums = np.cumsum(np.pad(padded, (1, 0)), dtype=np.float64)
    return np.asarray(series - (sums[width:] - sums[:-width]) / width, np.float32)


def classical(trial_of: Mapping[float, Trial]) -> dict[float, dict[str, tuple[str, Filter]]]:
    """rate -> name -> its best parameters in words, and the filter with them."""
    return {
        rate: {name: _best(trial, candidates()) for name, candidates in _FAMILIES.items()}
        for rate, trial in trial_of.items()
    }


def table(shared: Path, follow: Follow, noise: Noise) -> list[Row]:
    """One row per set, pace, rate and method."""
    known = training_traces(shared)
    rows = []
    for pace in PACES:
        tuned = classical({r: make_trial(known, r, pace, noise, seed=7) for r in RATES})
        for (name, traces), rate in itertools.product(held_out_traces(shared).items(), RATES):
            trial = make_trial(traces, rate, pace, noise, seed=11)
            methods: dict[str, tuple[str, Filter]] = {"raw": ("", lambda x: x[..., :2])}
            methods |= tuned[rate] | {"LSTM": ("", lambda x: follow(x)[0])}
            for method, (setting, filtered) in methods.items():
                found = score(trial, filtered(trial.x))
                rows.append(Row(name, pace, rate, method, setting, len(spread_out(traces)), found))
    return rows


def summary(rows: list[Row]) -> dict[tuple[str, float], dict[str, Score]]:
    """(set, pace) -> method -> its mean over all rates."""
    kept: dict[tuple[str, float], dict[str, list[Score]]] = {}
    for row in rows:
        kept.setdefault((row.set, row.pace), {}).setdefault(row.method, []).append(row.score)
    return {
        key: {name: _mean(scores) for name, scores in methods.items()}
        for key, methods in kept.items()
    }


def overall(rows: list[Row]) -> dict[str, Score]:
    """method -> its mean over everything; the lag over those trials in which one was found."""
    kept: dict[str, list[tuple[float, ...]]] = {}
    for row in rows:
        kept.setdefault(row.method, []).append(dataclasses.astuple(row.score))
    return {method: Score(*np.nanmean(found, axis=0).tolist()) for method, found in kept.items()}


def _mean(scores: list[Score]) -> Score:
    return Score(*np.mean([dataclasses.astuple(s) for s in scores], axis=0).tolist())


def _on_a_grid(trial: Trial, answer: Array) -> Iterator[tuple[Array, Array]]:
    for pts, said, true in zip(trial.pts, answer, trial.truth, strict=True):
        clock = np.arange(0, min(pts[-1], LENGTH), GRID)
        last = np.searchsorted(pts, clock, side="right") - 1  # an answer holds until the next
        for axis in range(2):
            if np.isfinite(true[:, axis]).all():
                yield said[last, axis], np.interp(clock, pts, true[:, axis]).astype(np.float32)


def _best(trial: Trial, candidates: Iterator[tuple[str, Filter]]) -> tuple[str, Filter]:
    rated = np.isfinite(trial.truth)
    return max(candidates, key=lambda pair: ccc(pair[1](trial.x)[rated], trial.truth[rated]))


def _exponentials() -> Iterator[tuple[str, Filter]]:
    for tau in (0.03, 0.05, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4):
        yield f"tau {tau} s", partial(filters.exponential, tau=tau)


def _one_euros() -> Iterator[tuple[str, Filter]]:
    for low, beta in itertools.product((0.1, 0.2, 0.4, 0.8, 1.5, 3.0), (0, 0.1, 0.3, 1, 3, 10)):
        words = f"lowest {low} Hz, beta {beta}"
        yield words, partial(filters.one_euro, lowest=low, beta=beta)


def _kalmans() -> Iterator[tuple[str, Filter]]:
    for noise, trust in itertools.product(
        (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5), (0, 2, 5, 10, 20)
    ):
        words = f"noise {noise} s, trust {trust}"
        yield words, partial(filters.kalman, noise=noise, trust=trust)


NOISES = {"measured": Noise(), "others": OTHERS}
_FAMILIES = {"exponential": _exponentials, "One-Euro": _one_euros, "Kalman": _kalmans}


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration.memory.evaluate")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--memory", type=Path, default=Path("tracker/weights/memory-s.onnx"))
    parser.add_argument("--noise", choices=NOISES, default="measured")
    args = parser.parse_args(words)
    follow = lstm(load(args.memory, "onnx", max_batch=AT_MOST))
    rows = table(args.shared, follow, NOISES[args.noise])
    for row in rows:
        print(_line(row.set, row.pace, f"{row.rate:.0f}/s", row.method, row.score), row.setting)
    print("\nmean over all rates")
    for (name, pace), methods in summary(rows).items():
        for method, found in methods.items():
            print(_line(name, pace, "", method, found))
    print("\nmean over all sets, paces and rates")
    for method, found in overall(rows).items():
        print(f"{method:<12} CCC {found.ccc:.4f}  RMSE {found.rmse:.4f}  lag {found.lag:.3f} s")
    print()
    for line in doubt.as_text(doubt.table(args.shared, follow, NOISES[args.noise])):
        print(line)


def _line(name: str, pace: float, rate: str, method: str, score: Score) -> str:
    return (
        f"{name:<17} x{pace:.0f} {rate:>5}  {method:<12} CCC {score.ccc:.3f}"
        f"  RMSE {score.rmse:.3f}  lag {score.lag:6.3f} s "
    )


if __name__ == "__main__":
    run(main)
