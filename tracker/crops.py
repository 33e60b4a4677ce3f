"""A face cut out of its picture, as the network saw faces in training.

Five landmarks are moved onto those of the card's template by a similarity: rotation, one scale
and a shift, so that nobody's face changes its proportions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.picture import Image, Picture, Planes, part
from tracker.resize import grey, resized
from tracker.values import Box, Detection, Face, Point

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

    def aligned(self, picture: Picture, face: Detection | Face) -> Crop:
        return aligned(picture, face, self._template)

    def whole(self, picture: Picture, face: Detection | Face) -> Crop:
        """face: not looked at; the picture is the face."""
        return whole(picture, self._template)


class _Way(NamedTuple):
    """From picture to crop, both in px: z -> factor * z + shift, a point being x + iy.

    Plain numbers, for arrays of five points take longer to make than to compute with.
    """

    factor: complex  # scale * exp(i angle)
    shift: complex


def aligned(picture: Picture, face: Detection | Face, template: Template) -> Crop:
    """The face in the template's frame: by its landmarks, or by its box where it has none.

    picture: (H, W, 3) or grey (H, W). Beyond the picture its edge pixels are repeated.
    """
    way = None
    if len(face.points) == len(template.points):
        way = _least_squares(face.points, template.points)
    return _ready(_warp(picture, way or _from_box(face.box, template), template), template)


def whole(picture: Picture, template: Template) -> Crop:
    """The picture itself as the crop; one that is not square is made so by repeating its edges."""
    height, width = picture.shape[:2]
    side = max(height, width)
    scale = template.size / side
    shift = complex((side - width) / 2 * scale, (side - height) / 2 * scale)
    return _ready(_warp(picture, _Way(scale, shift), template), template)


def similarity(points: Sequence[Point], target: Sequence[Point]) -> Matrix:
    """Least-squares rotation, scale and shift from `points` to `target`.

    A reflection is never an answer. Raises ValueError if all points are the same.
    """
    way = _least_squares(points, target)
    if way is None:
        raise ValueError("landmarks that coincide have no scale")
    (a, b), (x, y) = (way.factor.real, way.factor.imag), (way.shift.real, way.shift.imag)
    return np.array([[a, -b, x], [b, a, y]])


def _least_squares(points: Sequence[Point], target: Sequence[Point]) -> _Way | None:
    """Umeyama (1991), eq. 40-42; None if all points are the same.

    In the plane the closed form needs no singular values: with centred points as complex
    numbers p and t, the factor is sum(conj(p) t) / sum(|p|^2).
    """
    n = len(points)
    start, end = [complex(*xy) for xy in points], [complex(*xy) for xy in target]
    middle, aim = sum(start) / n, sum(end) / n
    centred = [z - middle for z in start]
    size = sum(z.real * z.real + z.imag * z.imag for z in centred)
    if size == 0:
        return None
    both = zip(centred, end, strict=True)
    factor = sum(z.conjugate() * (t - aim) for z, t in both) / size
    return _Way(factor, aim - factor * middle)


def _from_box(box: Box, template: Template) -> _Way:
    side = max(1.0, (box.x1 - box.x0) * (box.y1 - box.y0)) ** 0.5 * template.box_scale
    scale = template.size / side
    middle = complex((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    half = template.size / 2
    return _Way(scale, complex(half, half) - scale * middle)


def _warp(picture: Picture, way: _Way, template: Template) -> Image:
    """Two steps when the face is larger than its crop: shrink by area, then warp.

    Bilinear warping alone would read four of the many pixels under each one of the crop.
    """
    x = y = 1.0  # px of the picture per px of what is warped
    if abs(way.factor) < 0.9 or isinstance(picture, Planes):
        image, way, (x, y) = _under(picture, way, template)
    else:
        image = picture
    (a, b), shift = (way.factor.real, way.factor.imag), way.shift
    # OpenCV counts from pixel centres, we from pixel corners.
    across = shift.real + (a * x - b * y - 1) / 2
    down = shift.imag + (b * x + a * y - 1) / 2
    matrix = np.array([[a * x, -b * y, across], [b * x, a * y, down]])
    size_wh = template.size, template.size
    warped = cv2.warpAffine(
        image, matrix, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)


def _under(picture: Picture, way: _Way, template: Template) -> tuple[Image, _Way, Point]:
    """The part of the picture under the crop, at the crop's resolution if that is lower, the way
    from the part, and how many of its px lie under one of what is given, x and y. In grey, if
    colour is not wanted.
    """
    height, width = picture.shape[:2]
    scale, size = min(1.0, abs(way.factor)), template.size
    margin = 2 / scale  # px; the warp reads one beyond the corners
    under = [(corner - way.shift) / way.factor for corner in (0, size, size * 1j, size + size * 1j)]
    x0 = max(0, math.floor(min(z.real for z in under) - margin))
    y0 = max(0, math.floor(min(z.imag for z in under) - margin))
    x1 = math.ceil(max(z.real for z in under) + margin)
    y1 = math.ceil(max(z.imag for z in under) + margin)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)  # a face wholly outside: the nearest edge
    x0, y0 = x0 - x0 % 2, y0 - y0 % 2  # where a sample of colour begins
    x1, y1 = min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)
    step = 2 ** max(0, math.floor(-math.log2(scale)))  # sides that can be halved so often are fast
    rows, columns = (max(n // step * step, min(n, step)) for n in (y1 - y0, x1 - x0))
    seen = part(picture, x0, y0, x0 + columns, y0 + rows)  # what is left out lies in the margin
    size_wh = max(1, round(columns * scale)), max(1, round(rows * scale))
    small = grey(seen, size_wh) if template.channels == 1 else resized(seen, size_wh)
    rest = _Way(way.factor, way.shift + way.factor * complex(x0, y0))
    return small, rest, (columns / size_wh[0], rows / size_wh[1])


def _ready(crop: Image, template: Template) -> Crop:
    if template.channels == 1:
        grey = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        return grey[None].astype(np.float32)
    colour = crop if crop.ndim == 3 else cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(colour.transpose(2, 0, 1), np.float32)
