"""Where in a film we are, and a way to another place in it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QStyle, QWidget

TICKS = 1000  # per second, of the slider


class ScrubBar(QWidget):
    """Says where it was let go: `moved` carries seconds on the film's clock."""

    moved = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._extent = (0.0, 0.0)
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # arrow keys belong to the window
        self._time = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 0)
        layout.addWidget(self.slider)
        layout.addWidget(self._time)
        self.slider.sliderMoved.connect(lambda value: self._show_time(self._seconds(value)))
        self.slider.sliderReleased.connect(self._let_go)

    def set_extent(self, extent: tuple[float, float] | None) -> None:
        """First and last moment of the film, s; None: there is no film, and no bar."""
        self.setVisible(extent is not None)
        if extent is None:
            return
        self._extent = extent
        self.slider.setRange(0, round((extent[1] - extent[0]) * TICKS))
        self._show_time(extent[1])  # the widest
        self._time.setMinimumWidth(self._time.sizeHint().width())
        self._show_time(extent[0])

    def show_time(self, pts: float) -> None:
        """Follow the film, unless somebody has hold of the handle."""
        if not self.slider.isSliderDown():
            self.slider.setValue(round((pts - self._extent[0]) * TICKS))
            self._show_time(pts)

    def _show_time(self, pts: float) -> None:
        self._time.setText(f"{clock(pts)} / {clock(self._extent[1])}")

    def _seconds(self, value: int) -> float:
        return self._extent[0] + value / TICKS

    def _let_go(self) -> None:
        self.moved.emit(self._seconds(self.slider.value()))


class _Slider(QSlider):
    """A click beside the handle takes hold of it there."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handle = self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self)
        at = round(event.position().x() - handle / 2)
        self.setSliderPosition(
            QStyle.sliderValueFromPosition(0, self.maximum(), at, self.width() - handle)
        )
        super().mousePressEvent(event)


def clock(seconds: float) -> str:
    """61.5 -> 1:01.5, 3661.5 -> 1:01:01.5"""
    minutes, rest = divmod(round(abs(seconds), 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    sign = "\N{MINUS SIGN}" if seconds < 0 else ""
    return f"{sign}{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{sign}{minutes}:{rest:04.1f}"
