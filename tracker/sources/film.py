"""Films through PyAV: every decodable frame, at the container's own presentation time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.picture import Picture
from tracker.sources.base import ALL, Report, SourceError, Span
from tracker.sources.clock import EARLY, Clock
from tracker.sources.decoding import Decoding
from tracker.sources.opened import (
    PATIENCE,
    Opened,
    describe,
    films_in,
    reason,
)
from tracker.sources.soundtrack import SoundTrack
from tracker.sources.upright import Upright, doubts, pixel_aspect
from tracker.values import Frame

SLACK = 1.0  # s by which a film may end before the announced time without a remark


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
        self._explained = False  # why there are errors
        self._resized = False  # whether it was said that the pictures' size changes
        self.report = Report()
        self.expected: int | None = None
        with self._opened() as (container, stream):
            about = _place(name, place) | describe(container, stream)
            self.report.about.append(about)
            self._aspect = pixel_aspect(stream)
            # Where it is the pictures that say it, a broadcast may change it between programmes.
            aspects = stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio
            self._aspect_changes = aspects[0] == aspects[1]
            if (streams := len(films_in(container))) > 1:
                number = container.streams.video.index(stream) + 1
                self.report.note(f"{name}: {streams} video streams in it; number {number} is read")
            if span == ALL:
                self.expected = stream.frames or None

    def __iter__(self) -> Iterator[Frame]:
        upright = Upright()
        try:
            for index, pts, decoded in self._wanted():
                try:
                    picture = upright(decoded, self._aspect)
                except av.FFmpegError as wrong:
                    kind = f"pictures of the kind {decoded.format.name} cannot be read"
                    raise SourceError(f"{self._name}: {kind} ({reason(wrong)})") from wrong
                self._describe(pts, picture, decoded)
                self.report.frames += 1
                yield Frame(index, pts, time.monotonic(), picture, self._name)
        finally:  # whoever leaves early has rows, too, of which it is true
            self._count_damage()
        if not self.report.frames:
            self._refuse()

    def sound(self) -> SoundTrack:
        patience = None if isinstance(self._place, Path) else PATIENCE
        return SoundTrack(self._name, self._place, self.report, patience)

    def _opened(self) -> Opened:
        return Opened(self._name, self._place)

    def _describe(self, pts: float, picture: Picture, decoded: VideoFrame) -> None:
        """What the first frame says of the others, and which one differs from it in size."""
        height, width, _ = picture.shape
        about = self.report.about[0]
        if not self.report.frames:  # the boxes are of this size; the stream's is unturned
            about |= {"width": width, "height": height}
            for doubt in doubts(decoded):
                self.report.note(f"{self._name}: {doubt}")
        elif not self._resized and (width, height) != (about["width"], about["height"]):
            self._resized = True
            self.report.note(
                f"{self._name}: from {pts:.3f} s on its pictures are {width} x {height} px; "
                f"boxes are in px of the picture that they are in"
            )

    def _wanted(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Frames of the span as far apart as is asked for, each with its number in the span."""
        every = self._span.every
        last, due = math.inf, 0.0  # s
        for index, (pts, decoded) in enumerate(self._timed()):
            if every:
                if pts < last - EARLY:  # the first, or where time steps back
                    due = pts
                last = pts
                if pts < due - EARLY:
                    continue
                due += every * (math.floor((pts + EARLY - due) / every) + 1)
            yield index, pts, decoded

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames of the span with their times in seconds."""
        start, end = self._span.start, self._span.end
        decoding = Decoding(self._opened, self.report, self._stopped)
        with ExitStack() as films:
            container, stream = decoding.begin(films, start)
            clock = Clock(stream)
            frames = decoding.frames(container, stream)
            if isinstance(self._place, Path):  # what a network lost it does not give again
                frames = chain(frames, decoding.left_behind(clock))
            films.callback(self._doubt, clock)
            for decoded in frames:
                pts = clock(decoded)
                if start is not None and pts < start - EARLY:
                    continue
                if end is not None and pts >= end - EARLY:
                    break
                self.report.errors += decoded.is_corrupt
                if self._aspect_changes:
                    self._aspect = pixel_aspect(stream.codec_context)
                yield pts, decoded
            else:
                self._check_the_end(stream, clock)

    def _check_the_end(self, stream: VideoStream, clock: Clock) -> None:
        """A cut-off file often ends without any error; only the announced length tells."""
        announced, slack = _announced_end(stream), SLACK + 2 * clock.longest
        if announced is None or clock.end + slack >= announced or not self.report.frames:
            return
        self.report.errors += 1
        self._explain(
            f"the film is cut off: it announces {announced:.3f} s, "
            f"its last frame is at {clock.last:.3f} s"
        )

    def _doubt(self, clock: Clock) -> None:
        """What is to be said of the times."""
        if clock.back:
            self.report.note(
                f"{self._name}: its time steps back, {clock.back} time{'s' * (clock.back > 1)}; "
                f"the rows are in the order of the frames"
            )
        if clock.decoding:
            self.report.note(
                f"{self._name}: its container does not say when frames are shown; the times of "
                f"{clock.decoding} are those of decoding, a few frames off"
            )
        if clock.untimed:
            self.report.about[0]["assumed_rate"] = clock.rate
            self.report.note(
                f"{self._name}: {clock.untimed} frames carry no time; "
                f"their timestamps assume {clock.rate:g} frames/s"
            )

    def _stopped(self, wrong: BaseException) -> None:
        if not self._explained:
            self._explain(f"reading stopped ({reason(wrong)})")

    def _explain(self, what: str) -> None:
        self._explained = True
        self.report.note(f"{self._name}: {what}")

    def _count_damage(self) -> None:
        if self.report.errors and not self._explained:
            self._explain(f"{self.report.errors} damaged packets or frames")

    def _refuse(self) -> NoReturn:
        """Not one frame was read: one line says why, and the others are dropped."""
        self.report.notes.clear()
        if self.report.errors:
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
