"""Columns of each person in context: what body and surroundings say."""

from __future__ import annotations

from collections.abc import Callable

from tracker.sinks.column import Cell, Column, axis, of_face
from tracker.values import CATEGORIES, Affect, ContextReading, PersonReading


def context_columns() -> list[Column]:
    """Smooth under the plain name, then _raw. A profile speaks of faces only, so none is _cal."""
    return [
        *_affect("", lambda c: None if c.affect is None else c.affect.smooth),
        *_affect("_raw", lambda c: None if c.affect is None else c.affect.raw),
        *(of_face(f"person_{name}", "0..1", 4, _score(i)) for i, name in enumerate(CATEGORIES)),
    ]


def _affect(end: str, read: Callable[[ContextReading], Affect | None]) -> list[Column]:
    def value(name: str) -> Callable[[PersonReading], Cell]:
        return lambda p: None if p.context is None else axis(read(p.context), name)

    names = ("valence", "arousal", "dominance")
    return [of_face(f"person_{name}{end}", "-1..1", 4, value(name)) for name in names]


def _score(i: int) -> Callable[[PersonReading], Cell]:
    def value(person: PersonReading) -> Cell:
        scores = None if person.context is None else person.context.categories
        return None if scores is None else scores.values[i]

    return value
