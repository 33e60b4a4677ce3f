"""Sound as a picture of itself: how strong each band of pitch is, every hundredth of a second.

The one place where log-mel frames are computed: training and reading share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOOR = -100.0  # dB of a band in which nothing sounds; 16 bits end near it
TURN = 1000.0  # Hz up to which the scale is linear (Slaney 1998, Auditory Toolbox, ERB and mel)


@dataclass(frozen=True, slots=True)
class MelShape:
    """What a network's card says of its input."""

    rate: int  # samples/s
    window: int  # samples under one frame
    hop: int  # samples between frames
    bands: int
    frames: int  # that the network looks at in one go

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> MelShape:
        return cls(*(int(given[name]) for name in cls.__slots__))

    @property
    def samples(self) -> int:
        """That make `frames` frames, exactly."""
        return (self.frames - 1) * self.hop + self.window


class LogMel:
    """Samples to decibels per band and frame. Frame i sees samples [i * hop, i * hop + window)."""

    def __init__(self, shape: MelShape) -> None:
        self.shape = shape
        self._size = 1 << (shape.window - 1).bit_length()  # of the transform: a power of two
        ramp = np.arange(shape.window) / shape.window
        self._taper = (0.5 - 0.5 * np.cos(2 * np.pi * ramp)).astype(np.float32)  # Hann, periodic
        self._bank = filterbank(shape.rate, self._size, shape.bands).T.copy()

    def power(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """(frames, bands): power under each triangle; as many frames as `samples` (n,) fill."""
        shape = self.shape
        pieces = np.lib.stride_tricks.sliding_window_view(samples, shape.window)[:: shape.hop]
        spectrum = np.fft.rfft(pieces * self._taper, self._size, axis=1)
        return np.asarray((spectrum.real**2 + spectrum.imag**2) @ self._bank, np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """(bands, frames), dB, at least FLOOR; a full-scale sine stands near +20."""
        return decibels(self.power(samples)).T


def decibels(power: NDArray[Any]) -> NDArray[np.float32]:
    """10 log10 of it, at least FLOOR."""
    least = 10 ** (FLOOR / 10)
    return np.asarray(10 * np.log10(np.maximum(power, least)), np.float32)


def filterbank(rate: int, size: int, bands: int) -> NDArray[np.float32]:
    """(bands, size / 2 + 1): triangles of equal area, evenly spaced in mel from 0 to rate / 2.

    Slaney's scale and norm, as `librosa.filters.mel` has them by default (McFee et al. 2015).
    """
    edges = _hertz(np.linspace(0, _mel(rate / 2), bands + 2))
    bins = np.arange(size // 2 + 1) * rate / size
    low, middle, high = (edges[i : bands + i, None] for i in range(3))
    rise, fall = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(0, np.minimum(rise, fall))
    return np.asarray(triangles * 2 / (high - low), np.float32)


PER_HERTZ = 3 / 200  # mel, below TURN
PER_OCTAVE = 27 / np.log(6.4)  # mel per unit of natural log, above: 27 steps to 6,400 Hz


def _mel(hertz: float) -> float:
    above = PER_OCTAVE * np.log(max(hertz, TURN) / TURN)
    return float(min(hertz, TURN) * PER_HERTZ + above)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = TURN * PER_HERTZ
    hertz = np.minimum(mel, turn) / PER_HERTZ * np.exp(np.maximum(mel - turn, 0) / PER_OCTAVE)
    return np.asarray(hertz, np.float64)
