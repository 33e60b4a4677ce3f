"""Ctrl-C, or being told to end, between two frames, never inside a row."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # a job's time that is up comes as the second


class Interrupt:
    """The first Ctrl-C or SIGTERM waits for `check`; a second one, should a source hang, is
    immediate.

    For the main thread only: Python delivers signals to no other.
    hurry: called on the first, so that whatever waits comes to a `check`.
    """

    def __init__(self, hurry: Callable[[], None] = lambda: None) -> None:
        self._hurry = hurry
        self._asked = False
        self._before: list[Any] = []

    def __enter__(self) -> Interrupt:
        self._before = [signal.signal(number, self._ask) for number in SIGNALS]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)

    def check(self) -> None:
        """Raises KeyboardInterrupt if one of them came since."""
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._hurry()
