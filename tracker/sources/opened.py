"""A film's file, opened: its video stream, what it says of itself, and its pictures upright."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tracker.sources.base import SourceError
from tracker.sources.soundtrack import describe_sound
from tracker.values import Image

ASPECTS = (0.25, 4.0)  # width of a pixel by its height; beyond, a header is wrong
SQUARE = 0.02  # by which a pixel may differ from a square; phones round
HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics, by their numbers in ITU-T H.273
PATIENCE = 5.0  # s without an answer after which a network address is given up


class Opened:
    """A container and its first real video stream, closed on the way out.

    options: FFmpeg's, of the protocol. Raises SourceError if there is no video stream.
    """

    def __init__(self, name: str, place: Path | str, options: dict[str, str] | None = None) -> None:
        patience = None if isinstance(place, Path) else PATIENCE
        try:
            self._container = av.open(str(place), options=options, timeout=patience)
        except (av.FFmpegError, OSError, ValueError) as wrong:
            kind = "film" if isinstance(place, Path) else "film or camera"
            raise SourceError(f"{name}: not a readable {kind} ({reason(wrong)})") from wrong
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
    return found


def upright_rgb(to_rgb: VideoReformatter, decoded: VideoFrame, aspect: float) -> Image:
    """As it is meant to be seen. PyAV hands out pixels as they are stored: unrotated (`rotation`
    is in degrees, anticlockwise), and `aspect` times as wide as high."""
    width = round(decoded.width * aspect)
    # threads: the work of one; more cost time
    rgb = to_rgb.reformat(decoded, width=width, format="rgb24", threads=1)
    image = np.asarray(rgb.to_ndarray(), np.uint8)
    turns = round(decoded.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


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
