"""Known damage at three strengths, to see how far a network can be trusted. Grey crops, numpy.

Written apart from `augment` on purpose: a network is not examined with its own exercises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.uint8]  # (S, S)
Chance = np.random.Generator


def blur(crop: Crop, sigma: float, chance: Chance) -> Crop:
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.uint8)


def jpeg(crop: Crop, quality: float, chance: Chance) -> Crop:
    _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def low_light(crop: Crop, level: float, chance: Chance) -> Crop:
    """A share of the light, and the noise of a camera that has too little."""
    return _rounded(crop * level + chance.normal(0, 1.5, crop.shape))


def small(crop: Crop, size: float, chance: Chance) -> Crop:
    """A face of so many px, enlarged."""
    less = cv2.resize(crop, (int(size), int(size)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(less, crop.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def box(crop: Crop, side: float, chance: Chance) -> Crop:
    """A grey square anywhere. side: share of the crop's."""
    size = round(side * len(crop))
    x, y = chance.integers(0, len(crop) - size + 1, 2)
    out = crop.copy()
    out[y : y + size, x : x + size] = chance.integers(0, 256)
    return out


def glasses(crop: Crop, high: float, chance: Chance) -> Crop:
    """A dark bar over the eyes. high: share of the crop's side."""
    out, size = crop.copy(), len(crop)
    middle, half = 0.38 * size, high * size / 2
    out[round(middle - half) : round(middle + half), round(0.18 * size) : round(0.82 * size)] = 25
    return out


def hand(crop: Crop, radius: float, chance: Chance) -> Crop:
    """A skin-like blob over mouth or chin, as bright as the face. radius: share of the side."""
    size = len(crop)
    centre = round(chance.uniform(0.3, 0.7) * size), round(chance.uniform(0.7, 0.85) * size)
    out = crop.copy()
    skin = float(np.median(crop[size // 4 : 3 * size // 4, size // 4 : 3 * size // 4]))
    axes = round(radius * size), round(radius * size * 0.75)
    cv2.ellipse(out, centre, axes, chance.uniform(-40, 40), 0, 360, skin, -1)
    return out


def noise(crop: Crop, sigma: float, chance: Chance) -> Crop:
    return _rounded(crop + chance.normal(0, sigma, crop.shape))


def turned(crop: Crop, degrees: float, chance: Chance) -> Crop:
    """Tilted to one side or the other, as after landmarks that were found wrong."""
    middle = (len(crop) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees * chance.choice([-1, 1]), 1.0)
    warped = cv2.warpAffine(crop, matrix, crop.shape, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def moved(crop: Crop, share: float, chance: Chance) -> Crop:
    """Off centre by a share of the side, in any direction."""
    angle = chance.uniform(0, 2 * np.pi)
    dx, dy = share * len(crop) * np.cos(angle), share * len(crop) * np.sin(angle)
    matrix = np.array([[1, 0, dx], [0, 1, dy]])
    warped = cv2.warpAffine(crop, matrix, crop.shape, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


CORRUPTIONS: Mapping[str, tuple[Callable[[Crop, float, Chance], Crop], tuple[float, ...]]] = {
    "blur, sigma px": (blur, (1.0, 1.5, 2.5)),
    "JPEG, quality": (jpeg, (40, 20, 10)),
    "low light, level": (low_light, (0.4, 0.2, 0.08)),
    "small face, px": (small, (32, 24, 16)),
    "box, share of side": (box, (0.2, 0.3, 0.4)),
    "bar over the eyes, share of side": (glasses, (0.1, 0.15, 0.2)),
    "hand on the mouth, share of side": (hand, (0.12, 0.18, 0.25)),
    "noise, sigma": (noise, (8, 16, 30)),
    "turned, degrees": (turned, (10, 20, 30)),
    "moved, share of side": (moved, (0.05, 0.1, 0.15)),
}


def corrupted(images: NDArray[np.uint8], name: str, strength: float) -> NDArray[np.uint8]:
    """(n, S, S): every picture with the named damage; the same one at each call."""
    chance = np.random.default_rng(0)
    damage = CORRUPTIONS[name][0]
    return np.stack([damage(image, strength, chance) for image in images])


def _rounded(values: NDArray[np.float64]) -> Crop:
    return np.asarray(values.round().clip(0, 255), np.uint8)
