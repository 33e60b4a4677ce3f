"""What somebody looks like for a moment: colours of face, hair and collar, coarse on purpose.

It tells people of one scene apart, not who they are: light and clothes decide as much as the face,
and it is forgotten with the track.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.values import Box, Image

Appearance = NDArray[np.float32]  # (CELLS * CELLS * 3,): logarithms of colours

CELLS = 4  # of a side
SAMPLES = 4  # pixels looked at along a side of a cell
ABOVE, BELOW, ASIDE = 0.3, 0.25, 0.1  # shares of the box that are looked at beyond it
DARK = 8.0  # added to colours of 0..255: what is nearly black is equally black


def appearance(image: Image, box: Box) -> Appearance:
    """image: (H, W, 3). Beyond the picture its edge pixels are repeated."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    columns = _samples(box.x0 - ASIDE * width, box.x1 + ASIDE * width, image.shape[1])
    rows = _samples(box.y0 - ABOVE * height, box.y1 + BELOW * height, image.shape[0])
    seen = image[rows[:, None], columns[None]].astype(np.float32)
    cells = seen.reshape(CELLS, SAMPLES, CELLS, SAMPLES, 3).mean((1, 3))
    return np.asarray(np.log(cells + np.float32(DARK)).ravel(), np.float32)


def unlike(one: Appearance, other: Appearance) -> float:
    """Root mean square of what differs: 0.7 is twice as bright."""
    apart = one - other
    return float(np.sqrt(apart.dot(apart) / len(apart)))


def _samples(low: float, high: float, size: int) -> NDArray[np.intp]:
    """Middles of equal parts of low..high, as places of pixels within 0..size."""
    count = CELLS * SAMPLES
    at = low + (np.arange(count) + 0.5) * ((high - low) / count)
    return np.asarray(at.clip(0, size - 1), np.intp)
