"""Our plots beside widgets of your own. Needs `pip install '.[gui]'`.

python examples/embed_qt.py [FILM]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QPlainTextEdit, QSplitter

from tracker import SourceError, watch
from tracker.gui import EmotionPlane, EmotionPlot
from tracker.handoff import Handoff, background
from tracker.values import FrameResult

DEMO = Path(__file__).with_name("demo.mp4")


class Diary(QMainWindow):
    """Somebody's notes, with what the film shows beside them."""

    def __init__(self, results: Handoff[FrameResult]) -> None:
        super().__init__()
        self.notes = QPlainTextEdit("my own notes")
        self.plot, self.plane = EmotionPlot(seconds=30), EmotionPlane()
        self._results = results
        plots = QSplitter(Qt.Orientation.Vertical)
        whole = QSplitter(Qt.Orientation.Horizontal)
        for holder, widgets in ((plots, (self.plane, self.plot)), (whole, (self.notes, plots))):
            for widget in widgets:
                holder.addWidget(widget)
        self.setCentralWidget(whole)
        self.resize(900, 600)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.take)
        self._timer.start(50)  # ms

    def take(self) -> None:
        """What has come since the last time. It never waits, so the window never hangs."""
        try:
            results = self._results.drain()
        except SourceError as wrong:  # raised here, whatever thread it happened in
            self._timer.stop()
            self.notes.appendPlainText(str(wrong))
            return
        for result in results:
            self.plot.add(result)
            self.plane.add(result)
        self.plot.refresh()
        self.plane.update()


def main(film: str) -> int:
    app = QApplication.instance() or QApplication([])
    # The film is read in a thread of its own, which waits when the window is behind.
    with background(watch(film), capacity=100, drop_oldest=False) as results:
        diary = Diary(results)
        diary.show()
        return app.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(DEMO)))
