"""One framing for all sets: that of FER+ crops, and other pictures brought into it.

YuNet finds the landmarks (on enlarged FER+ pictures; on other pictures as they are).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from calibration.face.pictures import Labelled, read_rgb
from tracker.crops import Template, aligned, similarity
from tracker.values import Box, Detection, Image

SIZE = 48  # px, of FER+ and of the crops
ENLARGED = 4  # times; YuNet was made for faces of 10 to 300 px, and these fill their picture
SURE = 0.7  # detector score from which landmarks are believed
DETECTOR = "models/yunet/face_detection_yunet_2023mar.onnx"  # in shared
MOST_TURN = 0.6  # rad; beyond it, or beyond these scales, the landmarks are wrong
SCALES = (0.6, 1.7)

Points = NDArray[np.float64]  # (5, 2)


class Landmarks:
    """YuNet through OpenCV: the largest sure face of a picture, or None."""

    def __init__(self, model: Path) -> None:
        self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), SURE, 0.3, 50)

    def __call__(self, image: Image) -> Detection | None:
        """image: RGB, (H, W, 3)."""
        height, width = image.shape[:2]
        self._detector.setInputSize((width, height))
        _, found = self._detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if found is None:
            return None
        best = max(found, key=lambda row: float(row[2] * row[3]))
        x, y, w, h = (float(v) for v in best[:4])
        points = tuple((float(px), float(py)) for px, py in best[4:14].reshape(5, 2))
        return Detection(Box(x, y, x + w, y + h), float(best[14]), points)


def find_in_crops(
    images: NDArray[np.uint8], landmarks: Landmarks
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Landmarks (n, 5, 2) and boxes (n, 4), x0 y0 x1 y1, in px of grey crops; nan where none."""
    points = np.full((len(images), 5, 2), np.nan)
    boxes = np.full((len(images), 4), np.nan)
    for i, image in enumerate(tqdm(images, desc="landmarks", unit="face")):
        side = ENLARGED * image.shape[0]
        large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
        face = landmarks(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), np.uint8))
        if face is not None:
            points[i] = np.array(face.points) / ENLARGED
            box = face.box
            boxes[i] = np.array([box.x0, box.y0, box.x1, box.y1]) / ENLARGED
    return points, boxes


def template_of(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> Template:
    """The median framing of crops, made symmetric: half of all faces look the other way."""
    middle = np.nanmedian(points, axis=0)
    mirrored = middle[[1, 0, 2, 4, 3]] * [-1, 1] + [SIZE, 0]
    mean = (middle + mirrored) / 2
    sizes = boxes[:, 2:] - boxes[:, :2]
    scale = SIZE / float(np.nanmedian(np.sqrt(sizes.prod(1))))
    rounded = tuple((round(float(x), 2), round(float(y), 2)) for x, y in mean)
    return Template(SIZE, 1, rounded, round(scale, 3))


def views_of(points: NDArray[np.float64], template: Template) -> NDArray[np.float32]:
    """(n, 2, 3): from each crop to the template's frame; the crop itself where in doubt."""
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    views = np.tile(same, (len(points), 1, 1))
    for i, row in enumerate(points):
        if np.isfinite(row).all() and np.ptp(row, axis=0).max() > 0:
            matrix = similarity(list(map(tuple, row)), template.points)
            scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
            turn = abs(float(np.arctan2(matrix[1, 0], matrix[0, 0])))
            if turn < MOST_TURN and SCALES[0] < scale < SCALES[1]:
                views[i] = matrix
    return np.asarray(views, np.float32)


def crops_of(
    rows: Sequence[Labelled], template: Template, landmarks: Landmarks
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pictures brought into the template's frame: (n, S, S), and (n,) whether a face was found.

    Without one the middle of the picture is taken at the template's usual size.
    """
    crops = np.zeros((len(rows), template.size, template.size), np.uint8)
    found = np.zeros(len(rows), np.bool_)
    for i, row in enumerate(tqdm(rows, desc="framing", unit="face")):
        image = read_rgb(row.path)
        face = landmarks(image)
        found[i] = face is not None
        height, width = image.shape[:2]
        edge = Detection(Box(0.0, 0.0, float(width), float(height)), None)
        crops[i] = aligned(image, face or edge, template)[0].round().astype(np.uint8)
    return crops, found
