"""Faces of a frame, with their tracks: found by a detector, or the whole picture taken as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.appearance import appearances
from tracker.picture import Picture
from tracker.tracks import Tracks
from tracker.values import Box, Detection, Face, Frame


class Detector(Protocol):
    """Faces of one picture, in its own pixels, best first."""

    def __call__(self, picture: Picture) -> Sequence[Detection]: ...

    def close(self) -> None: ...


class WholePicture:
    """A detector for sets of face crops: every picture is one face, and nobody looks for it."""

    def __call__(self, picture: Picture) -> Sequence[Detection]:
        height, width = picture.shape[:2]
        return [Detection(Box(0.0, 0.0, float(width), float(height)), None)]

    def close(self) -> None:
        """Nothing to free."""


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

    def look(self, picture: Picture) -> Sequence[Detection]:
        return self._detector(picture)

    def __call__(self, frame: Frame, cut: bool, seen: Sequence[Detection]) -> Sequence[Face]:
        if cut:
            self._tracks.begin()
        looks = appearances(frame.picture, [face.box for face in seen])
        return self._tracks(frame.pts, seen, looks)
