"""A picture: RGB, or as a decoder leaves it, brightness in full and colour at half the size.

Nobody looks at all of a film's picture: detector and scene network see it small, the face network
sees parts of it. So RGB is made of what is looked at, where it is; of all of it only if asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) RGB, or (H, W)
GREY = np.array([0.299, 0.587, 0.114])  # of R, G, B (ITU-R BT.601), as OpenCV has it
LINE = 64  # bytes that a processor fetches at once
FEW = 1000  # pixels that are quicker fetched one by one than with their rows
UNSEEN = 1e-6  # weight in grey below which a plane is left out


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """What a film's planes mean; the same for all its pictures."""

    to_rgb: NDArray[np.float64]  # (3, 4): R, G, B of Y', Cb, Cr and 1, everything in 0..255
    in_grey: tuple[int, ...]  # the planes that grey is made of: in BT.601 brightness alone
    to_grey: NDArray[np.float64]  # (1, n + 1): grey of those and 1

    @classmethod
    def of(cls, to_rgb: NDArray[np.float64]) -> Colours:
        weights = GREY @ to_rgb
        seen = tuple(k for k in range(3) if abs(weights[k]) > UNSEEN)
        return cls(to_rgb, seen, weights[None, [*seen, 3]])


class Planes:
    """Y'CbCr of 8 bits, 4:2:0: one sample of colour for two pixels across and two down.

    planes: Y' (H, W); Cb and Cr (H / 2, W / 2), rounded up. whole: a faster way to RGB of all
    of it.
    """

    __slots__ = ("_colours", "_made", "_planes", "_whole", "shape")

    def __init__(
        self,
        planes: tuple[Image, Image, Image],
        colours: Colours,
        whole: Callable[[], Image] | None = None,
    ) -> None:
        self.shape = (*planes[0].shape, 3)  # of the same picture in RGB
        self._planes = planes
        self._colours = colours
        self._whole = whole
        self._made: Image | None = None

    def rgb(self) -> Image:
        """All of it, (H, W, 3); made once."""
        if self._made is None:
            self._made = self._whole() if self._whole else self.mixed(self._enlarged)
        return self._made

    def mixed(self, resample: Callable[[Image], Image]) -> Image:
        """RGB of the planes after `resample`, which gives all of them one size."""
        return _mixture([resample(plane) for plane in self._planes], self._colours.to_rgb)

    def grey(self, resample: Callable[[Image], Image]) -> Image:
        """As `mixed`, in grey. Planes that make none of it are not resampled."""
        some = [resample(self._planes[k]) for k in self._colours.in_grey]
        return _mixture(some, self._colours.to_grey)

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Planes:
        """Pixels x0 <= x < x1, y0 <= y < y1, not copied. From odd x0 or y0 on, colour stands
        half a sample aside."""
        y, *colours = self._planes
        cb, cr = (c[y0 // 2 : (y1 + 1) // 2, x0 // 2 : (x1 + 1) // 2] for c in colours)
        return Planes((y[y0:y1, x0:x1], cb, cr), self._colours)

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Image:
        """RGB of the pixels where these rows and columns cross."""
        y, *colours = self._planes
        some = [_crossing(c, rows // 2, columns // 2) for c in colours]
        return _mixture([_crossing(y, rows, columns), *some], self._colours.to_rgb)

    def _enlarged(self, plane: Image) -> Image:
        height, width, _ = self.shape
        if plane.shape == (height, width):
            return plane
        return plane.repeat(2, 0).repeat(2, 1)[:height, :width]


Picture = Image | Planes
# What a program may give us: OpenCV's own types say no more than this of what it returns.
Given = NDArray[np.integer[Any] | np.floating[Any]] | Planes


def checked(given: object) -> Picture:
    """Ready to be read. Raises ValueError for what is neither uint8 (H, W, 3) nor ours."""
    if isinstance(given, Planes):
        return given
    if not isinstance(given, np.ndarray):
        raise ValueError(f"image is a {type(given).__name__}, expected uint8 (H, W, 3) RGB")
    if given.dtype != np.uint8 or given.ndim != 3 or given.shape[2] != 3 or not given.size:
        raise ValueError(f"image is {given.dtype} {given.shape}, expected uint8 (H, W, 3) RGB")
    packed = given.strides[0] > 0 and given.strides[1:] == (3, 1)
    return given if packed else np.ascontiguousarray(given)  # or OpenCV copies it at every use


def _mixture(planes: Sequence[Image], weights: NDArray[np.float64]) -> Image:
    import cv2  # late: `import tracker` alone stays quick

    together = planes[0] if len(planes) == 1 else cv2.merge(planes)
    return np.asarray(cv2.transform(together, weights), np.uint8)


def as_rgb(picture: Picture) -> Image:
    """All of it, (H, W, 3)."""
    return picture.rgb() if isinstance(picture, Planes) else picture


def part(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> Picture:
    """Pixels x0 <= x < x1, y0 <= y < y1, not copied."""
    if isinstance(picture, Planes):
        return picture.part(x0, y0, x1, y1)
    return picture[y0:y1, x0:x1]


def pixels_at(picture: Picture, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Image:
    """(rows, columns, 3): the pixels where these rows and columns cross."""
    if isinstance(picture, Planes):
        return picture.at(rows, columns)
    return _crossing(picture, rows, columns)


def _crossing(image: Image, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Image:
    """Rows lie together in memory; of a column every pixel costs as much as LINE of a row."""
    if len(rows) * len(columns) < FEW:
        return image[rows[:, None], columns]
    if image.shape[1] * len(rows) > LINE * image.shape[0] * len(columns):
        return image.take(columns, 1).take(rows, 0)
    return image.take(rows, 0).take(columns, 1)
