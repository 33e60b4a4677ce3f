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
