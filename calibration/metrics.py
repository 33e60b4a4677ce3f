"""Agreement of predictions with labels. Plain numpy; every function takes (n,) series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]  # (n,)


def ccc(x: Vector, y: Vector) -> float:
    """Concordance of two series, in [-1, 1] (Lin 1989, eq. 2). nan if both are constant.

    x, y: (n,), same order. Raises ValueError if the lengths differ.
    """
    x, y = _pair(x, y)
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    if spread == 0 or (x.var() == 0 and y.var() == 0):
        return float("nan")
    return float(2 * ((x - x.mean()) * (y - y.mean())).mean() / spread)


def pearson(x: Vector, y: Vector) -> float:
    """Pearson's r, in [-1, 1]. nan if either series is constant."""
    x, y = _pair(x, y)
    scale = np.sqrt(x.var() * y.var())
    if scale == 0:
        return float("nan")
    return float(((x - x.mean()) * (y - y.mean())).mean() / scale)


def rmse(x: Vector, y: Vector) -> float:
    """Root of the mean squared difference, in the unit of the series."""
    x, y = _pair(x, y)
    return float(np.sqrt(((x - y) ** 2).mean()))


def sign_agreement(x: Vector, y: Vector) -> float:
    """Share of samples on the same side of 0, in [0, 1] (Nicolaou et al. 2011, SAGR)."""
    x, y = _pair(x, y)
    return float((np.sign(x) == np.sign(y)).mean())


def _pair(x: Vector, y: Vector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"two series of one length are needed, got {x.shape} and {y.shape}")
    return x, y
