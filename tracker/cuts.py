"""New shot or not: a causal comparison of each frame's thumbnail with the one before."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.picture import Image, Picture, Planes
from tracker.values import Frame

SIZE_WH = (32, 18)  # of the thumbnail, px
LEAST = 0.05  # mean difference (1 = black against white) below which nothing is a cut
SUDDEN = 4.0  # times the recent difference: a pan is large, but not sudden
UNKNOWN = 0.04  # taken for the recent difference while a shot has no past
CALM = 0.8  # weight of the past in the recent difference

Thumbnail = NDArray[np.float32]


class CutFinder:
    """True on the first frame of a stream and of every new shot.

    Thresholds were chosen on the clips listed with their cuts in `tests/test_cuts.py`.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._last: Thumbnail | None = None
        self._recent = UNKNOWN

    def close(self) -> None:
        """Nothing to free."""

    def __call__(self, frame: Frame) -> bool:
        now = _thumbnail(frame.picture)
        before, self._last = self._last, now
        if before is None:
            return True
        change = float(np.abs(now - before).mean())
        cut = change > LEAST and change > SUDDEN * self._recent
        self._recent = UNKNOWN if cut else CALM * self._recent + (1 - CALM) * change
        return cut


def _thumbnail(picture: Picture) -> Thumbnail:
    """(18, 32, 3) in [0, 1]."""
    small = picture.mixed(_sampled) if isinstance(picture, Planes) else _sampled(picture)
    return np.asarray(small, np.float32) / np.float32(255)


def _sampled(image: Image) -> Image:
    """A few pixels of each field are enough, evenly spread."""
    some = cv2.resize(image, (4 * SIZE_WH[0], 4 * SIZE_WH[1]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(some, SIZE_WH, interpolation=cv2.INTER_AREA), np.uint8)
