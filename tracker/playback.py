"""A source that somebody watches: paused, moved about in, marked. Read `play` first.

A film keeps its own pace, and waits where reading is slower than that. What was read once stays
as it was read: whoever goes back sees it again, and nothing is read twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from tracker.handoff import Waiting
from tracker.pipeline import Tracker
from tracker.remote import Remote
from tracker.run import listening, paced
from tracker.sound import Sound
from tracker.sources import ALL, Report, Source, SourceError, Span
from tracker.values import Frame, FrameResult, Step

BREAK = 2  # step of the frame count where a viewer has moved: the gap says so


def play(
    first: Source,
    open_part: Callable[[Span], Source],
    tracker: Tracker,
    remote: Remote,
    span: Span = ALL,
    *,
    stay: bool,
) -> Generator[Step, None, None]:
    """Steps of one input as they are to be shown; going back gives the first reading again.

    first: all of the span. open_part: part of it, anew.
    stay: at the end of a film wait for the viewer to go back or to leave.
    """
    source = first
    remote.live = first.live
    remote.extent = None if first.live else _extent(first.report, span)
    shown = _Shown()
    try:
        while True:
            try:
                yield from _steps(source, tracker, remote, shown)
            except SourceError as wrong:  # after the first opening: there is nothing over there
                if source is first:
                    raise
                remote.told.append(str(wrong))
            if source is not first:
                first.report.errors = max(first.report.errors, source.report.errors)
                worst = max(first.report.sound_errors, source.report.sound_errors)
                first.report.sound_errors = worst
            remote.at_end = stay and not first.live
            remote.wait(lambda: not remote.at_end)
            remote.at_end = False
            target = remote.take_target()
            if remote.stopped or target is None:
                return
            source = open_part(replace(span, start=target))
            shown.moved()
    finally:
        _leave(first, shown, remote)


def _steps(source: Source, tracker: Tracker, remote: Remote, shown: _Shown) -> Iterator[Step]:
    """One way through a source, until its end or until the viewer wants something else."""
    at_its_pace = _AtItsPace(source, remote)
    with listening(source, tracker), paced(at_its_pace, tracker) as frames:
        remote.attach(frames.close)
        moved_here = shown.moves > 0
        for frame, seen in frames:
            remote.dropped = source.report.dropped = frames.dropped
            shown.tell(source.report, remote)
            known = shown.find(frame)
            if known is None:
                known = _noted(tracker.take(shown.numbered(frame), seen), remote)
                if not source.live:
                    shown.keep(known)
            if not moved_here:  # whoever moves while paused wants to see where to
                remote.wait(lambda: source.live or not remote.paused)
            moved_here = False
            if remote.interrupted:
                return
            yield Step(frame, known)
        shown.ended = shown.ended or not remote.interrupted
        shown.tell(source.report, remote)


class _AtItsPace:
    """A film's frames when their time has come; a live source's while nobody has paused it."""

    def __init__(self, source: Source, remote: Remote) -> None:
        self.live = source.live
        self.report = source.report
        self.expected = source.expected
        self._source = source
        self._remote = remote

    def sound(self) -> Sound | None:
        return self._source.sound()

    def give_up(self) -> None:
        if isinstance(self._source, Waiting):
            self._source.give_up()

    def __iter__(self) -> Iterator[Frame]:
        zero: float | None = None  # s on the monotonic clock, at pts 0
        for frame in self._source:
            if self.live:
                if not self._remote.paused:
                    yield frame
                continue
            earliest = time.monotonic() - frame.pts
            if zero is None or zero < earliest:  # late: no hurry to make up for it
                zero = earliest
            else:
                self._wait(zero + frame.pts)
            yield replace(frame, arrived=time.monotonic())

    def _wait(self, due: float) -> None:
        """due: s on the monotonic clock."""
        self._remote.wait(lambda: not self._remote.paused and time.monotonic() >= due)


class _Shown:
    """The results of a film so far, by time; frames of equal time by their order."""

    def __init__(self) -> None:
        self.moves = 0
        self.ended = False  # the end has been seen
        self._results: dict[tuple[float, int], FrameResult] = {}
        self._count = -1  # highest number given to a frame
        self._read = self._key = (0.0, 0)  # of the frame that was read last; of the one at hand
        self._last: Frame | None = None  # before the one at hand, as the source numbers them
        self._step = 0
        self._told = 0  # notes of the source

    def tell(self, report: Report, remote: Remote) -> None:
        """What the source says of itself, as that it is cut off, is for the viewer too; once."""
        if not self.moves:
            remote.told.extend(report.notes[self._told :])
            self._told = len(report.notes)

    def moved(self) -> None:
        self.moves += 1
        self._last = None

    def find(self, frame: Frame) -> FrameResult | None:
        """What was read of a frame when it was first shown."""
        goes_on = self._last is not None and self._key == self._read
        self._step = frame.index - self._last.index if self._last and goes_on else BREAK
        again = self._last is not None and frame.pts == self._last.pts
        self._key = (frame.pts, self._key[1] + 1 if again else 0)
        self._last = frame
        return self._results.get(self._key) if self.moves else None

    def numbered(self, frame: Frame) -> Frame:
        """With a number of its own: after a move the source counts from anywhere."""
        self._count = self._count + self._step if self.moves else frame.index
        self._read = self._key
        return replace(frame, index=self._count)

    def keep(self, result: FrameResult) -> None:
        self._results[self._key] = result


def _noted(result: FrameResult, remote: Remote) -> FrameResult:
    note = remote.take_note() if remote.recording else None
    return result if note is None else replace(result, note=note)


def _extent(report: Report, span: Span) -> tuple[float, float] | None:
    """First and last moment that there is to see, s; None if the container does not say."""
    about = report.about[0]
    start, duration = about.get("video_start") or 0.0, about.get("duration")
    if not duration:
        return None
    end = start + duration
    return max(start, span.start or start), end if span.end is None else min(end, span.end)


def _leave(first: Source, shown: _Shown, remote: Remote) -> None:
    """What the table cannot tell."""
    report = first.report
    name = report.about[0]["name"] if report.about else "source"
    report.left = not (first.live or shown.ended)
    if shown.moves:
        times = "once" if shown.moves == 1 else f"{shown.moves} times"
        report.note(
            f"{name}: its viewer went to another time {times}; "
            f"the rows are in the order of reading, each frame once"
        )
    for note in iter(remote.take_note, None):
        report.note(f"{name}: a note on {note.pts:.3f} s came after the last row: {note.text}")
