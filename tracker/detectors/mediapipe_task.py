"""MediaPipe's FaceLandmarker as a detector: good on close-ups, blind to small faces.

Importing this module needs the extra `mediapipe`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from tracker.models import Model, find_fetched, registry
from tracker.picture import Picture, as_rgb
from tracker.values import BLENDSHAPES, Box, Detection, Mesh, Pose, Scores

MIN_CONFIDENCE = 0.5  # MediaPipe's own default
MOST = 10  # faces; the task wants a number, and each costs as much as the first
SMALLEST = 8  # px; a picture with a shorter side holds no face
# Points of the mesh, image-left first: corners of each eye (their mean is the eye), nose tip,
# corners of the mouth. The person's right eye is on the left of the picture.
EYES = ((33, 133), (263, 362))
NOSE, MOUTH = 1, (61, 291)


class MediaPipeDetector:
    """Faces as the bounds of their mesh, with five points taken from it.

    The task tells no score for a face, only that it passed `min_confidence`: every score is 1.0.
    """

    def __init__(self, model: Model, *, min_confidence: float = MIN_CONFIDENCE) -> None:
        options = vision.FaceLandmarkerOptions(
            # As bytes: a path with letters beyond ASCII does not open on every system.
            base_options=BaseOptions(model_asset_buffer=model.path.read_bytes()),
            num_faces=MOST,
            min_face_detection_confidence=min_confidence,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._task: Any = vision.FaceLandmarker.create_from_options(options)
        self.model = model
        self.description = f"mediapipe {mediapipe.__version__} CPU"

    def __call__(self, picture: Picture) -> list[Detection]:
        if self._task is None:
            raise RuntimeError(f"{self.model.name}: this detector is closed")
        image = as_rgb(picture)
        if min(image.shape[:2]) < SMALLEST:
            return []
        data = np.ascontiguousarray(image)
        shown = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=data)
        size_wh = (image.shape[1], image.shape[0])
        seen = self._task.detect(shown)
        rows = zip(
            seen.face_landmarks,
            seen.face_blendshapes,
            seen.facial_transformation_matrixes,
            strict=True,
        )
        found = (
            detection(
                [(p.x, p.y, p.z) for p in points],
                [shape.score for shape in shapes],
                matrix,
                size_wh,
            )
            for points, shapes, matrix in rows
        )
        return [face for face in found if face is not None]

    def close(self) -> None:
        if self._task is not None:
            self._task.close()
            self._task = None


def detection(
    points: Sequence[tuple[float, float, float]],
    shapes: Sequence[float],
    matrix: NDArray[Any],
    size_wh: tuple[int, int],
) -> Detection | None:
    """One face of the task as a detection; None if it lies outside the picture.

    points: x, y as shares of the picture, z in the unit of x. shapes: in BLENDSHAPES' order.
    matrix: (4, 4), from the canonical face to the camera's space.
    """
    width, height = size_wh
    dense = np.asarray(points, np.float64) * (width, height, width)
    low = np.clip(dense[:, :2].min(0), 0, size_wh)
    high = np.clip(dense[:, :2].max(0), 0, size_wh)
    if (high <= low).any():
        return None
    flat = dense[:, :2]
    eyes = [flat[list(corners)].mean(0) for corners in EYES]
    five = [*eyes, flat[NOSE], *flat[list(MOUTH)]]
    box = Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    mesh = Mesh(
        dense.astype(np.float32), Scores(BLENDSHAPES, tuple(map(float, shapes))), pose_of(matrix)
    )
    return Detection(box, 1.0, tuple((float(x), float(y)) for x, y in five), mesh)


def pose_of(matrix: NDArray[Any]) -> Pose:
    """The angles of a face's transformation; its space has x right, y up, z to the camera."""
    turn = np.asarray(matrix, np.float64)[:3, :3]
    turn = turn / np.linalg.norm(turn, axis=0)
    right, _, ahead = turn.T
    angles = (
        math.asin(float(np.clip(ahead[1], -1, 1))),
        math.atan2(ahead[0], ahead[2]),
        math.atan2(-right[1], right[0]),
    )
    return Pose(*map(math.degrees, angles))


def build(*, min_confidence: float = MIN_CONFIDENCE) -> MediaPipeDetector:
    """Raises ModelError naming the command that fetches the file if it is absent."""
    entry, path = registry()["mediapipe"], find_fetched("mediapipe")
    model = Model(path, entry.name, entry.role, entry.sha256, entry.licence, {"scores": []})
    return MediaPipeDetector(model, min_confidence=min_confidence)
