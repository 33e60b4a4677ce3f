"""Draws docs/window.png: the window, watching demo.mp4. Needs `pip install '.[gui]'`.

python examples/make_window_picture.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # no window opens

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCursor

from tracker.cli import main
from tracker.gui.application import open_application
from tracker.gui.window import Window

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "window.png"
WHEN = 5.6  # s of the film
SIZE = (1100, 700)  # points
SMALLEST = 0  # quality: of a PNG, how little it is compressed


def look() -> None:
    """Once the film is far enough: take the picture, and close."""
    for window in app.topLevelWidgets():
        if not isinstance(window, Window) or not window.isVisible():
            continue
        window.resize(*SIZE)
        step = window.shown
        if step is not None and step.result.pts >= WHEN:
            window.grab().save(str(OUT), "PNG", SMALLEST)
            window.close()


if __name__ == "__main__":
    app = open_application()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    QCursor.setPos(SIZE[0] // 2, SIZE[1] // 2)  # on no button
    sys.exit(main([str(HERE / "demo.mp4"), "--show"]))
