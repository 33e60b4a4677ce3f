"""Colours that everyone can tell apart, and that stand on light and dark alike."""

from __future__ import annotations

from collections import Counter
from math import sqrt

from PySide6.QtGui import QColor, QPalette

from tracker.values import FrameResult

# Okabe and Ito (2008), "Color universal design", without black and yellow: those two vanish on
# one of the backgrounds. Neighbouring numbers differ in lightness as well.
PEOPLE = ("#0072B2", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#56B4E9")
PLEASANT, UNPLEASANT = "#0072B2", "#D55E00"
AROUSAL, LEVEL = "#009E73", "#56B4E9"
RECORDING = "#D55E00"
SWITCHED_ON = "#005580"


class Colours:
    """Who has which of PEOPLE: one colour per person, for as long as the track lasts.

    Whoever is new gets the colour whose bearers have been out of sight for longest; one that
    somebody in view has only where more than six are in view.
    """

    def __init__(self) -> None:
        self._of: dict[int, int] = {}  # track -> colour
        self._seen = [0] * len(PEOPLE)  # by which result each colour was in view last
        self._results = 0

    def add(self, result: FrameResult) -> None:
        """The result of one frame; one that was added before changes nobody's colour."""
        self._results += 1
        tracks = [person.face.track for person in result.people]
        taken = Counter(self._of[track] for track in tracks if track in self._of)
        for k in taken:
            self._seen[k] = self._results
        for track in tracks:
            if track not in self._of:
                k = min(range(len(PEOPLE)), key=lambda k: (taken[k], self._seen[k]))
                self._of[track], self._seen[k] = k, self._results
                taken[k] += 1

    def number(self, track: int) -> int:
        """Which of PEOPLE a person has who was in a result that was added."""
        return self._of[track]

    def of(self, track: int) -> QColor:
        """The same, as a colour."""
        return QColor(PEOPLE[self._of[track]])


def on(colour: QColor) -> QColor:
    """Black or white, whichever contrasts more with `colour`."""
    light = luminance(colour) > sqrt(1.05 * 0.05) - 0.05  # there both contrast alike
    return QColor("black" if light else "white")


def luminance(colour: QColor) -> float:
    """Relative luminance, 0..1 (WCAG 2.2, section "relative luminance")."""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def faint(palette: QPalette, strength: float) -> QColor:
    """The text's colour with an opacity of `strength`, 0..1: lines that must not shout."""
    colour = QColor(palette.color(QPalette.ColorRole.WindowText))
    colour.setAlphaF(strength)
    return colour
