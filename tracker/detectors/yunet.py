"""YuNet (Wu et al. 2023) through OpenCV: a well-known second opinion, fetched."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.utils import logging as noise

from tracker.detectors.boxes import NMS, as_detections, fitted
from tracker.models import Model, find_fetched, registry
from tracker.picture import Picture
from tracker.values import Detection

MIN_CONFIDENCE = 0.6  # OpenCV's own default, 0.9, finds a fifth of the faces that this finds
TOP = 5000  # boxes kept before suppression; OpenCV's default


class YuNet:
    """Faces of a picture whose long side is brought to `long_side` px."""

    def __init__(
        self, model: Model, *, min_confidence: float = MIN_CONFIDENCE, long_side: int = 320
    ) -> None:
        self._long_side = long_side
        before = noise.setLogLevel(noise.LOG_LEVEL_ERROR)  # it warns of a target that nobody set
        self._net: cv2.FaceDetectorYN | None = cv2.FaceDetectorYN.create(
            str(model.path), "", (long_side, long_side), min_confidence, NMS, TOP
        )
        noise.setLogLevel(before)
        self.model = model
        self.description = f"OpenCV {cv2.__version__} CPU"

    def __call__(self, picture: Picture) -> list[Detection]:
        if self._net is None:
            raise RuntimeError(f"{self.model.name}: this detector is closed")
        small, back_xy = fitted(picture, self._long_side)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._net.detect(np.ascontiguousarray(small[..., ::-1]))  # it reads BGR
        if found is None:
            return []
        rows = np.array(found, np.float32)  # x y w h, points, score
        rows[:, 2:4] += rows[:, :2]
        rows[:, :14] *= np.tile(np.asarray(back_xy, np.float32), 7)
        best_first = np.argsort(-rows[:, 14], kind="stable")
        return as_detections(rows[best_first], picture.shape[1::-1])

    def close(self) -> None:
        self._net = None


def build(*, min_confidence: float = MIN_CONFIDENCE, long_side: int = 320) -> YuNet:
    """Raises ModelError naming the command that fetches the file if it is absent."""
    entry, path = registry()["yunet"], find_fetched("yunet")
    model = Model(path, entry.name, entry.role, entry.sha256, entry.licence, {"scores": []})
    return YuNet(model, min_confidence=min_confidence, long_side=long_side)
