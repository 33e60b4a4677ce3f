"""Pictures made smaller or larger: one way for all, chosen for speed at equal values."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.picture import Image, Picture, Planes


def resized(picture: Picture, size_wh: tuple[int, int]) -> Image:
    """Smaller by area, larger by lines; (H, W) or (H, W, 3).

    Whole halvings come first: OpenCV does them three times as fast, and at 720p they are all
    there is. Values change by at most one level of 255.
    """
    if isinstance(picture, Planes):
        # Halved once, brightness is as small as colour, and what follows is done once for all.
        first = _half(picture, size_wh) or size_wh
        return resized(picture.mixed(lambda plane: resized(plane, first)), size_wh)
    image = picture
    width, height = size_wh
    while (half := _half(image, size_wh)) is not None:
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    # A picture may become narrower and taller at once; by area OpenCV can only make it smaller.
    inner = min(width, image.shape[1]), min(height, image.shape[0])
    for size, way in ((inner, cv2.INTER_AREA), (size_wh, cv2.INTER_LINEAR)):
        if (image.shape[1], image.shape[0]) != size:
            image = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    return image


def _half(picture: Picture, size_wh: tuple[int, int]) -> tuple[int, int] | None:
    """Half its size, if that is not too small. An odd edge would move the rest by half a pixel, so
    only even sides are halved."""
    height, width, *_ = picture.shape
    even = height % 2 == width % 2 == 0
    enough = width >= 2 * size_wh[0] and height >= 2 * size_wh[1]
    return (width // 2, height // 2) if even and enough else None


def grey(picture: Picture, size_wh: tuple[int, int]) -> Image:
    """`resized` and without colours, (H, W)."""
    if isinstance(picture, Planes):
        return picture.grey(lambda plane: resized(plane, size_wh))
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return resized(picture, size_wh)


def glanced(picture: Picture, size_wh: tuple[int, int]) -> Image:
    """Smaller, for whole pictures that are only looked over: not every pixel counts.

    From four times the size on, every pixel of the small picture is the mean of four evenly
    spread ones beneath it. That is four times as fast as the mean of all, which memory limits;
    landmarks found in it move by a three-hundredth of a face.
    """
    width, height = size_wh
    if picture.shape[1] < 4 * width or picture.shape[0] < 4 * height:
        return resized(picture, size_wh)
    if isinstance(picture, Planes):
        return picture.mixed(lambda plane: _sampled(plane, size_wh))
    return _sampled(picture, size_wh)


def _sampled(image: Image, size_wh: tuple[int, int]) -> Image:
    """Of the planes of colour, which have half the size, one sample or four may do."""
    width, height = size_wh
    if image.shape[1] > 4 * width or image.shape[0] > 4 * height:
        image = _by_lines(image, (2 * width, 2 * height))
    return _by_lines(image, size_wh)


def _by_lines(image: Image, size_wh: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
