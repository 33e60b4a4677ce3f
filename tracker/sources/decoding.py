"""What a film's decoder gives, from any place on to the end, however damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.base import Report
from tracker.sources.clock import Clock

LEADS = (0.0, 10.0, 60.0)  # s before what is wanted to which is sought, until that is not missed
UNINDEXED = "mpeg"  # FFmpeg's name for program streams: after a seek their times are wrong

Film = tuple[InputContainer, VideoStream]


class Decoding:
    """One reading of a film. What cannot be decoded is counted in `report`, and skipped.

    opened: opens the film at its beginning. stopped: told why its end was not reached.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Film]],
        report: Report,
        stopped: Callable[[BaseException], None],
    ) -> None:
        self._opened = opened
        self._report = report
        self._stopped = stopped
        self._latest: int | None = None  # time of what was to be decoded, in the stream's units

    def begin(self, films: ExitStack, start: float | None, threads: int = 0) -> Film:
        """The film, gone to `start` (s) or before it; `films` closes it. threads: 0: as many as
        suit."""
        container, stream = self._open(films, threads)
        if start is not None and start > 0 and not sought(container, stream, start):
            films.close()
            return self._open(films, threads)
        return container, stream

    def frames(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        for packet in self._packets(container, stream):
            if packet.size and packet.pts is not None:
                self._latest = packet.pts if self._latest is None else max(packet.pts, self._latest)
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                self._report.errors += 1
                continue
            yield from frames

    def left_behind(self, clock: Clock) -> Iterator[VideoFrame]:
        """Frames after the last one, decoded once more by a single thread.

        Several threads hold as many frames when a film ends. If one of these is damaged, PyAV
        gives up on those after it.
        """
        last = clock.ticks
        if last is None or clock.back or self._latest is None or self._latest <= last:
            return
        errors = self._report.errors
        with ExitStack() as films:
            for decoded in self.frames(*self.begin(films, clock.last, threads=1)):
                if decoded.pts is not None and decoded.pts > last:
                    yield decoded
        # What is damaged before the last frame has been counted already.
        self._report.errors = errors or min(1, self._report.errors)

    def _open(self, films: ExitStack, threads: int) -> Film:
        container, stream = films.enter_context(self._opened())
        stream.codec_context.thread_count = threads
        return container, stream

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[Packet[VideoStream]]:
        """The last one is empty: for it the decoder gives what it still holds."""
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, ValueError) as wrong:
                self._report.errors += 1
                self._stopped(wrong)
                yield _last(stream)
                return
            yield packet


def _last(stream: VideoStream) -> Packet[Any]:
    packet: Packet[Any] = Packet()
    packet.stream = stream
    if stream.time_base is not None:
        packet.time_base = stream.time_base
    return packet


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
