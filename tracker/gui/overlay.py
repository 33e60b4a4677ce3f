"""Where in the picture the scene's reading comes from, as something to lay over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from tracker.shading import DENSEST, LOWERS, RAISES, against_each_other
from tracker.values import EMOTIONS, Box, SceneReading

EMOTION = "emotion"  # whichever is the strongest
SHOWN = (None, "valence", "arousal", EMOTION)  # in the order of the key
MAPS = ("valence", "arousal", *EMOTIONS)  # as `SceneReading.maps` holds them


def overlay(scene: SceneReading | None, which: str | None) -> tuple[QImage, str, Box | None] | None:
    """A small transparent picture, its title, and the part of the frame that it covers (None: all,
    in px); None if nothing is wanted or known."""
    if which is None or scene is None or scene.maps is None:
        return None
    name = _strongest(scene) if which == EMOTION else which
    if name is None:
        return None
    added = against_each_other(scene.maps)[MAPS.index(name)]
    return _coloured(added), f"{name}: orange adds to it, blue takes from it", scene.area


def _strongest(scene: SceneReading) -> str | None:
    if scene.emotions is None:
        return None
    return max(zip(scene.emotions.values, scene.emotions.labels, strict=True))[1]


def _coloured(added: NDArray[np.float32]) -> QImage:
    """added: (h, w). Clear where it is 0, densest where it is largest, either way."""
    most = float(np.abs(added).max())
    dense = np.abs(added) / most if most > 0 else np.zeros_like(added)
    pixels = np.empty((*added.shape, 4), np.uint8)
    pixels[..., :3] = np.where((added > 0)[..., None], RAISES, LOWERS)
    pixels[..., 3] = np.round(255 * DENSEST * dense)
    height, width = added.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
