"""Work in a thread of its own, and how it ends with the program."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE = 2.0  # s that closing waits for the work under way


class Aside(Generic[T]):
    """A thread that does one piece of work after another, in the order of asking.

    An executor of Python's takes no more work once the main thread has come to its end, though
    other threads of the program may go on.
    """

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False
        atexit.register(self.close)  # in the middle of a network, Python's end aborts the process

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """What `work` gives or raises, once it has been done. Raises RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError(f"the thread {self._thread.name!r} is closed")
        if self._thread.ident is None:
            self._thread.start()
        future: Future[T] = Future()
        self._work.put((future, work))
        return future

    def close(self) -> None:
        """What is under way is done, what waits is cancelled. Calling twice is harmless."""
        self._closed = True
        with suppress(Empty):
            while waiting := self._work.get_nowait():
                waiting[0].cancel()
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(PATIENCE)
        atexit.unregister(self.close)

    def _run(self) -> None:
        while self._do(self._work.get()):  # and nothing of it is held until the next
            pass

    def _do(self, asked: tuple[Future[T], Callable[[], T]] | None) -> bool:
        if asked is None:
            return False
        future, work = asked
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as wrong:  # carried to whoever asks for the result
                future.set_exception(wrong)
        return True
