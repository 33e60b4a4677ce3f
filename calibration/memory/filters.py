"""The classical causal filters that the memory must beat. Each follows many series at once.

x: (b, t, 4) valence, arousal, confidence, elapsed. Each returns (b, t, 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def exponential(x: Array, tau: float) -> Array:
    """Exponential average with time constant `tau` s, exact for uneven steps."""
    move = 1 - np.exp(-x[..., 3:] / tau)
    out = np.empty_like(x[..., :2])
    out[:, 0] = x[:, 0, :2]
    for t in range(1, x.shape[1]):
        out[:, t] = out[:, t - 1] + move[:, t] * (x[:, t, :2] - out[:, t - 1])
    return out


def one_euro(x: Array, lowest: float, beta: float, speed_cutoff: float = 1.0) -> Array:
    """One-Euro filter (Casiez, Roussel and Vogel 2012, section 3): it opens with the speed.

    lowest: Hz, the cutoff at rest; beta: Hz per unit of speed; speed_cutoff: Hz, for the speed.
    """
    out = np.empty_like(x[..., :2])
    out[:, 0] = x[:, 0, :2]
    speed = np.zeros_like(out[:, 0])
    for t in range(1, x.shape[1]):
        elapsed = np.maximum(x[:, t, 3:], 1e-6)
        new = (x[:, t, :2] - out[:, t - 1]) / elapsed
        speed += _alpha(elapsed, speed_cutoff) * (new - speed)
        cutoff = lowest + beta * np.abs(speed)
        out[:, t] = out[:, t - 1] + _alpha(elapsed, cutoff) * (x[:, t, :2] - out[:, t - 1])
    return out


def kalman(x: Array, noise: float, trust: float = 0.0) -> Array:
    """Kalman filter of a random walk (Kalman 1960; Harvey 1989, the local level model).

    noise: variance of a reading over the walk's variance in a second, in s. trust: a reading of
    confidence p counts as if its variance were p ** -trust as large; 0 leaves confidence out.
    """
    out = np.empty_like(x[..., :2])
    out[:, 0] = x[:, 0, :2]
    doubtful = noise * np.maximum(x[..., 2:3], 0.05) ** -trust
    variance = doubtful[:, 0].copy()
    for t in range(1, x.shape[1]):
        variance = variance + x[:, t, 3:]
        gain = variance / (variance + doubtful[:, t])
        out[:, t] = out[:, t - 1] + gain * (x[:, t, :2] - out[:, t - 1])
        variance = (1 - gain) * variance
    return out


def _alpha(elapsed: NDArray[Any], cutoff: float | NDArray[Any]) -> Array:
    """Share of the way that a first-order filter goes (Casiez et al. 2012, eq. 5 and 6)."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff * elapsed)), np.float32)
