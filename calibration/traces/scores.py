"""How well predicted traces agree with gold ones, always beside the constant answer.

Read `score_pair` first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.agreement import LEAST, icc_2_1, icc_3_1, mean_squares
from calibration.metrics import Vector, ccc, pearson, rmse, sign_agreement
from calibration.traces.files import TraceFile
from calibration.traces.intervals import NEEDS_CHANGE, Pair, intervals
from calibration.traces.series import AXES, Sampling, common_clock, values_at
from calibration.traces.tables import TraceError

FARTHEST = 10.0  # s, the largest lag looked for
SCALE = 1.05  # readings are -1..1; what lies beyond was rated on another scale


def _mse(x: Vector, y: Vector) -> float:
    return rmse(x, y) ** 2


MEASURES: dict[str, Callable[[Vector, Vector], float]] = {
    "CCC": ccc,
    "Pearson": pearson,
    "RMSE": rmse,
    "MSE": _mse,
    "sign agreement": sign_agreement,
    "ICC(2,1)": lambda x, y: icc_2_1(mean_squares(np.column_stack([x, y]))),
    "ICC(3,1)": lambda x, y: icc_3_1(mean_squares(np.column_stack([x, y]))),
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one axis: one file, or all files together."""

    axis: str
    n: int  # moments at which both traces exist
    ours: dict[str, float]  # by MEASURES; nan: not defined
    interval: dict[str, tuple[float, float]]  # of intervals.LEVEL; nan: too short to say
    constant: dict[str, float]  # of always saying the gold's own mean
    lag: float  # s by which the prediction comes late; nan: no such height within FARTHEST
    lag_pearson: float  # at that lag


@dataclass(frozen=True, slots=True, eq=False)
class FileScores:
    name: str
    clock: Vector  # (n,) s
    series: dict[str, Pair]  # by axis
    scores: tuple[Scores, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TraceScores:
    files: tuple[FileScores, ...]
    pooled: tuple[Scores, ...]  # all files' moments together
    sampling: Sampling
    block: float  # s
    notes: tuple[str, ...]


def score_pair(
    name: str, said: TraceFile, gold: TraceFile, sampling: Sampling, block: float
) -> FileScores:
    """Raises TraceError if the two share no axis, or no time."""
    axes = [axis for axis in AXES if axis in said.traces and axis in gold.traces]
    if not axes:
        raise TraceError(f"{said.name} and {gold.name}: no axis that both have")
    both = [file.traces[axis] for file in (said, gold) for axis in axes]
    try:
        clock = common_clock(both, sampling.rate)
    except ValueError as wrong:
        raise TraceError(f"{said.name} and {gold.name}: {wrong}") from wrong
    series = {
        axis: (
            values_at(said.traces[axis], clock, sampling.hold),
            values_at(gold.traces[axis], clock, sampling.hold),
        )
        for axis in axes
    }
    if not any(len(_shared(*pair)[0]) for pair in series.values()):
        times = "; ".join(_times(file, axes) for file in (said, gold))
        raise TraceError(f"no moment at which both have a value ({times})")
    scores = tuple(
        score_series(axis, [pair], sampling.rate, block) for axis, pair in series.items()
    )
    notes = [*said.notes, *gold.notes]
    notes += [f"{name}: {note}" for axis in axes for note in _warnings(axis, *series[axis])]
    notes += [f"{name}: {note}" for axis in axes for note in _holes(axis, series[axis], sampling)]
    return FileScores(name, clock, series, scores, tuple(notes))


def _times(file: TraceFile, axes: Sequence[str]) -> str:
    """From when to when a table has values: of two clocks it is then seen at once."""
    ends = [file.traces[axis].pts[i] for axis in axes for i in (0, -1)]
    return f"{file.name}: {min(ends):.10g} to {max(ends):.10g} s"


def score_traces(
    files: Sequence[FileScores], sampling: Sampling, block: float, notes: Sequence[str] = ()
) -> TraceScores:
    pooled = []
    for axis in AXES:
        pairs = [file.series[axis] for file in files if axis in file.series]
        if pairs:
            pooled.append(score_series(axis, pairs, sampling.rate, block))
    every = (*notes, *(note for file in files for note in file.notes))
    return TraceScores(tuple(files), tuple(pooled), sampling, block, tuple(dict.fromkeys(every)))


def score_series(axis: str, pairs: Sequence[Pair], rate: float, block: float) -> Scores:
    """pairs: one per file, each on its own clock of `rate` Hz. block: s."""
    shared = [_shared(*pair) for pair in pairs]
    x, y = (np.concatenate([pair[i] for pair in shared]) for i in (0, 1))
    mean = np.full(len(y), y.mean()) if len(y) else y
    sure, lag = intervals(pairs, rate, block), best_lag(pairs, rate)
    return Scores(axis, len(y), _measured(x, y), sure, _measured(mean, y), *lag)


def best_lag(pairs: Sequence[Pair], rate: float) -> tuple[float, float]:
    """s by which the predictions follow the gold, where Pearson's r is highest, and that r.

    nan where it is highest at the rim of what is searched, or nowhere above 0: then no lag
    explains anything; and where fewer than LEAST moments are shared. Of equal heights the smallest
    shift counts.
    """
    reach = round(FARTHEST * rate)
    enough = sum(len(_shared(*pair)[0]) for pair in pairs) / 2
    best, height = 0, 0.0
    for shift in sorted(range(-reach, reach + 1), key=abs):
        moved = [_shared(*_shifted(*pair, shift)) for pair in pairs]
        x, y = (np.concatenate([pair[i] for pair in moved]) for i in (0, 1))
        r = pearson(x, y) if len(x) >= max(LEAST, enough) else float("nan")
        if r > height + 1e-9:
            best, height = shift, r
    if height == 0 or abs(best) == reach:
        return float("nan"), float("nan")
    return best / rate, height


def _shifted(x: Vector, y: Vector, shift: int) -> Pair:
    return (x[shift:], y[: max(0, len(y) - shift)]) if shift >= 0 else (x[:shift], y[-shift:])


def _shared(x: Vector, y: Vector) -> Pair:
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def _measured(x: Vector, y: Vector) -> dict[str, float]:
    """Every measure; nan for those that say nothing of a gold that never moves."""
    moves = len(y) >= 2 and np.ptp(y) > 0
    return {
        name: measure(x, y) if len(y) and (moves or name not in NEEDS_CHANGE) else float("nan")
        for name, measure in MEASURES.items()
    }


def _warnings(axis: str, x: Vector, y: Vector) -> list[str]:
    x, y = _shared(x, y)
    if not len(x):
        return [f"{axis} is never rated and predicted at one moment"]
    notes = []
    for what, series in (("gold", y), ("predicted", x)):
        if np.ptp(series) == 0:
            lost = "CCC, Pearson, ICC and lag are" if what == "gold" else "Pearson and lag are"
            notes.append(f"{what} {axis} is constant ({series[0]:g}): {lost} not defined")
        if np.abs(series).max() > SCALE:
            span = f"{series.min():.4g}..{series.max():.4g}"
            notes.append(f"{what} {axis} is {span}, not -1..1: scores compare the scales too")
    return notes


def _holes(axis: str, pair: Pair, sampling: Sampling) -> list[str]:
    """Whoever takes milliseconds for seconds, or rates every 5 s, should hear how little counts."""
    both, ticks = len(_shared(*pair)[0]), len(pair[0])
    if not 0 < both < ticks / 2:
        return []
    seconds, of = both / sampling.rate, ticks / sampling.rate
    return [
        f"{axis} counts in {seconds:.1f} s of {of:.1f} s: elsewhere one of the two has no value "
        f"in the last {sampling.hold:g} s (--hold)"
    ]
