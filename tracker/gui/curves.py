"""Valence and arousal of everyone, over the last minute."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from tracker.gui.colours import PEOPLE, Colours, faint
from tracker.gui.lines import GAP, Line
from tracker.gui.series import Rows, Series
from tracker.values import FrameResult

SECONDS = 60.0  # s, width of the plot
AXES = ("valence", "arousal")


class EmotionPlot(QWidget):
    """Two plots, valence above arousal: raw thin, smooth thick, one standard deviation as a band.

    A window of yours can hold it: `plot.add(result)` for every result, `plot.refresh()` when it
    is to be drawn, at most as often as the screen is. `plots` are the two pyqtgraph PlotItems,
    for curves of your own beside ours. Like every widget it belongs to the GUI's thread.

    seconds: how much is seen at once, and held. colours: those of another part that is given the
    same results; without, equal ones.
    """

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        seconds: float = SECONDS,
        colours: Colours | None = None,
    ) -> None:
        super().__init__(parent)
        self._colours = colours or Colours()
        self._seconds = seconds
        self._raw_shown = True
        self._tracks: dict[int, Series] = {}
        self._bounds: tuple[float, float] | None = None  # s, of a film
        self._zero: float | None = None  # s, of the first result
        self._now = 0.0  # s, of the newest
        self._cut = -inf  # s, of the cut before it: whoever was seen before that is not in view
        self._in_view = True  # whoever the newest result saw
        self._marks: list[tuple[pg.PlotItem, pg.InfiniteLine]] = []
        self._legend, self._view = QLabel(), pg.GraphicsLayoutWidget()
        self.plots = tuple(
            self._view.addPlot(row=row, col=0, axisItems={"bottom": _Seconds("bottom")})
            for row in range(len(AXES))
        )
        self._lines = [[Line(plot, k) for k in range(len(PEOPLE))] for plot in self.plots]
        self._cursors = [pg.InfiniteLine(angle=90) for _ in self.plots]
        self._arrange()
        self._paint()

    def add(self, result: FrameResult) -> None:
        """The result of one frame. A time that was there before is shown as it was."""
        if self._zero is None:
            self._zero = result.pts
        if result.cut or result.pts < self._now:
            self._cut = result.pts if result.cut else -inf
        self._now, self._in_view = result.pts, True
        self._colours.add(result)
        for person in result.people:
            series = self._tracks.get(person.face.track)
            if series is None:
                series = self._tracks[person.face.track] = Series(self._zero)
            series.add(result.pts, person)
        if self._bounds is None:
            self._forget(result.pts - self._seconds)

    def refresh(self) -> None:
        """Draw what has been added."""
        start, end = self._seen()
        drawn: dict[int, list[Rows]] = {}
        for track, series in self._tracks.items():
            rows = series.between(start, end)
            if len(rows):
                drawn.setdefault(self._colours.number(track), []).append(rows)
        known = self._tracks.items() if self._in_view else ()
        since = max(self._now - GAP, self._cut)
        self._show_legend([track for track, s in known if s.seen(since, self._now)])
        for axis, plot in enumerate(self.plots):
            plot.setXRange(start, end, padding=0)
            self._cursors[axis].setValue(self._now)
            for k, line in enumerate(self._lines[axis]):
                line.draw(drawn.get(k, []), axis, self._zero or 0.0, raw=self._raw_shown)
        for plot in self.plots:
            plot.vb.prepareForPaint()  # left to the painting, it would ask for another one

    def show_nobody(self) -> None:
        """Nothing is read any more, until the next result: nobody is in view."""
        self._in_view = False
        self.refresh()

    def show_raw(self, shown: bool) -> None:
        """Whether the thin curves of single pictures are drawn."""
        self._raw_shown = shown
        self.refresh()

    def mark(self, pts: float) -> None:
        """A dotted line at a moment, in seconds."""
        for plot in self.plots:
            mark = pg.InfiniteLine(pts, angle=90, pen=self._dotted())
            plot.addItem(mark, ignoreBounds=True)
            self._marks.append((plot, mark))

    def set_film(self, bounds: tuple[float, float] | None) -> None:
        """First and last second of a film: the plot does not reach beyond them, and all of it is
        kept, for whoever goes back (28 to 56 bytes for each face and frame). None: no end is known.
        """
        self._bounds = bounds
        self.refresh()

    def clear(self) -> None:
        """Forget everything: another stream follows."""
        self._tracks, self._zero, self._cut = {}, None, -inf
        for plot, mark in self._marks:
            plot.removeItem(mark)
        self._marks = []
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._paint()

    def _seen(self) -> tuple[float, float]:
        """The stretch of time that is drawn, s: up to now, or all of a film that is shorter."""
        first, last = self._bounds or (self._zero or 0.0, inf)
        start = max(first, self._now - self._seconds)
        return start, min(last, start + self._seconds)

    def _forget(self, before: float) -> None:
        for track in list(self._tracks):
            self._tracks[track].forget_before(before)
            if not len(self._tracks[track]):
                del self._tracks[track]

    def _show_legend(self, tracks: Sequence[int]) -> None:
        """Who is in view, and what the lines are."""
        people = "".join(
            f'<span style="color:{self._colours.of(track).name()}">\N{BLACK CIRCLE}</span>'
            f" {track} &nbsp; "
            for track in tracks
        )
        people = people or "no face in view &nbsp; "
        raw = "thin: single pictures, " if self._raw_shown else ""
        text = f"{people}{raw}thick: steadied, band: \N{PLUS-MINUS SIGN}1 SD"
        if text != self._legend.text():
            self._legend.setText(text)

    def _arrange(self) -> None:
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setContentsMargins(6, 2, 6, 0)
        self._legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._legend)
        layout.addWidget(self._view)
        self._view.ci.layout.setSpacing(2)
        self._view.ci.setContentsMargins(4, 2, 12, 2)
        for axis, plot in enumerate(self.plots):
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setMouseEnabled(x=False, y=False)
            plot.setYRange(-1, 1, padding=0.12)
            plot.getAxis("left").setTicks([[(-1, "\N{MINUS SIGN}1"), (0, "0"), (1, "+1")]])
            plot.addItem(self._cursors[axis])
        self.plots[0].setXLink(self.plots[1])
        self.plots[0].getAxis("bottom").setStyle(showValues=False, tickLength=0)

    def _paint(self) -> None:
        """Colours and fonts, of the palette that is."""
        self._view.setBackground(self.palette().color(QPalette.ColorRole.Base))
        text = self.palette().color(QPalette.ColorRole.Text)
        for name, plot, cursor in zip(AXES, self.plots, self._cursors, strict=True):
            plot.showGrid(x=False, y=True, alpha=0.15)
            cursor.setPen(pg.mkPen(faint(self.palette(), 0.5), width=1))
            for side in ("left", "bottom"):
                plot.getAxis(side).setTextPen(text)
                plot.getAxis(side).setPen(faint(self.palette(), 0.4))
                plot.getAxis(side).setTickFont(self.font())
            plot.getAxis("left").setLabel(name, color=text.name())
        for _, mark in self._marks:
            mark.setPen(self._dotted())

    def _dotted(self) -> QPen:
        return QPen(self.palette().color(QPalette.ColorRole.Text), 0, Qt.PenStyle.DotLine)


class _Seconds(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Times with their unit, and only those that are far enough apart to be read."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        return list(super().tickValues(low, high, size))[:1]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{text} s" for text in super().tickStrings(values, scale, spacing)]
