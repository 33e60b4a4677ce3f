"""The last line: what has just happened, a note in the making, and how fast the run is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QStackedWidget, QWidget

from tracker.gui.colours import RECORDING
from tracker.gui.pace import Pace
from tracker.gui.scrub import clock
from tracker.remote import Remote

STAYS = 8000  # ms that a message is shown
WIDEST = "99.9 frames/s   latency 9999 ms (95 %: 9999)   9999 dropped"  # keeps the rest in place
LONGEST = 500  # letters of a note


class Footer(QWidget):
    """Keeps its height whatever it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.note = _NoteLine()
        self.message = _Message()
        self._left = QStackedWidget()
        self._left.addWidget(self.message)
        self._left.addWidget(self.note)
        self.recording, self.numbers = QLabel(), QLabel()
        self.numbers.setMinimumWidth(self.fontMetrics().horizontalAdvance(WIDEST))
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 2)
        layout.addWidget(self._left, 1)
        layout.addWidget(self.recording)
        layout.addWidget(self.numbers)
        self._forget = QTimer(self, singleShot=True, interval=STAYS)
        self._forget.timeout.connect(self.message.clear)

    def say(self, line: str) -> None:
        self.message.setText(line)
        self.message.setToolTip(line)
        self._forget.start()

    def show_state(self, remote: Remote, pace: Pace) -> None:
        mark = f'<span style="color:{RECORDING}">\N{BLACK CIRCLE}</span> recording'
        self.recording.setText(mark if remote.recording else "not recording")
        state = "paused" if remote.paused else "the end" if remote.at_end else _rate(pace)
        self.numbers.setText(f"{state}   {_latency(pace)}{remote.dropped} dropped")

    def ask_note(self, pts: float, saved: Callable[[str], None]) -> None:
        """A line to type in; `saved` is called on Enter, and not on Escape."""
        self.note.begin(f"note at {clock(pts)}: Enter saves, Escape does not", saved, self._back)
        self._left.setCurrentWidget(self.note)
        self.note.setFocus()

    def _back(self) -> None:
        self._left.setCurrentWidget(self.message)


class _Message(QLabel):
    """A line that takes what room there is; where that is too little, it shows that it goes on."""

    def __init__(self) -> None:
        super().__init__(textFormat=Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def seen(self) -> str:
        """What of the text there is room for."""
        width = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, width)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignVCenter, self.seen())


class _NoteLine(QLineEdit):
    def __init__(self) -> None:
        super().__init__(maxLength=LONGEST, frame=False)
        self._saved: Callable[[str], None] = lambda text: None
        self._done: Callable[[], None] = lambda: None
        self.returnPressed.connect(self._save)

    def begin(self, hint: str, saved: Callable[[str], None], done: Callable[[], None]) -> None:
        self.clear()
        self.setPlaceholderText(hint)
        self._saved, self._done = saved, done

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._done()
        else:
            super().keyPressEvent(event)

    def _save(self) -> None:
        self._saved(self.text().strip())
        self._done()


def _rate(pace: Pace) -> str:
    if pace.idle:
        return "waiting for a picture"
    rate = pace.rate()
    return "" if rate is None else f"{rate:.1f} frames/s"


def _latency(pace: Pace) -> str:
    latency = pace.latency()
    if latency is None:
        return ""
    return f"latency {latency[0] * 1e3:.0f} ms (95 %: {latency[1] * 1e3:.0f})   "
