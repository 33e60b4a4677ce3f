"""emotrack: what the people in a film or picture show, frame by frame, as it happens.

from tracker import watch
for result in watch("film.mp4"):
    for person in result.people:
        print(result.pts, person.face.track, person.affect.smooth.valence)
"""

from __future__ import annotations

from tracker.api import Options, build, watch
from tracker.models import ModelError
from tracker.pipeline import Tracker
from tracker.profile import ProfileError
from tracker.sources import SourceError
from tracker.values import (
    EXPRESSIONS,
    Affect,
    Box,
    Face,
    FrameResult,
    PersonReading,
    Reading,
    Scores,
)

__all__ = [
    "EXPRESSIONS",
    "Affect",
    "Box",
    "Face",
    "FrameResult",
    "ModelError",
    "Options",
    "PersonReading",
    "ProfileError",
    "Reading",
    "Scores",
    "SourceError",
    "Tracker",
    "build",
    "watch",
]
