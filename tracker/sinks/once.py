"""Tables of a run that somebody watches: written while they record, each frame once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Protocol

from tracker.values import Step


class Written(AbstractContextManager[object], Protocol):
    def write(self, step: Step) -> None: ...


class Once:
    """Passes on each frame the first time that it comes while `wanted`.

    open_sinks: called when the first frame is wanted; what it gives is closed with this.
    wanted: asked at every frame.
    """

    def __init__(
        self, open_sinks: Callable[[], Sequence[Written]], wanted: Callable[[], bool]
    ) -> None:
        self._open_sinks = open_sinks
        self._wanted = wanted
        self._stack = ExitStack()
        self._sinks: Sequence[Written] | None = None
        self._seen = bytearray()  # 1 where the frame of that index is written

    def begin(self) -> None:
        """Another input follows, whose frames are counted anew."""
        self._seen = bytearray()

    def __enter__(self) -> Once:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, step: Step) -> None:
        if not self._wanted() or not self._first_time(step):
            return
        if self._sinks is None:
            self._sinks = self._open_sinks()
            for sink in self._sinks:
                self._stack.enter_context(sink)
        for sink in self._sinks:
            sink.write(step)

    def _first_time(self, step: Step) -> bool:
        index = step.result.index
        missing = index + 1 - len(self._seen)
        if missing > 0:
            self._seen.extend(bytes(missing))
        if self._seen[index]:
            return False
        self._seen[index] = 1
        return True
