"""Small painted scales with a name and a number: bars, and lines from -1 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tracker.gui.colours import faint

WIDEST = "\N{MINUS SIGN}100 dBFS"  # of the numbers


@dataclass(frozen=True, slots=True)
class Scale:
    """One line of a table of scales.

    value, low, high: None for what is unknown. spread: standard deviation, drawn about the value.
    """

    name: str
    value: float | None
    text: str  # the number as it is to be read
    low: float
    high: float
    colour: str
    spread: float | None = None


class Scales(QWidget):
    """Names left, numbers right, bars between; a bar begins at 0 if that is within its scale."""

    def __init__(self, names: int, widest: str, parent: QWidget | None = None) -> None:
        """names: how many lines there will be. widest: the longest name."""
        super().__init__(parent)
        self._lines = names
        self._widest = widest
        self.scales: list[Scale] = []  # what is shown
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self.font())
        wide = metrics.horizontalAdvance(self._widest) + metrics.horizontalAdvance(WIDEST)
        return QSize(round(wide + 8 * metrics.height()), round(self._lines * self._step(metrics)))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(self.sizeHint().width() * 0.7), self.sizeHint().height())

    def show_scales(self, scales: list[Scale]) -> None:
        if scales != self.scales:
            self.scales = scales
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        step = self._step(metrics)
        for i, scale in enumerate(self.scales):
            self._draw(painter, metrics, scale, QRectF(0, i * step, self.width(), step))

    def _draw(self, painter: QPainter, metrics: QFontMetricsF, scale: Scale, line: QRectF) -> None:
        name = metrics.horizontalAdvance(self._widest) + metrics.height() / 2
        number = metrics.horizontalAdvance(WIDEST) + metrics.height() / 2
        painter.setPen(faint(self.palette(), 0.9))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | middle, scale.name)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, scale.text)
        height = 0.5 * metrics.height()
        bar = QRectF(
            line.left() + name,
            line.center().y() - height / 2,
            max(10.0, line.width() - name - number),
            height,
        )
        painter.fillRect(bar, faint(self.palette(), 0.08))
        zero = _place(bar, scale, 0.0 if scale.low < 0 < scale.high else scale.low)
        if scale.value is not None:
            self._fill(painter, bar, scale, scale.value, zero)
        if scale.low < 0 < scale.high:
            painter.setPen(QPen(faint(self.palette(), 0.6), 1))
            painter.drawLine(QLineF(zero, bar.top() - 1, zero, bar.bottom() + 1))

    def _fill(
        self, painter: QPainter, bar: QRectF, scale: Scale, value: float, zero: float
    ) -> None:
        end = _place(bar, scale, value)
        painter.fillRect(QRectF(zero, bar.top(), end - zero, bar.height()), QColor(scale.colour))
        if scale.spread is not None:
            painter.setPen(QPen(faint(self.palette(), 0.9), 1.5))
            y = bar.center().y()
            left, right = (_place(bar, scale, value + s * scale.spread) for s in (-1, 1))
            painter.drawLine(QLineF(left, y, right, y))

    @staticmethod
    def _step(metrics: QFontMetricsF) -> float:
        return 1.15 * metrics.height()


def _place(bar: QRectF, scale: Scale, value: float) -> float:
    """x of a value, kept on the bar."""
    share = (value - scale.low) / (scale.high - scale.low)
    return bar.left() + bar.width() * min(1.0, max(0.0, share))
