"""What the tests of the window share: a window between two queues, and steps to put into them."""

import numpy as np
import pytest

from tracker.handoff import Handoff
from tracker.remote import Remote
from tracker.values import (
    EMOTIONS,
    EXPRESSIONS,
    Affect,
    AudioReading,
    Box,
    Face,
    Frame,
    FrameResult,
    PersonReading,
    Reading,
    SceneReading,
    Scores,
    Step,
)

try:
    import tracker.gui  # noqa: F401
except ImportError as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from tracker.gui.window import Window


class Bench:
    """A window, and the run's ends of its queues."""

    def __init__(self, app, size=(1280, 800), *, recording=False, **options):
        self.app = app
        self.remote = Remote(recording=recording)
        self.pictures = Handoff(1, drop_oldest=True)
        self.results = Handoff(10_000, drop_oldest=True)
        self.window = Window(self.remote, self.pictures, self.results, **options)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()
        app.processEvents()

    def show(self, *steps):
        for step in steps:
            self.put(step)
        self.window.tick()
        self.window.plot.refresh()
        self.app.processEvents()

    def put(self, step):
        self.results.put(step.result)
        self.pictures.put(step)

    def press(self, key):
        QTest.keyClick(self.window, key)
        self.app.processEvents()

    def says(self):
        return self.window.footer.message.text()


def pixels(widget):
    """(H, W, 3) RGB of a widget."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8)
    rows = rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3).copy()


def has(widget, colour, near=40):
    """How many pixels of a widget have about that colour."""
    wanted = QColor(colour)
    rgb = np.array([wanted.red(), wanted.green(), wanted.blue()])
    return int((np.abs(pixels(widget).astype(int) - rgb).max(axis=2) <= near).sum())


def reading(valence, arousal, spread=0.1):
    noisy = Affect(valence + 0.2, arousal - 0.2)
    return Reading(noisy, Affect(valence, arousal), spread=Affect(spread, spread))


def person(track, valence=0.5, arousal=0.2, shown=(0.2, 0.8)):
    box = Box(40.0 + 150 * track, 60.0, 120.0 + 150 * track, 160.0)
    scores = Scores(EXPRESSIONS, (*shown, *[0.0] * (8 - len(shown))))
    return PersonReading(Face(track, box, 0.9), reading(valence, arousal), scores)


def evoked(pts):
    maps = np.zeros((10, 8, 8), np.float32)
    maps[0, 2, 3], maps[0, 5, 6] = 1.0, -1.0  # valence
    maps[2, 4, 4] = 1.0  # amusement
    return SceneReading(
        pts,
        reading(0.4, -0.3),
        Affect(0.2, 0.2),
        Scores(EMOTIONS, (0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05)),
        Scores(("street", "forest", "outdoor"), (0.7, 0.3, 0.9)),
        maps,
    )


HEARD = AudioReading(9.9, -20.0, 0.8, 0.3, 0.35)


def a_result(i, *people, every=0.1, scene=None, audio=None, source="clip.mp4"):
    return FrameResult(i, i * every, 0.02, False, people, source, scene, audio)


def a_step(i, *people, **more):
    result = a_result(i, *people, **more)
    image = np.full((360, 640, 3), 128, np.uint8)
    return Step(Frame(i, result.pts, 0.0, image, result.source), result)


def two_people(n, **more):
    """Somebody whose mood swings, and somebody whose does not."""
    return [
        a_step(i, person(0, 0.5 + 0.3 * np.sin(i / 9)), person(1, -0.5, -0.4), **more)
        for i in range(n)
    ]
