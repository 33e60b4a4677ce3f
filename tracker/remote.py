"""What somebody who watches a run and the run itself have to say to each other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from tracker.values import Note

POLL = 0.01  # s between two looks at what the viewer wants


class Remote:
    """What the viewer asks of a run, and what the run tells the viewer.

    The viewer's thread calls `mark`, `move` and `stop`, and sets `paused`, `recording` and
    `neutral_wanted`; the run's thread does the rest.
    """

    def __init__(self, *, recording: bool) -> None:
        self.paused = False  # nothing is read, and nothing written
        self.recording = recording  # what is read goes into the tables
        self.stopped = False
        self.extent: tuple[float, float] | None = None  # s, of the film shown; None: no end
        self.live = False  # what is shown is of now, or of nothing
        self.dropped = 0  # frames of a live source that nobody had time for
        self.neutral_wanted = False  # measure the faces at rest from now on
        self.neutral_left: float | None = None  # s that this still takes; None: nobody measures
        self.at_end = False  # the film is over, and waits for the viewer
        self.told: deque[str] = deque()  # lines for the viewer
        self._notes: deque[Note] = deque()
        self._target: float | None = None  # s, where the viewer wants to be
        self._wake: Callable[[], None] = lambda: None  # ends what the run waits for

    def mark(self, pts: float, text: str) -> None:
        """pts: s, the moment that the text is about. It goes to the next row that is written."""
        self._notes.append(Note(pts, text))

    def move(self, pts: float) -> None:
        """Go on from another time of the film, in seconds."""
        self._target = pts
        self._wake()

    def stop(self) -> None:
        """End the run, whatever it waits for."""
        self.stopped = True
        self._wake()

    @property
    def interrupted(self) -> bool:
        """The film is not to go on from where it is."""
        return self.stopped or self._target is not None

    def attach(self, wake: Callable[[], None]) -> None:
        """wake: ends what the run waits for."""
        self._wake = wake
        if self.interrupted:
            wake()

    def take_target(self) -> float | None:
        target, self._target = self._target, None
        return target

    def take_note(self) -> Note | None:
        with suppress(IndexError):
            return self._notes.popleft()
        return None

    def wait(self, done: Callable[[], bool]) -> None:
        """Until `done`, or until the viewer wants something else."""
        while not (done() or self.interrupted):
            time.sleep(POLL)
