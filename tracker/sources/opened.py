"""A film's file, opened: its video stream, what it says of itself, and its pictures upright."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from tracker.picture import Colours, Image, Picture, Planes
from tracker.sources.base import SourceError, address
from tracker.sources.soundtrack import describe_sound

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
TEXT = "tty"  # FFmpeg's name for what it would draw as a terminal does
PATIENCE = 5.0  # s without an answer after which a network address is given up
LEADS = (0.0, 10.0, 60.0)  # s before what is wanted to which is sought, until that is not missed
UNINDEXED = "mpeg"  # FFmpeg's name for program streams: after a seek their times are wrong


class Opened:
    """A container and its first real video stream, closed on the way out.

    options: FFmpeg's, of the protocol. Raises SourceError if there is no video stream.
    """

    def __init__(self, name: str, place: Path | str, options: dict[str, str] | None = None) -> None:
        patience = None if isinstance(place, Path) else PATIENCE
        try:
            self._container = av.open(address(place), options=options, timeout=patience)
        except (av.FFmpegError, OSError, ValueError) as wrong:
            kind = "film" if isinstance(place, Path) else "film or camera"
            raise SourceError(f"{name}: not a readable {kind} ({reason(wrong)})") from wrong
        if self._container.format.name == TEXT:
            self._container.close()
            raise SourceError(f"{name}: not a readable film (it is a text)")
        covers = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & covers]
        if not streams:
            kinds = ", ".join(sorted({s.type for s in self._container.streams})) or "nothing"
            self._container.close()
            raise SourceError(f"{name}: no video stream in it, only {kinds}")
        if streams[0].codec_context is None:
            self._container.close()
            raise SourceError(f"{name}: nothing here can decode its video stream")
        self._stream = streams[0]
        self._stream.thread_type = "AUTO"

    def __enter__(self) -> tuple[InputContainer, VideoStream]:
        return self._container, self._stream

    def __exit__(self, *_: object) -> None:
        self._container.close()


def sought(container: InputContainer, stream: VideoStream, start: float) -> bool:
    """Go to `start` (s), or so far before it that no frame from there on is missed.

    MPEG's streams have no index, and where a seek lands in them is a guess. False: no place was
    found, and the container must be opened anew and read from its beginning.
    """
    if stream.time_base is None or container.format.name == UNINDEXED:
        return False
    for lead in LEADS:
        place = int((start - lead) / stream.time_base)
        try:
            container.seek(place, stream=stream)
            first = next(container.decode(stream), None)
            if first is not None and first.time is not None and first.time <= start:
                container.seek(place, stream=stream)
                return True
        except (av.FFmpegError, ValueError, OverflowError):
            continue
    return False


def pixel_aspect(stream: VideoStream) -> float:
    """Width of a pixel by its height: 1.0, but for DVDs, HDV and the like."""
    aspect = float(stream.sample_aspect_ratio or 1)
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


def upright(to_rgb: VideoReformatter, decoded: VideoFrame, aspect: float) -> Picture:
    """As it is meant to be seen. PyAV hands out pixels as they are stored: unrotated (`rotation`
    is in degrees, anticlockwise), and `aspect` times as wide as high."""
    even = decoded.width % 2 == decoded.height % 2 == 0
    known = decoded.format.name in BY_PLANES and decoded.colorspace in LUMA
    as_shown = even and aspect == 1 and decoded.rotation % 360 == 0
    # Some decoders keep pictures bottom up, with lines of negative length.
    if not (known and as_shown and all(plane.line_size > 0 for plane in decoded.planes)):
        return _upright_rgb(to_rgb, decoded, aspect)
    y, cb, cr = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
        for plane in decoded.planes
    )
    full = decoded.format.name == "yuvj420p" or decoded.color_range == FULL_RANGE
    # Whoever wants all of it may be another thread: one reformatter must not serve two.
    return Planes(
        (y, cb, cr),
        _colours(decoded.colorspace, full),
        lambda: _upright_rgb(VideoReformatter(), decoded, aspect),
    )


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


def _upright_rgb(to_rgb: VideoReformatter, decoded: VideoFrame, aspect: float) -> Image:
    width = round(decoded.width * aspect)
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
    image = np.asarray(rgb.to_ndarray(), np.uint8)
    turns = round(decoded.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _matrix_instead(decoded: VideoFrame) -> Colorspace | None:
    """What is taken for a matrix that nothing here knows; None for one that is known."""
    if decoded.colorspace in MATRICES:
        return None
    return INSTEAD.get(decoded.colorspace, Colorspace.ITU601)


def describe(container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    """For the sidecar: container, codec, size, times in s and rate in frames/s."""
    base = stream.time_base
    start = None if stream.start_time is None or base is None else stream.start_time * base
    return {
        "container": container.format.name,
        "codec": stream.codec_context.codec.canonical_name,
        "width": stream.width,
        "height": stream.height,
        "pixel_aspect": pixel_aspect(stream),
        "duration": None if container.duration is None else container.duration / av.time_base,
        "video_start": None if start is None else float(start),
        "average_rate": None if stream.average_rate is None else float(stream.average_rate),
        **describe_sound(container),
    }


def reason(wrong: BaseException) -> str:
    if isinstance(wrong, av.error.ExitError):  # FFmpeg's word for our patience being at its end
        return f"no answer for {PATIENCE:g} s"
    return getattr(wrong, "strerror", None) or str(wrong) or type(wrong).__name__
