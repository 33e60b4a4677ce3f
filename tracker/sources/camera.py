"""A camera, on whatever driver: lost ones are waited for and taken up again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Protocol

from tracker.handoff import Pause
from tracker.picture import Picture
from tracker.sound import Sound
from tracker.sources.base import Report, SourceError
from tracker.values import Frame

AGAIN = 0.5  # s between two attempts to take up a lost camera
log = logging.getLogger(__name__)


class Lost(Exception):
    """The camera gives no more pictures. The text says why, as far as the driver does."""


class Device(Protocol):
    """A camera that is open."""

    about: dict[str, Any]  # for the sidecar: what it is and what it was set to

    def read(self) -> Picture:
        """The next picture, upright; waits for it. Raises Lost."""

    def close(self) -> None: ...


class Camera:
    """Frames with the seconds since the camera was opened, on the monotonic clock.

    open_device: raises SourceError naming the camera if it is not there or in use. Iterating
    raises that for the first attempt only: a camera that was there may come back at any time.
    hear: opens the microphone that belongs to it, if there is one.
    """

    live = True
    expected: int | None = None

    def __init__(
        self,
        name: str,
        open_device: Callable[[], Device],
        hear: Callable[[], Sound | None] = lambda: None,
    ) -> None:
        self.name = name
        self.opened: float | None = None  # s, time.monotonic() at pts 0; None: not yet
        self._last = 0.0  # s, pts of the newest picture
        self.report = Report()
        self._open = open_device
        self._hear = hear
        self._pause = Pause()

    def sound(self) -> Sound | None:
        return self._hear()

    def give_up(self) -> None:
        self._pause.end()

    def __iter__(self) -> Iterator[Frame]:
        device: Device | None = self._open()
        self.opened = time.monotonic()
        gaps: list[tuple[float, float]] = []  # s
        while device is not None:
            with closing(device):
                self.report.about = [device.about | {"gaps": gaps}]
                yield from self._frames(device, len(gaps))
            device = self._found_again()
            if device is not None:
                back = time.monotonic() - self.opened
                gaps.append((round(self._last, 3), round(back, 3)))
                log.warning("%s: back after %.1f s", self.name, back - self._last)

    def _frames(self, device: Device, taken_up: int) -> Iterator[Frame]:
        """Until the camera is lost or nobody wants any more."""
        assert self.opened is not None
        while self._pause(0):
            try:
                image = device.read()
            except Lost as why:
                log.warning("%s: lost (%s); waiting for it", self.name, why)
                return
            now = time.monotonic()
            index, self._last = self.report.frames, now - self.opened
            self.report.frames += 1
            yield Frame(index, self._last, now, image, self.name, taken_up)

    def _found_again(self) -> Device | None:
        """None: nobody waits any more."""
        while self._pause(AGAIN):
            try:
                return self._open()
            except SourceError as wrong:
                log.debug("%s", wrong)
        return None
