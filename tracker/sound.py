"""Sound on the frames' clock: mono, 16,000 samples in a second, sample k at k / 16,000 s.

What a source gives when it has sound, and what every such source needs for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tracker.values import Frame

RATE = 16_000  # samples/s
REACH = 0.002  # s; to change the rate is to look 16 samples, 1 ms, ahead: that much comes later


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Samples without a hole in them."""

    first: int  # number of the first sample: its pts times RATE
    samples: NDArray[np.float32]  # (n,), -1..1


class Sound(Protocol):
    """What is heard beside the frames of a source. Pieces come once each, in order."""

    def begin(self, frame: Frame) -> None:
        """A stream begins with this frame; some seconds before it will be heard too."""

    def upto(self, pts: float) -> list[Piece]:
        """What has not been given yet of the time before `pts`."""

    def close(self) -> None:
        """Calling twice is harmless."""


def sample_at(pts: float) -> int:
    """The first sample that is not before `pts`."""
    return int(np.ceil(round(pts * RATE, 3)))


class Pending:
    """Pieces that wait until their time has come."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def add(self, pieces: list[Piece]) -> None:
        self._pieces += pieces

    @property
    def end(self) -> int:
        """Number of the sample after the last."""
        return self._pieces[-1].first + len(self._pieces[-1].samples) if self._pieces else -(2**62)

    def upto(self, end: int) -> list[Piece]:
        """Samples before the one of that number."""
        ready = []
        while self._pieces and self._pieces[0].first < end:
            piece = self._pieces.pop(0)
            cut = end - piece.first
            if cut < len(piece.samples):
                self._pieces.insert(0, Piece(end, piece.samples[cut:]))
            ready.append(Piece(piece.first, piece.samples[:cut]))
        return ready
