"""Ctrl-C, or being told to end, between two frames, never inside a row."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

# A job's time that is up comes as SIGTERM, a terminal that is closed as SIGHUP (not on Windows).
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupt:
    """The first Ctrl-C, SIGTERM or SIGHUP waits for `check`; a second one, should a source hang,
    is immediate. Under nohup SIGHUP stays ignored.

    For the main thread only: Python delivers signals to no other.
    hurry: called on the first, so that whatever waits comes to a `check`.
    """

    def __init__(self, hurry: Callable[[], None] = lambda: None) -> None:
        self._hurry = hurry
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        for number in (signal.Signals[name] for name in SIGNALS if hasattr(signal, name)):
            if number.name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
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
