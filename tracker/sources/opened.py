"""A film's file, opened: its video stream, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tracker.sources.base import SourceError, address
from tracker.sources.soundtrack import describe_sound
from tracker.sources.upright import pixel_aspect

TEXT = "tty"  # FFmpeg's name for what it would draw as a terminal does
PATIENCE = 5.0  # s without an answer after which a network address is given up


class Opened:
    """A container and its main video stream, closed on the way out.

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
        streams = films_in(self._container)
        if not streams:
            pictures = set(self._container.streams.video)
            kinds = {s.type for s in self._container.streams if s not in pictures}
            self._container.close()
            only = ", ".join(sorted(kinds)) or "nothing"
            raise SourceError(f"{name}: no video stream in it, only {only}")
        main = av.stream.Disposition.default
        self._stream = next((s for s in streams if s.disposition & main), streams[0])
        if self._stream.codec_context is None:
            self._container.close()
            raise SourceError(f"{name}: nothing here can decode its video stream")
        self._stream.thread_type = "AUTO"

    def __enter__(self) -> tuple[InputContainer, VideoStream]:
        return self._container, self._stream

    def __exit__(self, *_: object) -> None:
        self._container.close()


def films_in(container: InputContainer) -> list[VideoStream]:
    """Its video streams, less what is a cover's picture."""
    covers = av.stream.Disposition.attached_pic
    return [s for s in container.streams.video if not s.disposition & covers]


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
