"""What our own networks see of a film, second by second, instead of the contest's descriptors.

The post's first hypothesis is that descriptors made for finding pictures lose what moves people.
`watch_film` gives the same LSTM what the program itself reads: the faces, and what the face network
knows of them; what the scene network says of the whole picture; what the sound network says, and
the sound itself, in bands.

Row k holds the second before k seconds into the film, counted from its first frame, so that it
stands beside row k of the labels. Nothing later is in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.films.descriptors import Film, read_labels
from calibration.films.heard import heard
from calibration.films.layout import FilmError, FilmFiles
from engines import Engine, infer_rows, load
from tracker.api import build
from tracker.crops import Cropper
from tracker.geometry import area
from tracker.models import Model, open_shipped
from tracker.options import Options
from tracker.run import follow
from tracker.sources import Span, open_source
from tracker.values import EMOTIONS, AudioReading, Frame, PersonReading, SceneReading, Step

EVERY = 0.5  # s between two looks
MOST = 4  # faces of a frame, the largest ones
NOTHING = (math.nan, math.nan)
OUTPUTS = ("features", "affect", "expression")  # of the face network

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceEyes:
    """The face network, asked for everything it knows."""

    engine: Engine
    cropper: Cropper
    order: tuple[int, ...]  # where OUTPUTS are among the engine's outputs
    width: int

    @classmethod
    def of(cls, model: Model) -> FaceEyes:
        engine = load(model.path, "onnx", max_batch=MOST)
        names = [spec.name for spec in engine.outputs]
        order = tuple(names.index(name) for name in OUTPUTS)
        width = sum(engine.outputs[i].shape[0] for i in order)
        return cls(engine, Cropper(model.card["input"]), order, width)

    def __call__(self, step: Step) -> Array:
        """(width + 2,): the mean over faces, each by its area; how many; the largest one's share
        of the picture. nan and zeros if there is nobody.
        """
        people = sorted(step.result.people, key=_area, reverse=True)[:MOST]
        if not people:
            return np.concatenate([np.full(self.width, np.nan), [0, 0]]).astype(np.float32)
        crops = np.stack([self.cropper.aligned(step.frame.picture, p.face) for p in people])
        out = infer_rows(self.engine, crops)
        known = np.concatenate([out[i] for i in self.order], axis=1)
        areas = np.array([_area(person) for person in people])
        mean = areas @ known / areas.sum()
        height, width = step.frame.picture.shape[:2]
        rest = [len(step.result.people), areas[0] / (height * width)]
        return np.concatenate([mean, rest]).astype(np.float32)


def watch_film(files: FilmFiles, options: Options) -> Film:
    """Raises FilmError if the film is not there, SourceError if it cannot be read."""
    if files.video is None:
        raise FilmError(f"{files.name}: no film to watch beside its labels")
    affect = read_labels(files.labels)
    return Film(files.name, seconds_of(files.video, len(affect), options), affect)


def seconds_of(video: Path, count: int, options: Options) -> Array:
    """(count, width): the first `count` seconds of a film; nan where nothing is known.

    options: the networks that read it. Raises FilmError if it has no picture at all.
    """
    eyes = FaceEyes.of(open_shipped(options.face_network))
    looks: dict[int, list[Array]] = {}
    first: Frame | None = None
    try:
        source = open_source(video, Span(every=EVERY))
        with build(options) as tracker, closing(follow(source, tracker)) as steps:
            for step in steps:
                first = first or step.frame
                second = math.floor(step.result.pts - first.pts)
                if second >= count:
                    break
                look = [eyes(step), _scene(step.result.scene)]
                if options.sound is not None:
                    look.append(_audio(step.result.audio))
                looks.setdefault(second, []).append(np.concatenate(look))
    finally:
        eyes.engine.close()
    if first is None:
        raise FilmError(f"{video}: no picture in its first {count} s")
    rows = np.full((count, len(next(iter(looks.values()))[0])), np.nan, np.float32)
    for second, seen in looks.items():
        rows[second] = _mean(seen)
    if options.sound is None:
        return rows
    return np.concatenate([rows, heard(video, first, count)], axis=1)


def _scene(scene: SceneReading | None) -> Array:
    """What a viewer would feel, as the network says of this picture alone; where the picture is.

    Empty if no such network runs; nan for what it does not say.
    """
    if scene is None:
        return np.zeros(0, np.float32)
    affects = [None if scene.affect is None else scene.affect.raw, scene.spread]
    said = [value for a in affects for value in ((a.valence, a.arousal) if a else NOTHING)]
    said += scene.emotions.values if scene.emotions else [math.nan] * len(EMOTIONS)
    said += scene.place.values if scene.place else ()
    return np.array(said, np.float32)


def _audio(audio: AudioReading | None) -> Array:
    """(4,): nan for what is not known."""
    said = () if audio is None else (audio.level, audio.voice, audio.arousal, audio.arousal_raw)
    known = [math.nan if value is None else value for value in said]
    return np.array(known or [math.nan] * 4, np.float32)


def _mean(seen: Sequence[Array]) -> Array:
    """Of what is known: a look at nobody does not count for the faces' means."""
    table = np.stack(seen)
    known = np.isfinite(table)
    total = np.where(known, table, 0).sum(0)
    mean = np.full(table.shape[1], np.nan, np.float32)
    np.divide(total, known.sum(0), out=mean, where=known.any(0))
    return mean


def _area(person: PersonReading) -> float:
    return area(person.face.box)
