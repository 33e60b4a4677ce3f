"""Films through PyAV: every decodable frame, at the container's own presentation time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tracker.sources.base import ALL, Report, SourceError, Span
from tracker.sources.soundtrack import SoundTrack, describe_sound
from tracker.values import Frame, Image

ASSUMED_RATE = 25.0  # frames/s, where neither frames nor stream name any: the PAL rate
SLACK = 1.0  # s by which a film may end before the announced time without a remark
ASPECTS = (0.25, 4.0)  # width of a pixel by its height; beyond, a header is wrong
SQUARE = 0.02  # by which a pixel may differ from a square; phones round
EARLY = 1e-6  # s; rounding of a time given with six decimals
PATIENCE = 5.0  # s without an answer after which a network address is given up


class Film:
    """One video stream of one file, or of what a network address gives.

    place: a file, or a URL, of which only `name` is told on.

    A frame without a time (raw streams) gets one from the stream's nominal rate, and a note.
    Undecodable packets are counted and skipped. Raises SourceError if there is no video stream
    or not one frame can be decoded.
    """

    live = False

    def __init__(self, name: str, place: Path | str, span: Span = ALL) -> None:
        self._name = name
        self._place = place
        self._span = span
        self._untimed = 0
        self._explained = False  # why there are errors
        self.report = Report()
        self.expected: int | None = None
        with self._opened() as (container, stream):
            about = _place(name, place) | describe(container, stream)
            self.report.about.append(about)
            self._aspect = pixel_aspect(stream)
            if span == ALL:
                self.expected = stream.frames or None

    def __iter__(self) -> Iterator[Frame]:
        to_rgb = VideoReformatter()  # one for the whole run: it keeps its tables
        due: float | None = None
        for index, (pts, decoded) in enumerate(self._timed()):
            if due is not None and pts < due - EARLY:
                continue
            if self._span.every:
                due = (pts if due is None else due) + self._span.every
                while due <= pts + EARLY:  # a gap in time: go on from here
                    due += self._span.every
            image = upright_rgb(to_rgb, decoded, self._aspect)
            if not self.report.frames:  # the boxes are of this size; the stream's is unturned
                self.report.about[0] |= {"width": image.shape[1], "height": image.shape[0]}
            self.report.frames += 1
            yield Frame(index, pts, time.monotonic(), image, self._name)
        self._conclude()

    def sound(self) -> SoundTrack:
        patience = None if isinstance(self._place, Path) else PATIENCE
        return SoundTrack(self._name, self._place, self.report, patience)

    def _opened(self) -> Opened:
        return Opened(self._name, self._place)

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames of the span with their times in seconds."""
        start, end = self._span.start, self._span.end
        with self._opened() as (container, stream):
            if start is not None and stream.time_base is not None and start > 0:
                container.seek(int(start / stream.time_base), stream=stream, backward=True)
            rate = float(stream.average_rate or stream.guessed_rate or ASSUMED_RATE)
            last = longest = 0.0
            back = 0  # steps back, as where two recordings were joined
            first = True
            for decoded in self._decoded(container, stream):
                pts = self._time(decoded, last, rate, first)
                if not first:
                    longest = max(longest, pts - last)
                    back += pts < last - EARLY
                last, first = pts, False
                if start is not None and pts < start - EARLY:
                    continue
                if end is not None and pts >= end - EARLY:
                    return
                yield pts, decoded
            self._check_the_end(stream, last, SLACK + 2 * longest)
        if back:
            self.report.note(
                f"{self._name}: its time steps back, {back} time{'s' * (back > 1)}; "
                f"the rows are in the order of the frames"
            )
        if self._untimed:
            self.report.about[0]["assumed_rate"] = rate
            self.report.note(
                f"{self._name}: {self._untimed} frames carry no time; "
                f"their timestamps assume {rate:g} frames/s"
            )

    def _time(self, decoded: VideoFrame, last: float, rate: float, first: bool) -> float:
        if decoded.pts is not None and decoded.time_base is not None:
            return float(decoded.pts * decoded.time_base)
        self._untimed += 1
        return 0.0 if first else last + 1 / rate

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, ValueError) as wrong:
                self.report.errors += 1
                self._explain(f"reading stopped ({reason(wrong)})")
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                self.report.errors += 1
                continue
            for decoded in frames:
                if decoded.is_corrupt:
                    self.report.errors += 1
                yield decoded

    def _check_the_end(self, stream: VideoStream, last: float, slack: float) -> None:
        """A cut-off file often ends without any error; only the announced length tells."""
        announced = _announced_end(stream)
        if announced is None or last + slack >= announced or not self.report.frames:
            return
        self.report.errors += 1
        self._explain(
            f"the film is cut off: it announces {announced:.3f} s, "
            f"its last frame is at {last:.3f} s"
        )

    def _explain(self, what: str) -> None:
        self._explained = True
        self.report.note(f"{self._name}: {what}")

    def _conclude(self) -> None:
        report = self.report
        if report.frames:
            if report.errors and not self._explained:
                report.note(f"{self._name}: {report.errors} damaged packets or frames")
            return
        report.notes.clear()
        if report.errors:
            raise SourceError(f"{self._name}: no frame can be decoded (damaged or encrypted)")
        if self._span.start is not None or self._span.end is not None:
            first, last = (
                otherwise if at is None else f"{at:g} s"
                for at, otherwise in ((self._span.start, "its start"), (self._span.end, "its end"))
            )
            raise SourceError(f"{self._name}: no frame between {first} and {last}")
        raise SourceError(f"{self._name}: the video stream holds no frames")


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


def upright_rgb(to_rgb: VideoReformatter, decoded: VideoFrame, aspect: float) -> Image:
    """As it is meant to be seen. PyAV hands out pixels as they are stored: unrotated (`rotation`
    is in degrees, anticlockwise), and `aspect` times as wide as high."""
    width = round(decoded.width * aspect)
    # threads: the work of one; more cost time
    rgb = to_rgb.reformat(decoded, width=width, format="rgb24", threads=1)
    image = np.asarray(rgb.to_ndarray(), np.uint8)
    turns = round(decoded.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _announced_end(stream: VideoStream) -> float | None:
    """s on the container's clock, or None where only the whole container has a length."""
    base = stream.time_base
    if stream.duration and base:
        return float(((stream.start_time or 0) + stream.duration) * base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:00:02.933000000
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _place(name: str, place: Path | str) -> dict[str, Any]:
    if isinstance(place, Path):
        return {"kind": "film", "name": place.name, "path": place}
    return {"kind": "url", "name": name}


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
