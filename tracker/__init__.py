"""emotrack: what people in a film or picture show and what it evokes, as it happens.

from tracker import watch
for result in watch("film.mp4"):
    for person in result.people:
        print(result.pts, person.face.track, person.affect.smooth.valence)
"""

from __future__ import annotations

from tracker.api import build, watch
from tracker.models import ModelError
from tracker.options import Options
from tracker.pipeline import Tracker
from tracker.profile import ProfileError
from tracker.sources import SourceError
from tracker.values import (
    EMOTIONS,
    EXPRESSIONS,
    Affect,
    Box,
    Face,
    FrameResult,
    PersonReading,
    Reading,
    SceneReading,
    Scores,
)

__all__ = [
    "EMOTIONS",
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
    "SceneReading",
    "Scores",
    "SourceError",
    "Tracker",
    "build",
    "watch",
]
