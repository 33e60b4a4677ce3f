"""What somebody looks like for a moment: colours of face, hair and collar, coarse on purpose.

It tells people of one scene apart, not who they are: light and clothes decide as much as the face,
and it is forgotten with the track.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.picture import Picture, pixels_at
from tracker.values import Box

Appearance = NDArray[np.float32]  # (CELLS * CELLS * 3,): logarithms of colours

CELLS = 4  # of a side
SAMPLES = 4  # pixels looked at along a side of a cell
ABOVE, BELOW, ASIDE = 0.3, 0.25, 0.1  # shares of the box that are looked at beyond it
DARK = 8.0  # added to colours of 0..255: what is nearly black is equally black


def appearances(picture: Picture, boxes: Sequence[Box]) -> Sequence[Appearance]:
    """One per box. picture: (H, W, 3). Beyond it its edge pixels are repeated."""
    if not boxes:
        return ()
    x0, y0, x1, y1 = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes]).T
    aside, height = ASIDE * (x1 - x0), y1 - y0
    columns = _samples(x0 - aside, x1 + aside, picture.shape[1])
    rows = _samples(y0 - ABOVE * height, y1 + BELOW * height, picture.shape[0])
    seen = np.stack([pixels_at(picture, r, c) for r, c in zip(rows, columns, strict=True)])
    cells = seen.reshape(-1, CELLS, SAMPLES, CELLS, SAMPLES, 3).mean((2, 4), np.float32)
    looks: NDArray[np.float32] = np.log(cells + np.float32(DARK)).reshape(len(boxes), -1)
    return list(looks)


def unlike(one: Appearance, other: Appearance) -> float:
    """Root mean square of what differs: 0.7 is twice as bright."""
    apart = one - other
    return float(np.sqrt(apart.dot(apart) / len(apart)))


def _samples(low: NDArray[np.float64], high: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    """(n, CELLS * SAMPLES): middles of equal parts of low..high, as places of pixels in 0..size."""
    count = CELLS * SAMPLES
    at = low[:, None] + (np.arange(count) + 0.5) * ((high - low) / count)[:, None]
    return np.asarray(at.clip(0, size - 1), np.intp)
