"""Traces on a common clock: one value at each of its ticks, and none from the future."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.metrics import Vector

AXES = ("valence", "arousal")
SAME = 1e-6  # s; tables write six decimals, and k / rate is rarely exact
MOST = 5_000_000  # ticks, 14 days at 4 Hz; what is longer is told in another unit


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One quantity over time. Times may repeat, then the last one counts; they never step back."""

    pts: Vector  # (n,) s
    values: Vector  # (n,) finite
    ends: Vector | None = None  # (n,) s, where each value ends; None: it holds until the next


@dataclass(frozen=True, slots=True)
class Sampling:
    """How traces are brought onto one clock."""

    rate: float = 4.0  # Hz
    hold: float = 1.0  # s for which a sample is still believed

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise ValueError(f"--rate is {self.rate:g} Hz, expected more than 0")
        if not self.hold > 0:
            raise ValueError(f"--hold is {self.hold:g} s, expected more than 0")


def common_clock(traces: Iterable[Trace], rate: float) -> Vector:
    """(n,) s: the ticks k / rate at which all traces have begun and none has ended; maybe none.

    Raises ValueError if there are more than MOST.
    """
    spans = [_span(trace) for trace in traces]
    return _ticks(max(first for first, _ in spans), min(last for _, last in spans), rate)


def whole_clock(traces: Iterable[Trace], rate: float) -> Vector:
    """(n,) s: the ticks k / rate from the first beginning to the last end.

    Raises ValueError if there are more than MOST.
    """
    spans = [_span(trace) for trace in traces]
    return _ticks(min(first for first, _ in spans), max(last for _, last in spans), rate)


def values_at(trace: Trace, clock: Vector, hold: float) -> NDArray[np.float64]:
    """(n,): the last value at or before each tick; nan where it is older than `hold`, or ended.

    Causal: no value after a tick changes what stands there.
    """
    if not len(trace.pts):
        return np.full(len(clock), np.nan)
    last = np.searchsorted(trace.pts, clock + SAME, side="right") - 1
    fresh = (last >= 0) & (
        clock - trace.pts[last] <= hold + SAME
        if trace.ends is None
        else clock < trace.ends[last] - SAME
    )
    return np.where(fresh, trace.values[last], np.nan).astype(np.float64)


def _span(trace: Trace) -> tuple[float, float]:
    last = trace.pts if trace.ends is None else trace.ends
    return float(trace.pts[0]), float(last.max())


def _ticks(start: float, end: float, rate: float) -> Vector:
    if (end - start) * rate > MOST:
        raise ValueError(
            f"times are {start:g} to {end:g} s, at {rate:g} Hz more than {MOST:,} moments "
            f"(are they in seconds?)"
        )
    first, last = math.ceil((start - SAME) * rate), math.floor((end + SAME) * rate)
    return np.arange(first, last + 1) / rate
