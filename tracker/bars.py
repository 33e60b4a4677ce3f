"""Black bars around a film's picture, which are no part of what it shows."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from tracker.picture import Image, Picture, part, pixels_at
from tracker.values import Box

BLACK = 24  # of 255, the brightest that a compressed bar is
SPARSE = 8  # px between those that are looked at across a bar
LEAST, MOST = 0.02, 0.36  # share of a side: thinner matters little; thicker is a dark picture


def within_bars(picture: Picture) -> Box:
    """The picture between bars above and below, or left and right; all of it if it has none.

    picture: (H, W, 3). In px, whole numbers. Bars come in pairs of one thickness, so the thinner
    side decides: neither a night sky nor a subtitle takes the rest of the picture along.
    """
    height, width = picture.shape[:2]
    rows, columns = np.arange(height), np.arange(width)
    top = left = 0
    if pixels_at(picture, rows[[0, -1]], columns).max() <= BLACK:
        top = _thickness(pixels_at(picture, rows, columns[::SPARSE]).max((1, 2)))
    if pixels_at(picture, rows, columns[[0, -1]]).max() <= BLACK:
        left = _thickness(pixels_at(picture, rows[::SPARSE], columns).max((0, 2)))
    return Box(left, top, width - left, height - top)


@overload
def cropped(picture: Image, area: Box) -> Image: ...
@overload
def cropped(picture: Picture, area: Box) -> Picture: ...
def cropped(picture: Picture, area: Box) -> Picture:
    """area: whole px within the picture. A view of it, not a copy."""
    return part(picture, int(area.x0), int(area.y0), int(area.x1), int(area.y1))


def _thickness(brightest: NDArray[np.uint8]) -> int:
    """px of the bar at either end of a line of rows or columns, by their brightest values."""
    bright = np.flatnonzero(brightest > BLACK)
    if not bright.size:
        return 0
    bar = int(min(bright[0], len(brightest) - 1 - bright[-1]))
    return bar if LEAST <= bar / len(brightest) <= MOST else 0
