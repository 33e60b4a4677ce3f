"""Who is who from frame to frame: by place, motion and looks, causal, without a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from tracker.appearance import Appearance, unlike
from tracker.geometry import centre, iou, shifted, side
from tracker.values import Box, Detection, Face

REACH = 0.8  # sides of a face that a centre may be off its predicted place
DRIFT = 1.5  # further sides per second since the face was last seen
FARTHEST = 2.5  # sides; beyond that it is somebody else
RESIZE = 1.8  # times a face may grow or shrink between two sightings
TREND = 0.6  # weight of the newest motion in the velocity
COASTING = 0.5  # s for which an unseen face is assumed to keep moving
GONE = 0.2  # s unseen after which looks decide too: somebody else may stand there by now
CHANGE = 0.2  # `unlike` that somebody's looks are taken to have from moment to moment at first
LOOKS_LAST, CHANGE_LASTS = 1.0, 2.0  # s, time constants of their means
STRANGER = 3.0  # times somebody's own change from which it is another: benchmarks/identities.py
LEAST = 0.2  # `unlike` below which nobody is a stranger
APART = 4.0  # affinity lost per unit of `unlike`: between two that come as near, looks decide
NEVER_NONE = 1e-6  # affinity of whoever may be the same at all


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen: float  # s
    looks: Appearance  # mean of the last second
    change: float = CHANGE  # mean `unlike` of that and what was seen next
    velocity: tuple[float, float] = (0.0, 0.0)  # px/s

    def predicted(self, pts: float) -> Box:
        ahead = min(pts - self.seen, COASTING)
        return shifted(self.box, self.velocity[0] * ahead, self.velocity[1] * ahead)

    def update(self, pts: float, box: Box, looks: Appearance) -> None:
        elapsed = pts - self.seen
        if elapsed > 0:
            (x0, y0), (x1, y1) = centre(self.box), centre(box)
            newest = (x1 - x0) / elapsed, (y1 - y0) / elapsed
            self.velocity = (
                TREND * newest[0] + (1 - TREND) * self.velocity[0],
                TREND * newest[1] + (1 - TREND) * self.velocity[1],
            )
            apart = unlike(self.looks, looks)
            self.change += (1 - exp(-elapsed / CHANGE_LASTS)) * (apart - self.change)
            self.looks = self.looks + np.float32(1 - exp(-elapsed / LOOKS_LAST)) * (
                looks - self.looks
            )
        self.box, self.seen = box, pts

    def stranger(self, apart: float) -> bool:
        """Whether looks that far from this person's are somebody else's."""
        return apart > max(LEAST, STRANGER * self.change)


class Tracks:
    """Gives every detection a track number; numbers count up from 0 and are never used twice.

    forget_after: s unseen before a track ends; whoever comes later is somebody new.
    begin_at: score from which a detection that fits no track begins one, in [0, 1].
    """

    def __init__(self, forget_after: float, begin_at: float = 0.0) -> None:
        self._forget_after = forget_after
        self._begin_at = begin_at
        self._next = 0
        self._live: list[_Track] = []

    def begin(self) -> None:
        """A new shot or stream: nobody is known any more. Numbers go on."""
        self._live = []

    def __call__(
        self, pts: float, detections: Sequence[Detection], looks: Sequence[Appearance]
    ) -> list[Face]:
        """The faces that are followed or begin to be, ordered by track. looks: of each."""
        self._live = [t for t in self._live if pts - t.seen <= self._forget_after]
        owners: dict[int, _Track] = {}
        free = list(self._live)
        for _, i, track in self._affinities(pts, detections, looks):
            if i not in owners and track in free:
                owners[i] = track
                free.remove(track)
        faces = []
        for i, d in enumerate(detections):
            unsure = d.score is not None and d.score < self._begin_at
            if i not in owners and unsure:
                continue
            track = owners.get(i) or self._new(pts, d.box, looks[i])
            track.update(pts, d.box, looks[i])
            faces.append(Face(track.number, d.box, d.score, d.points, d.mesh))
        return sorted(faces, key=lambda face: face.track)

    def _affinities(
        self, pts: float, detections: Sequence[Detection], looks: Sequence[Appearance]
    ) -> list[tuple[float, int, _Track]]:
        """Every possible pair, the best first."""
        pairs = [
            (_affinity(track, d.box, looks[i], pts), i, track)
            for i, d in enumerate(detections)
            for track in self._live
        ]
        return sorted((p for p in pairs if p[0] > 0), key=lambda p: (-p[0], p[1], p[2].number))

    def _new(self, pts: float, box: Box, looks: Appearance) -> _Track:
        track = _Track(self._next, box, pts, looks)
        self._next += 1
        self._live.append(track)
        return track


def _affinity(track: _Track, found: Box, looks: Appearance, pts: float) -> float:
    """How likely the two are one face: overlap plus nearness, less what looks differ; 0 if it
    cannot be."""
    expected, unseen = track.predicted(pts), pts - track.seen
    size, other = side(expected), side(found)
    if min(size, other) <= 0 or max(size, other) > RESIZE * min(size, other):
        return 0.0
    (x0, y0), (x1, y1) = centre(expected), centre(found)
    off = float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5) / max(size, other)
    reach = min(REACH + DRIFT * unseen, FARTHEST)
    if off >= reach:
        return 0.0
    apart = unlike(track.looks, looks)
    if unseen > GONE and track.stranger(apart):
        return 0.0
    # Who is where they were a moment ago is the same whatever the light does: never quite 0.
    return max(NEVER_NONE, iou(expected, found) + (1 - off / reach) - APART * apart)
