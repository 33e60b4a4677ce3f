"""How far best lags and raters' delays miss, on human traces that were shifted and made noisy.

    python benchmarks/lag.py --shared ../shared

Beside the lag of `emotrack eval traces`: what it would miss if every shift were judged by the same
moments of the gold trace. Raters, for `emotrack calibrate raters`, tremble by HEARD.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.memory.traces import read_liris_continuous
from calibration.metrics import pearson
from calibration.raters.fit import fit_raters
from calibration.traces.scores import FARTHEST, best_lag
from calibration.traces.series import Sampling, Trace

RATE = 4.0  # Hz, of `eval traces`
STRETCH, MARGIN = 180.0, 4.0  # s
SHIFTS = (1.0, 3.0)  # s
DELAYS = (1.0, 3.0, 5.0)  # s, of raters
NOISES = (0.5, 1.0)  # white, in standard deviations of the stretch
HEARD = 0.3  # of a rater, the same
STILL = 0.05  # a stretch that moves less says nothing about lag
SEED = 0

Vector = NDArray[np.float64]


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    folder = parser.parse_args(words).shared / "data/traces/liris_continuous"
    if not folder.is_dir():
        parser.error(f"no folder {folder}")
    stretches = list(_stretches(folder))
    print(f"{len(stretches)} stretches of {STRETCH:g} s; mean miss (+: too far from 0), rms, in s")
    print(f"{'noise':>5} {'shift':>5}  {'as it is':>16}  {'same moments':>16}")
    for noise in NOISES:
        for shift in SHIFTS:
            found = [_missed(stretches, noise, shift, lag) for lag in (_as_it_is, _same_moments)]
            cells = "  ".join(f"{mean:+8.2f} {rms:7.2f}" for mean, rms in found)
            print(f"{noise:5.1f} {shift:5.1f}  {cells}")
    print(f"{'noise':>5} {'delay':>5}  {'of raters':>16}")
    for noise in NOISES:
        for delay in DELAYS:
            mean, rms = _delayed(stretches, noise, delay)
            print(f"{noise:5.1f} {delay:5.1f}  {mean:+8.2f} {rms:7.2f}")


def _missed(
    stretches: list[Vector], noise: float, shift: float, lag: Callable[[Vector, Vector], float]
) -> tuple[float, float]:
    rng, misses = np.random.default_rng(SEED), []
    margin = round(MARGIN * RATE)
    for i, whole in enumerate(stretches):
        side = -1 if i % 2 else 1  # half of the predictions are early
        moved = np.roll(whole, side * round(shift * RATE))
        noisy = moved + rng.normal(0, noise * whole.std(), len(whole))
        misses.append(side * lag(noisy[margin:-margin], whole[margin:-margin]) - shift)
    return float(np.nanmean(misses)), float(np.sqrt(np.nanmean(np.square(misses))))


def _delayed(stretches: list[Vector], noise: float, delay: float) -> tuple[float, float]:
    rng, misses = np.random.default_rng(SEED), []
    late = round(delay * RATE)
    for whole in stretches:
        clock = np.arange(len(whole)) / RATE
        read, heard = (whole + rng.normal(0, n * whole.std(), len(whole)) for n in (noise, HEARD))
        ratings = {"valence": {"rater": Trace(clock[late:], heard[: len(heard) - late])}}
        found = fit_raters({"valence": Trace(clock, read)}, ratings, Sampling(RATE))
        misses.append(found.raters["rater"].delay - delay)
    return float(np.mean(misses)), float(np.sqrt(np.mean(np.square(misses))))


def _as_it_is(said: Vector, gold: Vector) -> float:
    return best_lag([(said, gold)], RATE)[0]


def _same_moments(said: Vector, gold: Vector) -> float:
    reach = round(FARTHEST * RATE)
    middle, moments = gold[reach:-reach], len(gold) - 2 * reach
    r = [pearson(said[at : at + moments], middle) for at in range(2 * reach + 1)]
    return (int(np.argmax(r)) - reach) / RATE


def _stretches(folder: Path) -> Iterator[Vector]:
    """(n,) at RATE, of every axis of every film."""
    for trace in read_liris_continuous(folder):
        clock = np.arange(0, trace.pts[-1], 1 / RATE)
        for axis in trace.values.T:
            series = np.interp(clock, trace.pts, axis)
            n = round((STRETCH + 2 * MARGIN) * RATE)
            for at in range(0, len(series) - n + 1, n):
                if series[at : at + n].std() > STILL:
                    yield series[at : at + n]


if __name__ == "__main__":
    main()
