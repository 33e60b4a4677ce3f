"""How sure a score over time is: 95 % intervals from a block bootstrap.

Moments of a film resemble their neighbours, so whole blocks of time are drawn, not single
moments (Carlstein 1986). Read `intervals` first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.agreement import TINY
from calibration.metrics import Vector

LEAST_BLOCKS = 5  # fewer say nothing about their spread
LEVEL = 0.95
DRAWS = 1000  # of the bootstrap
SEED = 0
NEEDS_CHANGE = ("CCC", "Pearson", "ICC(2,1)", "ICC(3,1)")  # not defined if the gold never moves
CLOSE = 1e-9  # to 1, beyond which an agreement is perfect but for rounding

Pair = tuple[Vector, Vector]  # prediction and gold on one clock, nan where missing
Array = NDArray[np.float64]


def _z(r: Array) -> Array:
    """Fisher's; Lin 1989 takes it for concordance, too. nan below -1, where ICC(2,1) may lie."""
    within: Array = np.where(r < -1 - CLOSE, np.nan, r)
    return np.arctanh(np.clip(within, -1 + CLOSE, 1 - CLOSE))


def _angle(share: Array) -> Array:
    return np.arcsin(np.sqrt(np.clip(share, 0, 1)))


def _share(angle: Array) -> Array:
    return np.sin(np.clip(angle, 0, np.pi / 2)) ** 2


def _log(error: Array) -> Array:
    return np.log(np.maximum(error, TINY))


# A score is spread evenly to both sides on another scale than its own: there, and back.
SCALES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    **dict.fromkeys(NEEDS_CHANGE, (_z, np.tanh)),
    **dict.fromkeys(("RMSE", "MSE"), (_log, np.exp)),
    "sign agreement": (_angle, _share),
}


def intervals(pairs: Sequence[Pair], rate: float, block: float) -> dict[str, tuple[float, float]]:
    """Ends of the interval of LEVEL by measure; nan where it is not defined, or too short to say.

    pairs: one per file, each on its own clock of `rate` Hz. block: s.

    The deviation of DRAWS draws on the scales of SCALES, times t of blocks - 1 degrees of freedom:
    from few blocks the percentiles of the draws are far too narrow (benchmarks/intervals.py).
    """
    sums = np.concatenate([block_sums(*pair, max(1, round(block * rate))) for pair in pairs])
    if len(sums) < LEAST_BLOCKS:
        return dict.fromkeys(SCALES, (math.nan, math.nan))
    blocks = len(sums)
    draws = np.random.default_rng(SEED).multinomial(blocks, np.full(blocks, 1 / blocks), DRAWS)
    whole, drawn = measures_of_sums(sums.sum(0, keepdims=True)), measures_of_sums(draws @ sums)
    # What is drawn from few blocks differs less than what they were drawn from.
    reach = t_quantile(blocks - 1) * math.sqrt(blocks / (blocks - 1))
    found = {}
    for name, (there, back) in SCALES.items():
        score, scores = there(whole[name])[0], there(drawn[name])
        error = np.std(scores[np.isfinite(scores)]) if np.isfinite(scores).any() else math.nan
        low, high = back(np.array([score - reach * error, score + reach * error]))
        found[name] = (float(low), float(high)) if np.isfinite(error) else (math.nan, math.nan)
    return found


def t_quantile(freedom: int) -> float:
    """Student's t at both ends of LEVEL, from 4 degrees on within 0.3 % (A. & Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))


def block_sums(x: Vector, y: Vector, ticks: int) -> Array:
    """(blocks, 7): n, and the sums of x, y, xx, yy, xy and equal signs, for `ticks` ticks each."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(both, x, 0), np.where(both, y, 0)
    same = both & (np.sign(x) == np.sign(y))
    columns = np.column_stack([both, x, y, x * x, y * y, x * y, same]).astype(np.float64)
    sums = np.add.reduceat(columns, np.arange(0, len(columns), ticks))
    return np.asarray(sums[sums[:, 0] > 0])


def measures_of_sums(sums: Array) -> dict[str, NDArray[Any]]:
    """Every measure of `scores.MEASURES` from sums as of `block_sums`, (n, 7), all rows at once."""
    n, sx, sy, sxx, syy, sxy, same = sums.T
    mx, my = sx / n, sy / n
    vx, vy, cov = sxx / n - mx * mx, syy / n - my * my, sxy / n - mx * my
    apart, error = (mx - my) ** 2, (sxx + syy - 2 * sxy) / n
    rater = n * apart / 2  # mean squares of two raters, as in agreement.mean_squares
    moves = vy > TINY
    with np.errstate(invalid="ignore", divide="ignore"):
        between = n * (vx + vy + 2 * cov) / 2 / (n - 1)
        rest = n * (vx + vy - 2 * cov) / 2 / (n - 1)
        found = {
            "CCC": 2 * cov / (vx + vy + apart),
            "Pearson": np.where(vx > TINY, cov / np.sqrt(vx * vy), np.nan),
            "RMSE": np.sqrt(np.maximum(error, 0)),
            "MSE": np.maximum(error, 0),
            "sign agreement": same / n,
            "ICC(2,1)": (between - rest) / (between + rest + 2 * (rater - rest) / n),
            "ICC(3,1)": (between - rest) / (between + rest),
        }
    return {k: np.where(moves, v, np.nan) if k in NEEDS_CHANGE else v for k, v in found.items()}
