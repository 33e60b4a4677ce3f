"""Faces of a frame, with their tracks: found by a detector, or the whole picture taken as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.tracks import Tracks
from tracker.values import Box, Detection, Face, Frame, Image


class Detector(Protocol):
    """Faces of one picture, in its own pixels, best first."""

    def __call__(self, image: Image) -> Sequence[Detection]: ...

    def close(self) -> None: ...


class FaceFinder:
    """Detects on every frame and follows. A cut ends all associations: new shot, new ids.

    begin_at: score from which somebody new is taken up, in [0, 1]; whoever is followed already
    is kept with whatever score the detector still gives (Zhang et al. 2022, ByteTrack).
    forget_after: s unseen before a track ends.
    """

    def __init__(self, detector: Detector, *, begin_at: float, forget_after: float) -> None:
        self._detector = detector
        self._tracks = Tracks(forget_after, begin_at)

    def begin(self) -> None:
        self._tracks.begin()

    def close(self) -> None:
        self._detector.close()

    def __call__(self, frame: Frame, cut: bool) -> Sequence[Face]:
        if cut:
            self._tracks.begin()
        return self._tracks(frame.pts, self._detector(frame.image))


class WholePicture:
    """For sets of face crops: every picture is one face, and nobody looks for it."""

    def __init__(self, *, forget_after: float) -> None:
        self._tracks = Tracks(forget_after)

    def begin(self) -> None:
        self._tracks.begin()

    def close(self) -> None:
        """Nothing to free."""

    def __call__(self, frame: Frame, cut: bool) -> Sequence[Face]:
        if cut:
            self._tracks.begin()
        height, width = frame.image.shape[:2]
        everything = Box(0.0, 0.0, float(width), float(height))
        return self._tracks(frame.pts, [Detection(everything, None)])
