"""What the keys of the window do."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMainWindow

from tracker.gui.curves import EmotionPlot
from tracker.gui.footer import Footer
from tracker.gui.keys import Keys
from tracker.gui.overlay import SHOWN
from tracker.gui.picture import Picture
from tracker.remote import Remote
from tracker.values import Step

LAST = 0.1  # s before the end: beyond it there may be no frame to show
ARRIVES = 1.0  # s after a move in which the next jump begins where that one went
JUMP = 5.0  # s that an arrow key goes through a film
MARKER = "marker"  # the note of whoever wrote none


class Controls:
    """Keys and buttons of one window, bound to its remote.

    shown: the step that is drawn. redraw: draws it again.
    place: where a snapshot of a moment (s) goes; None: ask.
    """

    def __init__(
        self,
        window: QMainWindow,
        remote: Remote,
        parts: tuple[Picture, EmotionPlot, Footer],
        shown: Callable[[], Step | None],
        redraw: Callable[[], None],
        place: Callable[[float], Path | None],
    ) -> None:
        self._window, self._remote = window, remote
        self._picture, self._plot, self._footer = parts
        self._shown, self._redraw, self._place = shown, redraw, place
        self._going = (-inf, 0.0)  # s, when the viewer moved last, and where to
        keys = self.keys = Keys(window)
        switch, on = keys.switch, keys.on
        switch("Space", "Pause", "Nothing is read or written until pressed again", self._pause)
        self.record = switch("R", "Record", "Write the table, or leave it be", self._set_recording)
        self.record.setChecked(remote.recording)
        on("M", "Note", "Mark this moment with a note, for the table", self._note)
        on("N", "Neutral", "Take the next 10 seconds as these faces at rest", self._neutral)
        on("A", "Map", "Where the scene's reading comes from: its valence, ...", self._next_map)
        raw = switch(
            "C", "Raw", "The thin curves: readings of single pictures", self._plot.show_raw
        )
        raw.setChecked(True)
        on("S", "Snapshot", "Save this window as a picture", self._snapshot)
        self._jumps = (
            on("Left", f"{JUMP:.0f} s", "Back in the film", lambda: self._jump(-JUMP), repeat=True),
            on("Right", f"{JUMP:.0f} s", "On in the film", lambda: self._jump(JUMP), repeat=True),
        )
        self.set_film(False)

    def set_film(self, film: bool) -> None:
        """There is a film to move about in, or there is none."""
        for action in self._jumps:
            action.setVisible(film)
            action.setEnabled(film)

    def follow(self) -> None:
        """Show what the run has changed: it may not have been able to open its table."""
        if self.record.isChecked() != self._remote.recording:
            self.record.setChecked(self._remote.recording)

    def move(self, pts: float) -> None:
        """Go to a moment of the film, s, or to the nearest that it has."""
        first, end = self._remote.extent or (pts, inf)
        pts = max(first, min(end - LAST, pts))
        self._going = time.monotonic(), pts
        self._remote.move(pts)

    def _pause(self, paused: bool) -> None:
        self._remote.paused = paused

    def _set_recording(self, recording: bool) -> None:
        self._remote.recording = recording

    def _note(self) -> None:
        step = self._shown()
        if step is None:
            return
        pts = step.result.pts
        self._footer.ask_note(pts, lambda text: self._save_note(pts, text or MARKER))

    def _save_note(self, pts: float, text: str) -> None:
        self._remote.mark(pts, text)
        self._plot.mark(pts)
        kept = "" if self._remote.recording else "; it goes into the table once that is recorded"
        self._footer.say(f"Noted at {pts:.3f} s: {text}{kept}")

    def _neutral(self) -> None:
        self._remote.neutral_wanted = True
        if self._remote.paused or self._remote.at_end:
            self._footer.say("Neutral: begins with the next new picture")

    def _next_map(self) -> None:
        step = self._shown()
        if step is None or step.result.scene is None or step.result.scene.maps is None:
            self._footer.say("There is no map: no scene model runs that gives one")
            return
        self._picture.map_shown = SHOWN[(SHOWN.index(self._picture.map_shown) + 1) % len(SHOWN)]
        self._redraw()

    def _snapshot(self) -> None:
        step = self._shown()
        picture = self._window.grab()  # now, not after a question
        path = self._place(0.0 if step is None else step.result.pts)
        if path is not None:
            self._keep(picture.save(str(path), "PNG"), path)
            return
        asking = QFileDialog(self._window, "Save this window as", "emotrack.png", "PNG (*.png)")
        asking.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        asking.setDefaultSuffix("png")
        asking.fileSelected.connect(lambda name: self._keep(picture.save(name, "PNG"), Path(name)))
        asking.open()  # the run goes on behind it

    def _keep(self, saved: bool, path: Path) -> None:
        self._footer.say(f"Saved {path.name}" if saved else f"{path}: cannot write")

    def _jump(self, seconds: float) -> None:
        step = self._shown()
        if step is not None and self._remote.extent is not None:
            when, goal = self._going  # the picture may still be one from before
            on_the_way = time.monotonic() - when < ARRIVES
            self.move((goal if on_the_way else step.result.pts) + seconds)
