"""Boxes: pure functions in full-frame pixels."""

from __future__ import annotations

import math

from tracker.values import Box


def iou(a: Box, b: Box) -> float:
    """Intersection over union, in [0, 1]; 0 if either box is empty."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (area(a) + area(b) - both)


def area(box: Box) -> float:
    """px^2."""
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def centre(box: Box) -> tuple[float, float]:
    """x, y in px."""
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def side(box: Box) -> float:
    """The side of the square of equal area, px."""
    return math.sqrt(max(0.0, area(box)))


def shifted(box: Box, dx: float, dy: float) -> Box:
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)


# Shares of a standing person, in heights of a face as detectors box it (brow to chin, about four
# fifths of the head): by Drillis and Contini (1966) a head is 0.130 of the stature and the
# shoulders are 0.259 wide, so the stature is 9.6 faces and the shoulders are 2.5. Films mostly
# show people sitting or cut off below the waist; what hangs below the picture is clipped anyway.
HAIR = 0.5  # heights above the face
DOWN = 6.0  # heights below the face: to the knees of somebody who stands
ASIDE = 1.5  # heights to either side of the middle: shoulders, and arms that are a little apart


def body_box(face: Box, size_wh: tuple[int, int]) -> Box:
    """Where the body of a face probably is, clipped to a picture of that size: a guess from
    proportions, upright. At least one pixel of the picture, wherever the face is."""
    height = face.y1 - face.y0
    middle = (face.x0 + face.x1) / 2
    left, right = _inside(middle - ASIDE * height, middle + ASIDE * height, size_wh[0])
    top, bottom = _inside(face.y0 - HAIR * height, face.y1 + DOWN * height, size_wh[1])
    return Box(left, top, right, bottom)


def _inside(low: float, high: float, size: int) -> tuple[float, float]:
    """The part of low..high within 0..size; the nearest pixel if there is none."""
    low = min(max(0.0, low), size - 1.0)
    return low, min(max(low + 1.0, high), float(size))
