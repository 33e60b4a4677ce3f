"""What the shipped networks say of faces in clips, and of the same faces blurred."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines import Engine, infer_rows, load
from tracker.api import KEPT, build
from tracker.crops import Crop, Cropper
from tracker.detectors import Detector, open_detector
from tracker.models import open_shipped
from tracker.options import Options
from tracker.run import follow
from tracker.sources import Span, open_source
from tracker.values import Box, Image

CLIPS = (  # with faces, none of them hard to decode; no footage twice
    "asl_book.mkv",
    "asl_brother.mkv",
    "asl_hungry.mkv",
    "asl_thanks.mkv",
    "chaplin.mp4",
    "crying_woman_pexels.mp4",
    "mpiigaze_video00.mp4",
    "mpiigaze_video03.mp4",
    "single_face.mp4",
    "sintel_26s.mp4",
)
SHORTEST = 40  # frames; shorter tracks say little
BLURS = (0.03, 0.06, 0.12)  # deviation of the blur over the width of the crop
LOOK_EVERY = 5  # frames between two looks of the detector at a blurred picture
MOUTH = 0.65  # of the crop's height; below is the mouth

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One track of SHORTEST frames or more; n readings of it, without its smoothing."""

    clip: str
    pts: Vector  # (n,) s
    score: Vector  # (n,) detector's
    affect: NDArray[np.float64]  # (n, 2)
    unrest: Vector  # (n,) grey levels by which the mouth changed since the reading before
    blurred: NDArray[np.float64]  # (len(BLURS), n, 2) the same crops, blurred
    blurred_score: NDArray[np.float64]  # (len(BLURS), n) nan where nobody looked, 0: not found


@dataclass(slots=True)
class _Track:
    pts: list[float]
    score: list[float]
    crops: list[Crop]
    found: list[list[float]]  # per reading, per blur


def sightings(clip: Path) -> list[Sighting]:
    """Every long enough track of one clip, by the networks in the wheel."""
    model = open_shipped(Options().face_network)
    cropper = Cropper(model.card["input"])
    tracks: dict[int, _Track] = {}
    least = KEPT * Options().min_confidence
    detector = open_detector(Options().detector, min_confidence=least)  # the tracker's is at work
    with build(Options()) as tracker, closing(detector):
        for number, step in enumerate(follow(open_source(clip, Span()), tracker)):
            faces = [person.face for person in step.result.people]
            looks = _blurred_looks(detector, step.frame.image, [f.box for f in faces], number)
            for face, found in zip(faces, looks, strict=True):
                track = tracks.setdefault(face.track, _Track([], [], [], []))
                track.pts.append(step.result.pts)
                track.score.append(face.score or 0.0)
                track.crops.append(cropper.aligned(step.frame.image, face))
                track.found.append(found)
    engine = load(model.path, "onnx", max_batch=32)
    try:
        return [_read(clip.name, t, engine) for t in tracks.values() if len(t.pts) >= SHORTEST]
    finally:
        engine.close()


def _read(clip: str, track: _Track, engine: Engine) -> Sighting:
    crops = np.stack(track.crops)
    height = crops.shape[2]
    mouth = crops[:, :, int(MOUTH * height) :]
    unrest = np.abs(np.diff(mouth, axis=0, prepend=mouth[:1])).mean((1, 2, 3))
    blurred = [_affect(engine, _blurred_crops(crops, share * height)) for share in BLURS]
    return Sighting(
        clip,
        np.array(track.pts),
        np.array(track.score),
        _affect(engine, crops),
        unrest.astype(np.float64),
        np.stack(blurred),
        np.array(track.found).T,
    )


def _affect(engine: Engine, crops: NDArray[np.float32]) -> NDArray[np.float64]:
    names = [spec.name for spec in engine.outputs]
    return infer_rows(engine, crops)[names.index("affect")].astype(np.float64)


def _blurred_crops(crops: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    flat = crops.reshape(-1, *crops.shape[2:])
    return np.stack([cv2.GaussianBlur(c, (0, 0), sigma) for c in flat]).reshape(crops.shape)


def _blurred_looks(
    detector: Detector, image: Image, boxes: list[Box], number: int
) -> list[list[float]]:
    """Per face and blur the detector's score at its place; nan between the looks."""
    if number % LOOK_EVERY or not boxes:
        return [[np.nan] * len(BLURS) for _ in boxes]
    width = float(np.median([box.x1 - box.x0 for box in boxes]))
    scores = []
    for share in BLURS:
        seen = detector(cv2.GaussianBlur(image, (0, 0), share * width).astype(np.uint8))
        scores.append([_score_at(box, [(d.box, d.score or 0.0) for d in seen]) for box in boxes])
    return [list(row) for row in zip(*scores, strict=True)]


def _score_at(box: Box, seen: list[tuple[Box, float]]) -> float:
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    here = [score for b, score in seen if b.x0 <= x <= b.x1 and b.y0 <= y <= b.y1]
    return max(here, default=0.0)
