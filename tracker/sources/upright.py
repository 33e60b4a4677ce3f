"""A decoder's frames as the pictures that a film shows: upright, mirrored, as wide as meant."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from tracker.picture import Colours, Image, Picture, Planes

ASPECTS = (0.25, 4.0)  # width of a pixel by its height; beyond, a header is wrong
SQUARE = 0.02  # by which a pixel may differ from a square; phones round
HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics, by their numbers in ITU-T H.273
BY_PLANES = ("yuv420p", "yuvj420p")  # pixel formats that `Planes` can stand for
LUMA = {1: (0.2126, 0.0722), 2: (0.299, 0.114), 5: (0.299, 0.114), 6: (0.299, 0.114)}
# weights of R and B in Y', by matrix coefficients as numbered in H.273; 2, unspecified, is read
# as BT.601, as swscale does
MATRICES = (0, 1, 2, 4, 5, 6, 7, 9)  # that swscale knows; it refuses the others
INSTEAD = {10: Colorspace.BT2020}  # with constant luminance: nearly the same
FULL_RANGE = 2  # FFmpeg's number for 0..255


class _Way(NamedTuple):
    """From a picture as it is stored to how it is shown."""

    crossed: bool = False  # rows become columns
    rows: int = 1  # -1: from the last to the first
    columns: int = 1


AS_STORED = _Way()


class Upright:
    """Makes the pictures of one film. PyAV hands out pixels as they are stored: neither turned nor
    mirrored.
    """

    def __init__(self) -> None:
        self._to_rgb = VideoReformatter()  # one for the whole run: it keeps its tables
        self._ways: dict[int, _Way] = {}  # by the rotation in them

    def __call__(self, decoded: VideoFrame, aspect: float = 1.0) -> Picture:
        """aspect: width of a pixel by its height."""
        way = self._way(decoded)
        even = decoded.width % 2 == decoded.height % 2 == 0
        known = decoded.format.name in BY_PLANES and decoded.colorspace in LUMA
        as_shown = even and aspect == 1 and way == AS_STORED
        # Some decoders keep pictures bottom up, with lines of negative length.
        if not (known and as_shown and all(plane.line_size > 0 for plane in decoded.planes)):
            return self._turned(decoded, way, aspect)
        y, cb, cr = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
            for plane in decoded.planes
        )
        full = decoded.format.name == "yuvj420p" or decoded.color_range == FULL_RANGE
        # Whoever wants all of it may be another thread: one reformatter must not serve two.
        return Planes(
            (y, cb, cr),
            _colours(decoded.colorspace, full),
            lambda: _rgb(VideoReformatter(), decoded, decoded.width),
        )

    def _way(self, decoded: VideoFrame) -> _Way:
        """Looked up once: a frame that was asked for its side data is not freed at once."""
        rotation = decoded.rotation
        if rotation not in self._ways:
            self._ways[rotation] = _way(decoded)
        return self._ways[rotation]

    def _turned(self, decoded: VideoFrame, way: _Way, aspect: float) -> Image:
        image = _rgb(self._to_rgb, decoded, max(1, round(decoded.width * aspect)))
        if way.crossed:
            image = image.transpose(1, 0, 2)
        return np.ascontiguousarray(image[:: way.rows, :: way.columns])


def pixel_aspect(said: VideoStream | VideoCodecContext) -> float:
    """Width of a pixel by its height: 1.0, but for DVDs, HDV and the like."""
    aspect = float(said.sample_aspect_ratio or 1)
    least, most = ASPECTS
    return aspect if least <= aspect <= most and abs(aspect - 1) > SQUARE else 1.0


def doubts(decoded: VideoFrame) -> list[str]:
    """What of a film's pictures is not read as it is meant to be seen."""
    found = []
    if decoded.color_trc in HDR:
        found.append(f"its colours are HDR ({HDR[decoded.color_trc]}), read as if they were not")
    if decoded.interlaced_frame:
        found.append("it is interlaced; moving edges are read with their combs")
    if instead := _matrix_instead(decoded):
        kind = f"its colours are of a rare kind (matrix {decoded.colorspace})"
        found.append(f"{kind}, read as {instead.name}")
    return found


def _way(decoded: VideoFrame) -> _Way:
    """By the display matrix: x to the right becomes (a, b) in what is shown, y downwards (c, d)."""
    found: Any = decoded.side_data.get("DISPLAYMATRIX")  # PyAV does not say of what type it is
    if found is None:
        return AS_STORED
    a, b, _, c, d, *_ = np.frombuffer(memoryview(found), np.int32).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _Way(False, -1 if d < 0 else 1, -1 if a < 0 else 1)
    return _Way(True, -1 if b < 0 else 1, -1 if c < 0 else 1)


@cache
def _colours(colorspace: int, full: bool) -> Colours:
    """By ITU-T H.273, 8.3.

    swscale, by which everybody else sees films, cuts every product off to a whole number. Half a
    level for each is taken off here too, or readings would differ from those of the same film
    decoded elsewhere.
    """
    red, blue = LUMA[colorspace]
    green = 1 - red - blue
    luma, colour, black = (1.0, 1.0, 0.0) if full else (255 / 219, 255 / 224, 16.0)
    to_rgb = np.array(
        [
            [luma, 0, 2 * (1 - red) * colour],
            [
                luma,
                -2 * (1 - blue) * blue / green * colour,
                -2 * (1 - red) * red / green * colour,
            ],
            [luma, 2 * (1 - blue) * colour, 0],
        ]
    )
    cut_off = 0.5 * ((to_rgb != 0) & (to_rgb != 1)).sum(1)
    return Colours.of(np.column_stack([to_rgb, -to_rgb @ (black, 128, 128) - cut_off]))


def _rgb(to_rgb: VideoReformatter, decoded: VideoFrame, width: int) -> Image:
    matrix = _matrix_instead(decoded)
    # threads: the work of one; more cost time
    rgb = to_rgb.reformat(
        decoded,
        width=width,
        format="rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        threads=1,
    )
    return np.asarray(rgb.to_ndarray(), np.uint8)


def _matrix_instead(decoded: VideoFrame) -> Colorspace | None:
    """What is taken for a matrix that nothing here knows; None for one that is known."""
    if decoded.colorspace in MATRICES:
        return None
    return INSTEAD.get(decoded.colorspace, Colorspace.ITU601)
