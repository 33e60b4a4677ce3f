"""How often the 95 % intervals of `emotrack eval traces` hold the true score, on made traces.

    python benchmarks/intervals.py

Gold and noise are made with a memory that fades by 1/e in so many seconds, so every true score is
known. The blocks are the command's own 30 s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.traces.intervals import SCALES, intervals
from tracker.commands.eval_traces import BLOCK

RATE = 4.0  # Hz
FILMS = 300
MINUTES = (2.5, 5, 10, 20, 60)
MEMORIES = ((10.0, 3.0), (20.0, 8.0), (30.0, 8.0))  # s, of gold and noise
GAIN, NOISE = 0.8, 0.7  # prediction = GAIN x gold + NOISE x noise, both of deviation 1
SEED = 0

Vector = NDArray[np.float64]


def main() -> None:
    names = list(SCALES)
    print("s of memory: gold, noise; minutes; share of intervals that hold the truth")
    print(f"{'':>20}" + "".join(f"{name:>15}" for name in names))
    for gold, noise in MEMORIES:
        for minutes in MINUTES:
            shares = held(gold, noise, minutes, FILMS)
            row = "".join(f"{shares[name]:15.2f}" for name in names)
            print(f"{gold:6g} {noise:5g} {minutes:7g}{row}")


def held(gold: float, noise: float, minutes: float, films: int) -> dict[str, float]:
    """Share of films whose interval holds the true score, by measure."""
    rng, true = np.random.default_rng(SEED), _truth()
    hits = dict.fromkeys(SCALES, 0)
    for _ in range(films):
        ticks = round(60 * minutes * RATE)
        rated = _made(rng, ticks, gold)
        said = GAIN * rated + NOISE * _made(rng, ticks, noise)
        for name, (low, high) in intervals([(said, rated)], RATE, BLOCK).items():
            hits[name] += low <= true[name] <= high
    return {name: hits[name] / films for name in SCALES}


def _truth() -> dict[str, float]:
    said, error = GAIN**2 + NOISE**2, (1 - GAIN) ** 2 + NOISE**2
    r, concordance = GAIN / said**0.5, 2 * GAIN / (1 + said)
    return {
        "CCC": concordance,
        "Pearson": r,
        "RMSE": error**0.5,
        "MSE": error,
        "sign agreement": 0.5 + np.arcsin(r) / np.pi,
        "ICC(2,1)": concordance,
        "ICC(3,1)": concordance,
    }


def _made(rng: np.random.Generator, ticks: int, memory: float) -> Vector:
    """(n,) of deviation 1, each value a fading part of the one before and something new."""
    keep = np.exp(-1 / RATE / memory)
    new = rng.standard_normal(ticks) * np.sqrt(1 - keep**2)
    series = np.empty(ticks)
    series[0] = rng.standard_normal()
    for i in range(1, ticks):
        series[i] = keep * series[i - 1] + new[i]
    return series


if __name__ == "__main__":
    main()
