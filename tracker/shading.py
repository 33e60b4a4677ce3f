"""A picture with what each of its places adds to a reading laid over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.values import EMOTIONS, Image

RAISES, LOWERS = (255, 130, 0), (40, 110, 255)  # RGB; orange and blue are told apart by all eyes
DENSEST = 0.75  # of the colour, where a place adds most
FIRST = 2  # `SceneReading.maps` begins with valence and arousal; EMOTIONS follow


def against_each_other(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """`SceneReading.maps`, (10, h, w), with the emotions less their mean.

    The eight probabilities sum to 1: what adds to all of them alike changes none.
    """
    told = maps.copy()
    told[FIRST : FIRST + len(EMOTIONS)] -= told[FIRST : FIRST + len(EMOTIONS)].mean(0)
    return told


def shaded(image: Image, added: NDArray[np.float32]) -> Image:
    """The picture in grey, orange where it raises the reading and blue where it lowers it.

    image: (H, W, 3). added: (h, w), any size and unit; its largest part is the densest colour.
    """
    height, width = image.shape[:2]
    large = cv2.resize(added.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    most = float(np.abs(added).max())
    dense = np.clip(np.abs(large) / most, 0, 1) * DENSEST if most > 0 else np.zeros_like(large)
    colour = np.where((large > 0)[:, :, None], RAISES, LOWERS)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    laid = grey + dense[:, :, None] * (colour - grey)
    return np.asarray(np.round(laid), np.uint8)
