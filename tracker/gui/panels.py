"""Beside the picture: what the scene evokes, and what is to be heard."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from tracker.gui.colours import AROUSAL, LEVEL, PLEASANT, UNPLEASANT
from tracker.gui.scales import Scale, Scales
from tracker.gui.words import signed
from tracker.scene import OUTDOOR
from tracker.values import EMOTIONS, Affect, AudioReading, SceneReading, Scores

PLEASANT_ONES = EMOTIONS[:4]  # Mikels et al. (2005)
SILENCE = -60.0  # dBFS, left end of the level's scale
AXES = ("valence", "arousal")
LISTED = 2  # places
BESIDE = 0.10  # probability from which a second place is worth reading


class _Panel(QWidget):
    """A title; below it one line that says what is missing, or the values."""

    def __init__(self, title: str, scales: Scales, missing: str) -> None:
        super().__init__()
        self._title = title
        self._missing = missing
        self.heading = QLabel()
        self.heading.setTextFormat(Qt.TextFormat.RichText)
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._line = QLabel(" ")
        self._line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._scales = scales
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.setSpacing(2)
        for part in (self.heading, scales, self._line):
            layout.addWidget(part)
        self.set_present(False)

    def set_present(self, present: bool) -> None:
        note = "" if present else f" &nbsp; {self._missing}"
        self.heading.setText(f"<b>{self._title}</b>{note}")
        self._scales.setVisible(present)
        self._line.setVisible(present)

    def empty(self) -> None:
        """Nothing is seen or heard now, perhaps the camera or the microphone is gone: what it last
        said is past. The scales stay, so that nothing jumps."""
        self._scales.show_scales(
            [replace(scale, value=None, text="") for scale in self._scales.scales]
        )
        self._line.setText(" ")


class ScenePanel(_Panel):
    """Evoked valence and arousal with the spread between viewers, eight emotions, the place."""

    def __init__(self) -> None:
        super().__init__("Scene", Scales(3 + len(EMOTIONS), "contentment"), "no scene model")

    def show_reading(self, reading: SceneReading) -> None:
        self.set_present(True)
        affect = None if reading.affect is None else reading.affect.smooth
        outside = _outside(reading.place)
        scales = [_signed(axis, *_of(axis, affect, reading.spread)) for axis in AXES]
        if reading.emotions is not None:
            pairs = zip(reading.emotions.labels, reading.emotions.values, strict=True)
            scales += [
                Scale(
                    *(name, value, f"{value:.2f}", 0.0, 1.0),
                    PLEASANT if name in PLEASANT_ONES else UNPLEASANT,
                )
                for name, value in pairs
            ]
        scales.append(Scale(OUTDOOR, outside, _number(outside), 0.0, 1.0, LEVEL))
        self._scales.show_scales(scales)
        self._line.setToolTip(_place(reading))
        self._line.setText(
            self._line.fontMetrics().elidedText(
                _place(reading), Qt.TextElideMode.ElideRight, self._line.width()
            )
        )


class SoundPanel(_Panel):
    """Level, voice, and arousal of the sound."""

    def __init__(self) -> None:
        super().__init__("Sound", Scales(3, "contentment"), "no sound is read")

    def show_reading(self, reading: AudioReading) -> None:
        self.set_present(True)
        self._scales.show_scales(
            [
                Scale("level", reading.level, _decibels(reading.level), SILENCE, 0.0, LEVEL),
                Scale("voice", reading.voice, _number(reading.voice), 0.0, 1.0, LEVEL),
                _signed("arousal", reading.arousal),
            ]
        )
        self._line.setVisible(False)


def _of(
    axis: str, affect: Affect | None, spread: Affect | None
) -> tuple[float | None, float | None]:
    """Value and spread of one axis."""
    value = None if affect is None else getattr(affect, axis)
    return value, None if spread is None else getattr(spread, axis)


def _signed(name: str, value: float | None, spread: float | None = None) -> Scale:
    colour = AROUSAL
    if name == "valence" and value is not None:
        colour = PLEASANT if value >= 0 else UNPLEASANT
    text = "" if value is None else signed(value)
    return Scale(name, value, text, -1.0, 1.0, colour, spread)


def _decibels(level: float) -> str:
    return f"{level:.0f} dBFS".replace("-", "\N{MINUS SIGN}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _outside(place: Scores | None) -> float | None:
    if place is None or OUTDOOR not in place.labels:
        return None
    return place.values[place.labels.index(OUTDOOR)]


def _place(reading: SceneReading) -> str:
    if reading.place is None:
        return ""
    shares = dict(zip(reading.place.labels, reading.place.values, strict=True))
    shares.pop(OUTDOOR, None)  # a probability of its own
    ranked = sorted(shares, key=shares.__getitem__, reverse=True)
    best = [*ranked[:1], *(label for label in ranked[1:LISTED] if shares[label] >= BESIDE)]
    return "place: " + ", ".join(f"{label} {shares[label]:.2f}" for label in best)
