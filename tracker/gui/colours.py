"""Colours that everyone can tell apart, and that stand on light and dark alike."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

# Okabe and Ito (2008), "Color universal design", without black and yellow: those two vanish on
# one of the backgrounds. Neighbouring numbers differ in lightness as well.
PEOPLE = ("#0072B2", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#56B4E9")
PLEASANT, UNPLEASANT = "#0072B2", "#D55E00"
AROUSAL, LEVEL = "#009E73", "#56B4E9"
RECORDING = "#D55E00"


def of_track(track: int) -> QColor:
    """One colour per person, for as long as the track lasts."""
    return QColor(PEOPLE[track % len(PEOPLE)])


def on(colour: QColor) -> QColor:
    """Black or white, whichever is the easier to read on `colour` (ITU-R BT.601 luma)."""
    luma = 0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue()
    return QColor("black" if luma > 140 else "white")


def faint(palette: QPalette, strength: float) -> QColor:
    """The text's colour with an opacity of `strength`, 0..1: lines that must not shout."""
    colour = QColor(palette.color(QPalette.ColorRole.WindowText))
    colour.setAlphaF(strength)
    return colour
