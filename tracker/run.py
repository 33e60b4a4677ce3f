"""A run: a source, a tracker and sinks, each at its own pace."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from types import TracebackType
from typing import Protocol

from tracker.handoff import Handoff, background
from tracker.pipeline import Seen, Tracker
from tracker.sources import Source
from tracker.values import Frame, Step


class Sink(Protocol):
    """`write` must not wait on anything slower than a local disk."""

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, step: Step) -> None: ...


AHEAD = 8  # frames of a film that were looked at and wait

Looked = tuple[Frame, Seen]  # a frame, and what `Tracker.look` said of it


def looked(frames: Iterable[Frame], tracker: Tracker) -> Iterator[Looked]:
    for frame in frames:
        yield frame, tracker.look(frame)


@contextmanager
def paced(source: Source, tracker: Tracker) -> Iterator[Handoff[Looked]]:
    """Decode and look at the pictures in a thread of their own (which has the scene looked at in
    another): the work of one frame then fills two cores, whichever part of it is the slow one. The
    one place that decides what slow inference costs.

    Every frame of a film matters. Of a camera it is the newest: whatever waits in its driver
    grows old, so one more thread does nothing but empty it, and what is slow (finding faces, or
    reading them) loses frames.
    """
    live = source.live
    with ExitStack() as threads:
        newest: Handoff[Frame] | None = None
        if live:
            newest = threads.enter_context(background(source, capacity=1, drop_oldest=True))
        pairs = looked(source if newest is None else newest, tracker)
        capacity = 1 if live else AHEAD
        yield threads.enter_context(
            background(pairs, capacity=capacity, drop_oldest=live, after=newest)
        )


@contextmanager
def listening(source: Source, tracker: Tracker) -> Iterator[None]:
    """The tracker hears the source's sound, if it listens at all."""
    if not tracker.hears:
        yield
        return
    tracker.listen(source.sound())
    try:
        yield
    finally:
        tracker.listen(None)


def follow(source: Source, tracker: Tracker) -> Generator[Step, None, None]:
    """Steps as they happen. Closing the iterator stops and releases the source."""
    with listening(source, tracker), paced(source, tracker) as frames:
        for frame, seen in frames:
            source.report.dropped = frames.dropped
            yield Step(frame, tracker.take(frame, seen))


def record(
    steps: Generator[Step, None, None], sinks: Sequence[Sink], streams: Sequence[Sink] = ()
) -> Generator[Step, None, None]:
    """Pass steps through, writing each to every sink on the way.

    The first step opens the sinks: a source that gives none leaves no file behind. Streams are
    open before it: other programs may connect while a camera is still looked for. A sink that
    fails ends the run: the source is released before the error goes on.
    """
    with ExitStack() as stack, closing(steps):
        for stream in streams:
            stack.enter_context(stream)
        opened = False
        for step in steps:
            if not opened:
                for sink in sinks:
                    stack.enter_context(sink)
                opened = True
            for sink in (*sinks, *streams):
                sink.write(step)
            yield step
