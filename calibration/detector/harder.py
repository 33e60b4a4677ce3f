"""Harder versions of a picture, made the same way each time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tracker.values import Image

WIDTH = 320  # px, at which a picture is compressed: artefacts of the size a detector sees


def _dark(image: Image) -> Image:
    return np.asarray(image * 0.2, np.uint8)


def _grey(image: Image) -> Image:
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2).astype(np.uint8)


def _compressed(image: Image) -> Image:
    scale = WIDTH / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _small(image: Image) -> Image:
    """Half as large, in the middle of black."""
    made = np.zeros_like(image)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    y, x = ((a - b) // 2 for a, b in zip(image.shape[:2], half.shape[:2], strict=True))
    made[y : y + half.shape[0], x : x + half.shape[1]] = half
    return made


def _turned(image: Image) -> Image:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height)), np.uint8)


SPOILERS: dict[str, Callable[[Image], Image]] = {
    "dark": _dark,
    "grey": _grey,
    "jpeg-40": _compressed,
    "small": _small,
    "turned": _turned,
}
