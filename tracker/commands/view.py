"""A run with a window in front of it: the run goes on in a thread of its own, the window never
waits for it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from tracker.commands.neutral_capture import NeutralCapture
from tracker.handoff import Handoff, background
from tracker.options import Options
from tracker.pipeline import Tracker
from tracker.playback import play
from tracker.remote import Remote
from tracker.run import Sink
from tracker.sinks.once import Once
from tracker.sinks.sidecar import beside
from tracker.sources import Source, Span
from tracker.values import FrameResult, Step

RESULTS = 10_000  # results that may wait for the window, five minutes of them; then the oldest go
PATIENCE = 600.0  # s for the last frame and the sidecar, which takes the sums of the inputs
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")  # one of them names a screen


class NoWindow(RuntimeError):
    """A window was asked for and cannot be. The message says what to do."""


def wants_window(given: argparse.Namespace) -> bool:
    """Whether a run is to be watched; what it is watched with is then there.

    A camera is, wherever there is a screen. Raises NoWindow if one was asked for and cannot be.
    """
    if given.show:
        _need_window()
        return True
    if given.webcam is None or given.no_window:
        return False
    try:
        _need_window()
    except NoWindow as why:
        print(f"emotrack: {why}; going on without", file=sys.stderr)
        return False
    return True


def _need_window() -> None:
    """Raises NoWindow if the extra is not installed or there is no screen.

    From here on the process has a Qt application; where the screen that is named cannot be opened
    Qt ends it, with one line of ours.
    """
    try:
        from tracker.gui.application import open_application
    except ImportError as missing:
        raise NoWindow(str(missing)) from None
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in SCREENS):
        raise NoWindow("no window can be opened: no screen here (DISPLAY is not set)")
    open_application()


class _Warnings(logging.Handler):
    def __init__(self, remote: Remote) -> None:
        super().__init__(logging.WARNING)
        self._remote = remote

    def emit(self, record: logging.LogRecord) -> None:
        self._remote.told.append(record.getMessage())


@contextmanager
def _told(remote: Remote) -> Iterator[None]:
    """Warnings, as of a camera that was pulled out, are for the viewer too."""
    log, warnings = logging.getLogger("tracker"), _Warnings(remote)
    log.addHandler(warnings)
    try:
        yield
    finally:
        log.removeHandler(warnings)


class View:
    """What a run needs to be watched.

    outputs: format -> file; none: one is named when the viewer begins to record.
    recording: whether that is so from the beginning.
    """

    def __init__(
        self, outputs: Mapping[str, str], tracker: Tracker, options: Options, *, recording: bool
    ) -> None:
        self.remote = Remote(recording=recording)
        self._outputs = dict(outputs)
        self._named = recording
        self._tracker = tracker
        self._once: Once | None = None
        self._capture = NeutralCapture(tracker, self.remote, options, self._profile_place)

    @property
    def closed(self) -> bool:
        """Nobody watches any more."""
        return self.remote.stopped

    def play(
        self, source: Source, open_part: Callable[[Span], Source], span: Span, *, last: bool
    ) -> Iterator[Step]:
        """The steps of one input. last: none follows, so at its end the run waits."""
        if self._once is not None:
            self._once.begin()
        self._capture.begin(source)
        for step in play(source, open_part, self._tracker, self.remote, span, stay=last):
            self._capture.add(step.result)
            yield step

    def sinks(self, open_sinks: Callable[[Mapping[str, str]], Sequence[Sink]]) -> list[Sink]:
        """What writes while the viewer records."""
        self._once = Once(lambda: self._opened(open_sinks), self._wanted)
        return [self._once]

    def show(self, steps: Generator[Step, None, None], check: Callable[[], None]) -> None:
        """Until the window is closed, or an error ends the run.

        check: called often, in this thread; may raise.
        """
        from tracker.gui.application import open_application
        from tracker.gui.window import Window

        application = open_application()
        results: Handoff[FrameResult] = Handoff(RESULTS, drop_oldest=True)

        ended: list[Exception] = []  # what went wrong, perhaps after the window was closed

        def heard() -> Iterator[Step]:
            try:
                with closing(steps) as going:
                    for step in going:
                        results.put(step.result)
                        try:
                            yield step
                        except GeneratorExit:  # the remote is stopped: the run ends by itself
                            deque(going, maxlen=0)
                            raise
            except Exception as wrong:
                ended.append(wrong)
                raise

        with background(heard(), capacity=1, drop_oldest=True, patience=PATIENCE) as pictures:
            try:
                window = Window(self.remote, pictures, results, place=self._place, check=check)
                window.show()
                with _told(self.remote):
                    application.exec()
            finally:
                self.remote.stop()
        for wrong in (window.failure, *ended):
            if wrong is not None:
                raise wrong

    def _wanted(self) -> bool:
        remote = self.remote
        if remote.recording and not self._named and not os.access(Path.cwd(), os.W_OK):
            remote.recording = False
            remote.told.append(f"{Path.cwd()}: no table can be written here")
        return remote.recording

    def _opened(self, open_sinks: Callable[[Mapping[str, str]], Sequence[Sink]]) -> Sequence[Sink]:
        if not self._named:
            self._outputs["csv"] = f"emotrack_{datetime.now():%Y-%m-%d_%H%M%S}.csv"
        self.remote.told.append(f"Recording to {', '.join(self._outputs.values())}")
        return open_sinks(self._outputs)

    def _table(self) -> Path | None:
        named = (Path(target) for target in self._outputs.values() if beside(target))
        return next(named, None)

    def _place(self, pts: float) -> Path | None:
        """Where a snapshot goes: beside the table. None: there is none, so ask."""
        table = self._table()
        return table and table.with_name(f"{table.stem}.{pts:.3f}s.png")

    def _profile_place(self) -> Path | None:
        table = self._table()
        return table and table.with_suffix(".profile.json")
