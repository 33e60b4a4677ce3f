"""The curves of one colour: what somebody showed over time, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QPainterPath
from PySide6.QtWidgets import QGraphicsPathItem

from tracker.gui.colours import PEOPLE
from tracker.gui.series import RAW, ROW, SMOOTH, SPREAD, Rows

BAND = 0.25  # opacity of the uncertainty
THIN = 0.6  # opacity of the raw curve
MOST = 900  # points of a curve; of more, every second, third ... is drawn
GAP = 1.0  # s without a reading over which no line is drawn


class Line:
    """One colour in one plot: the band, the raw and the smooth curve of all who have it."""

    def __init__(self, plot: pg.PlotItem, k: int) -> None:
        self._empty = True
        colour = QColor(PEOPLE[k])
        self._band = QGraphicsPathItem()
        self._band.setPen(QColor(0, 0, 0, 0))
        self._band.setBrush(_faded(colour, BAND))
        self._raw = pg.PlotCurveItem(
            pen=pg.mkPen(_faded(colour, THIN), width=1), connect="finite", antialias=True
        )
        self._smooth = pg.PlotCurveItem(
            pen=pg.mkPen(colour, width=2.5), connect="finite", antialias=True
        )
        for height, item in enumerate((self._band, self._raw, self._smooth)):
            item.setZValue(height)
            plot.addItem(item, ignoreBounds=True)

    def draw(self, people: Sequence[Rows], axis: int, zero: float, *, raw: bool) -> None:
        """people: everyone of this colour. axis: 0 valence, 1 arousal."""
        if not people and self._empty:
            return
        self._empty = not people
        rows = _joined([_thinned(p) for p in people])
        times = rows[:, 0] + np.float64(zero)
        smooth, spread = rows[:, SMOOTH + axis], rows[:, SPREAD + axis]
        self._smooth.setData(times, smooth)
        self._raw.setData(times, rows[:, RAW + axis] if raw else np.full(len(rows), np.nan))
        self._band.setPath(_band(times, smooth - spread, smooth + spread))


def _faded(colour: QColor, opacity: float) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(opacity)
    return faded


def _thinned(rows: Rows) -> Rows:
    """At most MOST rows and the newest. By time, so that the same ones stay as time goes on."""
    if len(rows) <= MOST:
        return rows
    cell = 1 << int(np.ceil(np.log2(len(rows) / MOST)))
    apart = (rows[-1, 0] - rows[0, 0]) / len(rows) * cell
    kept = np.diff(np.floor(rows[:, 0] / apart), append=np.inf) > 0
    thinned: Rows = rows[kept]
    return thinned


def _joined(people: Sequence[Rows]) -> Rows:
    """One after the other, with an empty row between people and where somebody was unseen."""
    pieces = [piece for rows in people for piece in _unbroken(rows)]
    empty = np.full((1, len(ROW)), np.nan, np.float32)
    between = [part for piece in pieces for part in (piece, empty)]
    return np.concatenate(between) if between else empty[:0]


def _unbroken(rows: Rows) -> list[Rows]:
    return np.split(rows, np.flatnonzero(np.diff(rows[:, 0]) > GAP) + 1)


def _band(times: NDArray[np.float64], low: Rows, high: Rows) -> QPainterPath:
    """One closed outline for every unbroken stretch."""
    path = QPainterPath()
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    for first, last in edges.reshape(-1, 2):
        there = slice(first, last)
        x = np.concatenate([times[there], times[there][::-1]])
        y = np.concatenate([high[there], low[there][::-1]])
        path.addPolygon(pg.functions.arrayToQPolygonF(x, y.astype(np.float64)))
        path.closeSubpath()
    return path
