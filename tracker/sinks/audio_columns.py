"""Columns of what the sound says: the latest reading, in every row, and its time."""

from __future__ import annotations

from collections.abc import Callable

from tracker.sinks.column import Cell, Column
from tracker.values import AudioReading


def audio_columns() -> list[Column]:
    return [
        _heard("audio_timestamp", "s", 6, lambda a: a.pts),
        _heard("audio_level", "dBFS", 1, lambda a: a.level),
        _heard("audio_voice", "0..1", 4, lambda a: a.voice),
        _heard("audio_arousal", "-1..1", 4, lambda a: a.arousal),
        _heard("audio_arousal_raw", "-1..1", 4, lambda a: a.arousal_raw),
    ]


def _heard(name: str, unit: str, decimals: int, read: Callable[[AudioReading], Cell]) -> Column:
    """Empty where nothing is heard."""
    return Column(name, unit, decimals, lambda r, _: None if r.audio is None else read(r.audio))
