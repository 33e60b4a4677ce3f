"""Agreement of predictions with labels. Plain numpy; series are (n,), in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]  # (n,)
Table = NDArray[np.int64]  # (k, k): rows are the truth, columns what was said
ROUNDING = 1e-12  # of the largest value; a series that moves less is constant
BINS = 15  # of the calibration error, as in Guo et al. 2017


def ccc(x: Vector, y: Vector) -> float:
    """Concordance of two series, in [-1, 1] (Lin 1989, eq. 2). nan if both are constant.

    x, y: (n,), same order. Raises ValueError if the lengths differ.
    """
    x, y = _pair(x, y)
    if _still(x) and _still(y):
        return float("nan")
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    return float(2 * ((x - x.mean()) * (y - y.mean())).mean() / spread)


def pearson(x: Vector, y: Vector) -> float:
    """Pearson's r, in [-1, 1]. nan if either series is constant."""
    x, y = _pair(x, y)
    if _still(x) or _still(y):
        return float("nan")
    scale = np.sqrt(x.var() * y.var())
    return float(((x - x.mean()) * (y - y.mean())).mean() / scale)


def rmse(x: Vector, y: Vector) -> float:
    """Root of the mean squared difference, in the unit of the series."""
    x, y = _pair(x, y)
    return float(np.sqrt(((x - y) ** 2).mean()))


def sign_agreement(x: Vector, y: Vector) -> float:
    """Share of samples on the same side of 0, in [0, 1] (Nicolaou et al. 2011, SAGR)."""
    x, y = _pair(x, y)
    return float((np.sign(x) == np.sign(y)).mean())


def confusion(said: Vector, truth: Vector, classes: int) -> Table:
    """How often each class (row) was called each class (column); both series hold indices."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, said), 1)
    return table


def f1(table: Table) -> NDArray[np.float64]:
    """(k,): harmonic mean of precision and recall; nan for a class never there and never said."""
    both = (table.sum(0) + table.sum(1)).astype(np.float64)
    values = np.full(len(both), np.nan)
    np.divide(2.0 * np.diag(table), both, out=values, where=both > 0)
    return values


def average_precision(scores: Vector, truth: Vector) -> float:
    """Area under precision over recall as steps, in [0, 1]: the mean precision at each positive.

    scores: (n,), higher is surer; samples of one score come together, so a constant scores the
    share of positives. truth: (n,), 0 or 1. nan without a positive.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    ranked, right = np.asarray(scores)[order], np.asarray(truth, np.float64)[order]
    if not right.any():
        return float("nan")
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))  # the last of each score
    hits = right.cumsum()[ends]
    found = np.diff(hits, prepend=0.0) / right.sum()
    return float((found * hits / (ends + 1)).sum())


def calibration_error(shares: NDArray[Any], truth: Vector) -> float:
    """Expected calibration error of the likeliest answer (Guo et al. 2017, eq. 3), in [0, 1].

    shares: (n, k) probabilities. truth: (n,) indices.
    """
    return float(sum(n * abs(right - sure) for sure, right, n in reliability(shares, truth)))


def reliability(shares: NDArray[Any], truth: Vector) -> list[tuple[float, float, float]]:
    """Per bin of the likeliest answer: mean probability, share right, share of all samples."""
    sure, right = shares.max(1), shares.argmax(1) == truth
    which = np.minimum((sure * BINS).astype(int), BINS - 1)
    rows = [(which == b) for b in np.unique(which)]
    return [(float(sure[r].mean()), float(right[r].mean()), float(r.mean())) for r in rows]


def _still(x: NDArray[np.float64]) -> bool:
    """Constant, but for rounding."""
    return bool(np.ptp(x) <= ROUNDING * max(1.0, np.abs(x).max()))


def _pair(x: Vector, y: Vector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"two series of one length are needed, got {x.shape} and {y.shape}")
    return x, y
