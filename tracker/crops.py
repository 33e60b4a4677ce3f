"""A face cut out of its picture, as the network saw faces in training.

Five landmarks are moved onto those of the card's template by a similarity: rotation, one scale
and a shift, so that nobody's face changes its proportions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.resize import resized
from tracker.values import Box, Detection, Face, Image, Point

Crop = NDArray[np.float32]  # (c, S, S), 0..255
Matrix = NDArray[np.float64]  # (2, 3): picture -> crop, both in px, pixel i covers i..i+1


@dataclass(frozen=True, slots=True)
class Template:
    """Where a face stands in its crop."""

    size: int  # S, px
    channels: int  # 1 grey, 3 RGB
    points: tuple[Point, ...]  # eyes, nose, mouth corners; image-left first; px of the crop
    box_scale: float  # side of the crop / side of a square as large as the detector's box

    @classmethod
    def from_card(cls, given: Mapping[str, Any]) -> Template:
        """What the section `input` of a face network's card says."""
        points = tuple((float(x), float(y)) for x, y in given["crop"]["points"])
        channels = {"grey": 1, "RGB": 3}[given["colour"]]
        return cls(int(given["size"][0]), channels, points, float(given["crop"]["box_scale"]))


class Cropper:
    """Cuts faces for one network. given: the section `input` of its card."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._template = Template.from_card(given)

    def aligned(self, image: Image, face: Detection | Face) -> Crop:
        return aligned(image, face, self._template)

    def whole(self, image: Image, face: Detection | Face) -> Crop:
        """face: not looked at; the picture is the face."""
        return whole(image, self._template)


def aligned(image: Image, face: Detection | Face, template: Template) -> Crop:
    """The face in the template's frame: by its landmarks, or by its box where it has none.

    image: (H, W, 3) or grey (H, W). Beyond the picture its edge pixels are repeated.
    """
    if len(face.points) == len(template.points) and _spread(face.points) > 0:
        matrix = similarity(face.points, template.points)
    else:
        matrix = _from_box(face.box, template)
    return _ready(_warp(image, matrix, template), template)


def whole(image: Image, template: Template) -> Crop:
    """The picture itself as the crop; one that is not square is made so by repeating its edges."""
    height, width = image.shape[:2]
    side = max(height, width)
    scale = template.size / side
    matrix = np.array([[scale, 0, (side - width) / 2 * scale], [0, scale, 0]], np.float64)
    matrix[1, 2] = (side - height) / 2 * scale
    return _ready(_warp(image, matrix, template), template)


def similarity(points: Sequence[Point], target: Sequence[Point]) -> Matrix:
    """Least-squares rotation, scale and shift from `points` to `target` (Umeyama 1991, eq. 40-42).

    In the plane the closed form needs no singular values: with centred points as complex
    numbers p and t, the factor scale * exp(i angle) is sum(conj(p) t) / sum(|p|^2).
    A reflection is never an answer. Raises ValueError if all points are the same.
    """
    start, end = np.asarray(points, np.float64), np.asarray(target, np.float64)
    p, t = (xy[:, 0] + 1j * xy[:, 1] for xy in (start - start.mean(0), end - end.mean(0)))
    size = float((abs(p) ** 2).sum())
    if size == 0:
        raise ValueError("landmarks that coincide have no scale")
    factor = complex((p.conj() * t).sum() / size)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, end.mean(0) - turn @ start.mean(0)])


def _spread(points: Sequence[Point]) -> float:
    return float(np.ptp(np.asarray(points), axis=0).max())


def _from_box(box: Box, template: Template) -> Matrix:
    side = max(1.0, (box.x1 - box.x0) * (box.y1 - box.y0)) ** 0.5 * template.box_scale
    scale = template.size / side
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    half = template.size / 2
    return np.array([[scale, 0, half - scale * x], [0, scale, half - scale * y]])


def _warp(image: Image, matrix: Matrix, template: Template) -> Image:
    """Two steps when the face is larger than its crop: shrink by area, then warp.

    Bilinear warping alone would read four of the many pixels under each one of the crop.
    """
    size = template.size
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    if scale < 0.9:
        image, matrix = _shrunk(image, matrix, size, scale, grey=template.channels == 1)
    # OpenCV counts from pixel centres, we from pixel corners.
    shift = np.array([0.5, 0.5])
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ shift - shift
    warped = cv2.warpAffine(
        image, centred, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)


def _shrunk(
    image: Image, matrix: Matrix, size: int, scale: float, *, grey: bool
) -> tuple[Image, Matrix]:
    """The part of the picture under the crop, at the crop's resolution, and the rest of the way.

    grey: colour is not wanted, so it is not shrunk either.
    """
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    under = corners @ back[:, :2].T + back[:, 2]
    margin = 2 / scale  # px; the warp reads one beyond the corners
    x0, y0 = (max(0, math.floor(low)) for low in under.min(0) - margin)
    x1, y1 = (math.ceil(high) for high in under.max(0) + margin)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)  # a face wholly outside: the nearest edge
    part = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    step = 2 ** max(0, math.floor(-math.log2(scale)))  # sides that can be halved so often are fast
    rows, columns = (max(n // step * step, min(n, step)) for n in part.shape[:2])
    part = part[:rows, :columns]  # what is cut off lies in the margin
    if grey and part.ndim == 3:
        part = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
    size_wh = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    small = resized(part, size_wh)
    x, y = part.shape[1] / size_wh[0], part.shape[0] / size_wh[1]  # full px per small px
    turn = matrix[:, :2]
    rest = np.column_stack([turn * [x, y], matrix[:, 2] + turn @ [x0, y0]])
    return small, rest


def _ready(crop: Image, template: Template) -> Crop:
    if template.channels == 1:
        grey = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        return grey[None].astype(np.float32)
    colour = crop if crop.ndim == 3 else cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(colour.transpose(2, 0, 1), np.float32)
