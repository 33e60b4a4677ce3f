"""Films through PyAV: every decodable frame, at the container's own presentation time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tracker.sources.base import ALL, Report, SourceError, Span
from tracker.sources.opened import (
    PATIENCE,
    Opened,
    describe,
    doubts,
    pixel_aspect,
    reason,
    upright,
)
from tracker.sources.soundtrack import SoundTrack
from tracker.values import Frame

ASSUMED_RATE = 25.0  # frames/s, where neither frames nor stream name any: the PAL rate
SLACK = 1.0  # s by which a film may end before the announced time without a remark
EARLY = 1e-6  # s; rounding of a time given with six decimals


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
                if due <= pts + EARLY:  # a gap in time: go on from here
                    due += self._span.every * (1 + (pts + EARLY - due) // self._span.every)
            picture = upright(to_rgb, decoded, self._aspect)
            if not self.report.frames:  # the boxes are of this size; the stream's is unturned
                self.report.about[0] |= {"width": picture.shape[1], "height": picture.shape[0]}
                for doubt in doubts(decoded):
                    self.report.note(f"{self._name}: {doubt}")
            self.report.frames += 1
            yield Frame(index, pts, time.monotonic(), picture, self._name)
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
