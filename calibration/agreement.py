"""How far raters agree with each other, and the one trace that they make together.

ratings: (n, k), a row for each moment and a column for each rater. Two-way models: the same k
raters saw every moment. nan means not defined; no number is made up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.metrics import Vector, pearson

Ratings = NDArray[Any]  # (n, k)
TINY = 1e-12  # a variance below it, of ratings in -1..1, is rounding
LEAST = 10  # moments that two traces must share before their correlation means anything


@dataclass(frozen=True, slots=True)
class Squares:
    """Mean squares of the two-way analysis of variance (Shrout and Fleiss 1979, table 2)."""

    n: int  # moments
    k: int  # raters
    between: float  # BMS, between moments
    raters: float  # JMS, between raters
    error: float  # EMS


def mean_squares(ratings: Ratings) -> Squares:
    """ratings: without nan, n >= 2, k >= 2. Raises ValueError if there are fewer."""
    n, k = ratings.shape
    if n < 2 or k < 2:
        raise ValueError(f"two moments and two raters are needed, got {n} and {k}")
    mean = ratings.mean()
    rows, columns = ratings.mean(1, keepdims=True), ratings.mean(0, keepdims=True)
    rest = ratings - rows - columns + mean
    return Squares(
        n,
        k,
        float(k * ((rows - mean) ** 2).sum() / (n - 1)),
        float(n * ((columns - mean) ** 2).sum() / (k - 1)),
        float((rest**2).sum() / ((n - 1) * (k - 1))),
    )


def icc_2_1(s: Squares) -> float:
    """Absolute agreement of single raters, drawn at random (Shrout and Fleiss 1979, p. 423)."""
    raters = s.k * (s.raters - s.error) / s.n
    return _share(s.between - s.error, s.between + (s.k - 1) * s.error + raters)


def icc_3_1(s: Squares) -> float:
    """Consistency of single raters, these and no others (Shrout and Fleiss 1979, p. 423)."""
    return _share(s.between - s.error, s.between + (s.k - 1) * s.error)


def icc_2_k(s: Squares) -> float:
    """Absolute agreement of the mean of k raters (Shrout and Fleiss 1979, p. 426)."""
    return _share(s.between - s.error, s.between + (s.raters - s.error) / s.n)


def icc_3_k(s: Squares) -> float:
    """Consistency of the mean of k raters (Shrout and Fleiss 1979, p. 426)."""
    return _share(s.between - s.error, s.between)


def cronbach_alpha(ratings: Ratings) -> float:
    """Cronbach 1951; the same number as ICC(3,k), computed another way."""
    k = ratings.shape[1]
    total = ratings.sum(1).var(ddof=1)
    return _share(k / (k - 1) * (total - ratings.var(axis=0, ddof=1).sum()), total)


def mean_pairwise(ratings: Ratings, measure: Callable[[Vector, Vector], float]) -> float:
    """Mean of `measure` over the pairs of raters for whom it is defined; nan if there is none.

    ratings may hold nan: a pair is compared where both rated, if that is LEAST times or more.
    """
    found = []
    for one, other in combinations(ratings.T, 2):
        both = np.isfinite(one) & np.isfinite(other)
        if both.sum() >= LEAST:
            found.append(measure(one[both], other[both]))
    defined = [value for value in found if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def evaluator_weights(ratings: Ratings) -> NDArray[np.float64]:
    """(k,): how much each rater counts, summing to 1 (Grimm and Kroschel 2005).

    Each rater's correlation with the mean of all raters, 0 if it is negative or not defined.
    ratings may hold nan; only moments that two raters or more rated count. A single rater has
    weight 1; if nobody agrees with the mean, all weights are 0.
    """
    k = ratings.shape[1]
    if k == 1:
        return np.ones(1)
    there = np.isfinite(ratings)
    rated = there.sum(1)
    mean = np.where(there, ratings, 0).sum(1) / np.maximum(rated, 1)
    weights = np.zeros(k)
    for i in range(k):
        both = there[:, i] & (rated >= 2)
        if both.sum() >= LEAST:
            weights[i] = np.nan_to_num(max(0.0, pearson(ratings[both, i], mean[both])))
    return weights / weights.sum() if weights.sum() > 0 else weights


def weighted_estimate(ratings: Ratings, weights: Vector) -> NDArray[np.float64]:
    """(n,): the evaluator-weighted estimate (Grimm and Kroschel 2005).

    Where a rater is missing the others share the weight; nan where nobody with a weight rated.
    """
    there = np.isfinite(ratings)
    share = (there * weights).sum(1)
    total = (np.where(there, ratings, 0) * weights).sum(1)
    mean = np.full(len(ratings), np.nan)
    np.divide(total, share, out=mean, where=share > 0)
    return mean


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > TINY else float("nan")
