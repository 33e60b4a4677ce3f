"""How each rater would have scored what we read, and the one gold trace of all raters.

Read `fit_raters` first. A rater follows the reading late, on a scale of their own:
rating(t) = gain * reading(t - delay) + offset, clipped to -1..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from calibration.agreement import (
    LEAST,
    cronbach_alpha,
    evaluator_weights,
    icc_2_k,
    icc_3_k,
    mean_pairwise,
    mean_squares,
    weighted_estimate,
)
from calibration.metrics import Vector, ccc, pearson
from calibration.raters.ratings import Ratings
from calibration.traces.series import AXES, SAME, Sampling, Trace, values_at, whole_clock
from calibration.traces.tables import TraceError

LONGEST = 10.0  # s, the longest delay looked for


@dataclass(frozen=True, slots=True)
class AxisFit:
    gain: float  # >= 0
    offset: float
    weight: float  # in the evaluator-weighted estimate; the raters of an axis sum to 1
    pearson: float  # with the delayed reading; nan if either is constant or they hardly meet
    n: int  # moments


@dataclass(frozen=True, slots=True)
class RaterFit:
    delay: float  # s, >= 0
    axes: dict[str, AxisFit]  # those this rater rated


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of all raters of one axis. nan: not defined."""

    raters: int
    n: int  # moments that all of them rated
    pearson: float  # mean over pairs
    ccc: float  # mean over pairs
    icc_2_k: float
    icc_3_k: float
    alpha: float  # Cronbach's


@dataclass(frozen=True, slots=True, eq=False)
class Gold:
    """The evaluator-weighted estimate. nan where nobody with a weight rated."""

    clock: Vector  # (n,) s
    values: dict[str, Vector]  # by axis, (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    raters: dict[str, RaterFit]
    agreement: dict[str, Agreement]  # by axis
    gold: Gold
    notes: tuple[str, ...]


def fit_raters(readings: Mapping[str, Trace], ratings: Ratings, sampling: Sampling) -> Calibration:
    """readings: by axis. Raises TraceError if a rater shares no time with them.

    The gold trace is not moved by anyone's delay: a gold trace tuned to our readings would
    flatter them. `emotrack eval traces` states the lag.
    """
    rated = {axis: ratings[axis] for axis in AXES if axis in ratings and axis in readings}
    if not rated:
        raise TraceError(f"readings have {', '.join(readings)}, ratings {', '.join(ratings)} only")
    everyone = chain.from_iterable(raters.values() for raters in rated.values())
    try:
        clock = whole_clock(everyone, sampling.rate)
    except ValueError as wrong:
        raise TraceError(f"ratings: {wrong}") from wrong
    notes: list[str] = []
    weights: dict[str, dict[str, float]] = {}
    gold, agreement = {}, {}
    for axis, raters in rated.items():
        table = np.column_stack([values_at(t, clock, sampling.hold) for t in raters.values()])
        found = evaluator_weights(table)
        weights[axis] = dict(zip(raters, map(float, found), strict=True))
        gold[axis] = weighted_estimate(table, found)
        agreement[axis] = _agreement(table)
        notes += _doubts(axis, raters, table, found)
    names = dict.fromkeys(chain.from_iterable(rated.values()))
    fits = {}
    for name in names:
        own = {axis: raters[name] for axis, raters in rated.items() if name in raters}
        fits[name] = _fit(name, readings, own, clock, sampling, weights)
        notes += _fit_doubts(name, fits[name])
    return Calibration(fits, agreement, Gold(clock, gold), tuple(notes))


def _fit(
    name: str,
    readings: Mapping[str, Trace],
    own: Mapping[str, Trace],
    clock: Vector,
    sampling: Sampling,
    weights: Mapping[str, Mapping[str, float]],
) -> RaterFit:
    """One delay for all axes: where the mean of their correlations is highest."""
    rated = {axis: values_at(trace, clock, sampling.hold) for axis, trace in own.items()}
    delays = np.arange(round(LONGEST * sampling.rate) + 1) / sampling.rate
    heights, shared = [], []
    for delay in delays:
        read = {axis: _earlier(readings[axis], clock, delay, sampling.hold) for axis in own}
        found = [_correlation(read[axis], rated[axis]) for axis in own]
        defined = [r for r in found if np.isfinite(r)]
        heights.append(float(np.mean(defined)) if defined else -1.0)
        shared.append(sum(_overlap(read[axis], rated[axis]).sum() for axis in own))
    # The fewer moments a delay leaves in common, the easier they look alike.
    enough = [r if n >= max(shared) / 2 else -1.0 for r, n in zip(heights, shared, strict=True)]
    best = int(np.argmax(enough))  # the earliest of equals
    delay = float(delays[best]) if enough[best] > 0 else 0.0
    axes = {}
    for axis in own:
        read_then = values_at(readings[axis], clock - delay, sampling.hold)
        axes[axis] = _line(name, axis, read_then, rated[axis], weights[axis][name])
    return RaterFit(delay, axes)


def _earlier(reading: Trace, clock: Vector, delay: float, hold: float) -> Vector:
    """What was read `delay` s before each tick of the clock.

    Before the film began its first reading counts: without it the first seconds, of which a
    delayed reading knows nothing, would favour short delays where it begins far from rest.
    """
    begun = float(reading.pts[0])
    then = values_at(reading, np.maximum(clock - delay, begun), hold)
    return np.where(clock >= begun - SAME, then, np.nan)


def _line(name: str, axis: str, read: Vector, rated: Vector, weight: float) -> AxisFit:
    """Least squares. Without a correlation above 0 the rater's own mean is the best answer."""
    both = _overlap(read, rated)
    if not both.any():
        raise TraceError(f"rater {name}: no {axis} at a time of which there is a reading")
    r = _correlation(read, rated)
    x, y = read[both], rated[both]
    gain = float(r * y.std() / x.std()) if r > 0 else 0.0
    return AxisFit(gain, float(y.mean() - gain * x.mean()), weight, r, int(both.sum()))


def _correlation(x: Vector, y: Vector) -> float:
    both = _overlap(x, y)
    return pearson(x[both], y[both]) if both.sum() >= LEAST else float("nan")


def _overlap(x: Vector, y: Vector) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(x) & np.isfinite(y))


def _agreement(table: NDArray[np.float64]) -> Agreement:
    whole = table[np.isfinite(table).all(1)]
    n, k = len(whole), table.shape[1]
    lost = float("nan")
    pairs = mean_pairwise(table, pearson), _pairwise_ccc(table)
    if n < LEAST or k < 2:
        return Agreement(k, n, *pairs, lost, lost, lost)
    squares = mean_squares(whole)
    return Agreement(k, n, *pairs, icc_2_k(squares), icc_3_k(squares), cronbach_alpha(whole))


def _pairwise_ccc(table: NDArray[np.float64]) -> float:
    """A pair of which one never moves has no concordance to speak of."""

    def moving(x: Vector, y: Vector) -> float:
        return ccc(x, y) if np.ptp(x) > 0 and np.ptp(y) > 0 else float("nan")

    return mean_pairwise(table, moving)


def _doubts(
    axis: str, raters: Mapping[str, Trace], table: NDArray[np.float64], weights: Vector
) -> list[str]:
    notes = []
    longest = np.isfinite(table).sum(0).max()
    for name, column, weight in zip(raters, table.T, weights, strict=True):
        rated = column[np.isfinite(column)]
        if len(rated) and np.ptp(rated) == 0:
            notes.append(f"rater {name}: {axis} is constant ({rated[0]:g}): no correlation, no CCC")
        elif weight == 0:
            notes.append(f"rater {name}: {axis} does not follow the other raters; weight 0")
        if len(rated) < 0.9 * longest:
            share = len(rated) / longest
            notes.append(f"rater {name}: {axis} covers {share:.0%} of the longest rating")
    if len(raters) == 1:
        notes.append(f"{axis}: one rater, so no agreement")
    return notes


def _fit_doubts(name: str, fit: RaterFit) -> list[str]:
    notes = []
    for axis, line in fit.axes.items():
        if line.n < LEAST:
            n = f"{line.n} moment{'s' * (line.n != 1)}"
            notes.append(f"rater {name}: {axis} has {n} with a reading, too few to fit; gain 0")
        elif line.gain == 0:
            why = "does not follow the reading; gain 0, the rater's mean"
            notes.append(f"rater {name}: {axis} {why}")
    if fit.delay == LONGEST:
        notes.append(f"rater {name}: the delay is {LONGEST:g} s, the longest looked for")
    return notes
