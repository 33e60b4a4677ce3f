"""A film played by its own clock, as if it were a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from tracker.handoff import Pause
from tracker.sound import Sound
from tracker.sources.base import Source
from tracker.values import Frame


class Live:
    """Gives each frame when its time has come; time does not wait for whoever reads slowly.

    Times and numbers of the frames stay the film's; `arrived` is when a frame was due. Decoding
    that is slower than the film makes it play slower.
    """

    live = True

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pause = Pause()
        self.report = source.report
        self.expected: int | None = None  # some frames will be dropped

    def sound(self) -> Sound | None:
        return self._source.sound()

    def give_up(self) -> None:
        self._pause.end()

    def __iter__(self) -> Iterator[Frame]:
        zero: float | None = None  # s on the monotonic clock, at pts 0
        for frame in self._source:
            if zero is None:
                zero = time.monotonic() - frame.pts
            if not self._pause(zero + frame.pts - time.monotonic()):
                return
            yield replace(frame, arrived=time.monotonic())
