"""The window: what the run reads, as it reads it, and the keys that steer it. Read `tick` first.

It never waits for the run: a timer takes what has come, draws the newest picture, and adds every
result to the curves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from tracker.gui.colours import Colours
from tracker.gui.controls import Controls
from tracker.gui.curves import EmotionPlot
from tracker.gui.footer import Footer
from tracker.gui.pace import Pace
from tracker.gui.panels import ScenePanel, SoundPanel
from tracker.gui.picture import Picture
from tracker.gui.plane import EmotionPlane
from tracker.gui.scrub import ScrubBar
from tracker.gui.words import Words
from tracker.handoff import Handoff
from tracker.remote import Remote
from tracker.values import FrameResult, Step

TICK = 33  # ms; a screen shows no more than 30 of our pictures a second
SHARES = (73, 27)  # of the width, for picture and panels
CURVES = 0.1  # s between two drawings of the curves: in it they move by a point or two
SIZE = QSize(1280, 800)


class Window(QMainWindow):
    """Shows a run behind two queues, and asks things of it through its `remote`.

    pictures: the newest step, and perhaps none. results: all of them.
    place: where a snapshot of a moment (s) goes; None: ask.
    check: called at every tick; may raise to end the run.
    """

    def __init__(
        self,
        remote: Remote,
        pictures: Handoff[Step],
        results: Handoff[FrameResult],
        *,
        place: Callable[[float], Path | None] = lambda pts: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.failure: BaseException | None = None  # what ended the run, if anything did
        self._remote, self._pictures, self._results = remote, pictures, results
        self._check = check
        self.shown: Step | None = None  # the newest
        self._lost = False  # a live source gives no pictures: the newest is not of now
        self._source: str | None = None
        self._extent: tuple[float, float] | None = None  # s, of the film shown
        self._plot_stale, self._plot_drawn = False, 0.0  # s, when the curves were drawn last
        self._words, self._pace = Words(), Pace()
        self.colours = Colours()
        self.picture, self.plane = Picture(self.colours), EmotionPlane(colours=self.colours)
        self.plot = EmotionPlot(colours=self.colours)
        self.scene, self.sound = ScenePanel(), SoundPanel()
        self.scrub, self.footer = ScrubBar(), Footer()
        parts = self.picture, self.plot, self.footer
        self.controls = Controls(self, remote, parts, lambda: self.shown, self._draw, place)
        self.scrub.moved.connect(self.controls.move)
        self._arrange()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK)

    def tick(self) -> None:
        """Draw what has come since the last time. The end of the run closes the window."""
        try:
            self._check()
            newest = self._pictures.drain()  # first: its result is then among those below
            results = self._results.drain()
            for result in results:
                self._add(result)
            self._pace.add(results, time.monotonic(), paused=self._remote.paused)
            self._show_state()
            if newest:
                self.shown, self._lost = newest[-1], False
                self._draw()
            elif self._pictures.ended:
                self.close()
            elif self._pace.idle and not self._lost and self._remote.live:
                self._lost = True
                self._show_nobody()
            self._refresh_plot()
        except BaseException as wrong:  # raised again where the window was opened
            self.failure = wrong
            self.close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():  # the first time, when there are sizes to share
            self._across.setSizes([share * self.width() for share in SHARES])

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self._remote.stop()
        event.accept()

    def _add(self, result: FrameResult) -> None:
        if result.source != self._source:
            self._source = result.source
            self.setWindowTitle(f"{Path(result.source).name} \N{EM DASH} emotrack")
            self.plot.clear()
            self.plane.clear()
        self._words.add(result)
        self.plot.add(result)
        self.plane.add(result)

    def _draw(self) -> None:
        """The newest step."""
        if self.shown is None or self._lost:
            return
        frame, result = self.shown.frame, self.shown.result
        faces = [person.face for person in result.people]
        labels = self._words.labels(result)
        self.colours.add(result)  # of results that wait for too long the oldest go
        self.picture.show_frame(frame.image, list(zip(faces, labels, strict=True)), result.scene)
        if result.scene is not None:
            self.scene.show_reading(result.scene)
        if result.audio is None:
            self.sound.empty()
        else:
            self.sound.show_reading(result.audio)
        self.scrub.show_time(result.pts)
        self.plane.update()
        self._plot_stale = True

    def _show_nobody(self) -> None:
        """What was read last is not shown as if it were of now; the curves stay where they end."""
        self.picture.clear()
        self.plane.clear()
        self.plot.show_nobody()
        self.scene.empty()
        self.sound.empty()

    def _refresh_plot(self) -> None:
        now = time.monotonic()
        if self._plot_stale and now - self._plot_drawn >= CURVES:
            self._plot_stale, self._plot_drawn = False, now
            self.plot.refresh()

    def _show_state(self) -> None:
        """What is true between two pictures as well."""
        remote = self._remote
        while remote.told:
            self.footer.say(remote.told.popleft())
        if remote.neutral_left is not None:
            self.footer.say(f"Neutral: rest your face for {remote.neutral_left:.0f} s more")
        if remote.extent != self._extent:
            self._extent = remote.extent
            self.controls.set_film(remote.extent is not None)
            self.plot.set_film(remote.extent)
            self.scrub.set_extent(remote.extent)
        self.controls.follow()
        self.footer.show_state(remote, self._pace)

    def _arrange(self) -> None:
        """Picture above curves on the left, the plane above the panels on the right."""
        self.scrub.setVisible(False)
        left, across = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Horizontal)
        for part in (_column(self.picture, self.scrub), self.plot):
            left.addWidget(part)
        left.setSizes([300, 200])  # shares
        for part in (left, _Scrolled(_column(self.plane, self.scene, self.sound))):
            across.addWidget(part)
        for i, share in enumerate(SHARES):
            across.setStretchFactor(i, share)
        self._across = across
        for splitter in (left, across):
            splitter.setChildrenCollapsible(False)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.controls.keys)
        whole = _column(across, self.footer)
        self.setCentralWidget(whole)
        title = self.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        self.resize(SIZE.boundedTo(self.screen().availableSize() - QSize(0, title)))


class _Scrolled(QScrollArea):
    """As high as there is room: what is in it moves up and down then, but never aside."""

    def __init__(self, whole: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are the window's
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(whole)
        self._whole = whole

    def minimumSizeHint(self) -> QSize:
        wide = self._whole.minimumSizeHint() + self.verticalScrollBar().sizeHint()
        return QSize(wide.width(), super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # a panel has become wider
            self.updateGeometry()
        return super().eventFilter(watched, event)


def _column(*widgets: QWidget) -> QWidget:
    """One above the other; the first takes what room there is."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget)
    layout.setStretch(0, 1)
    return column
