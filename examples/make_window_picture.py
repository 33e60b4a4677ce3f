"""Draws docs/window.png: the window, watching demo.mp4. Needs `pip install '.[gui]' pillow`.

python examples/make_window_picture.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # no window opens

from PIL import Image, ImageColor
from PySide6.QtCore import QTimer
from PySide6.QtGui import QCursor, QImage

from tracker.cli import main
from tracker.gui.application import open_application
from tracker.gui.colours import PEOPLE
from tracker.gui.window import Window

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "window.png"
WHEN = 5.6  # s of the film
SIZE = (1100, 700)  # points


def look() -> None:
    """Once the film is far enough: take the picture, and close."""
    for window in app.topLevelWidgets():
        if not isinstance(window, Window) or not window.isVisible():
            continue
        window.resize(*SIZE)
        step = window.shown
        if step is not None and step.result.pts >= WHEN:
            save(window.grab().toImage())
            window.close()


def save(image: QImage) -> None:
    """With 256 colours: a third of the size. Those of our own are among them, however small."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    size = image.width(), image.height()
    whole = Image.frombuffer("RGB", size, image.constBits(), "raw", "RGB", image.bytesPerLine(), 1)
    common = whole.quantize(256 - len(PEOPLE), kmeans=1, dither=Image.Dither.NONE).getpalette()
    ours = [level for colour in PEOPLE for level in ImageColor.getrgb(colour)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(common or ()), *ours])
    whole.quantize(palette=palette, dither=Image.Dither.NONE).save(OUT, optimize=True)


if __name__ == "__main__":
    app = open_application()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    QCursor.setPos(SIZE[0] // 2, SIZE[1] // 2)  # on no button
    sys.exit(main([str(HERE / "demo.mp4"), "--show"]))
