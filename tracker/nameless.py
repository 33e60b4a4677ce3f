"""Results in which nobody can be followed: neither by a number nor by the order of the rows."""

from __future__ import annotations

from dataclasses import replace

from tracker.values import FrameResult


def nameless(result: FrameResult) -> FrameResult:
    """The same people from left to right in the picture, numbered anew in every frame."""
    across = sorted(result.people, key=lambda person: (person.face.box.x0, person.face.box.y0))
    people = tuple(replace(p, face=replace(p.face, track=i)) for i, p in enumerate(across))
    return replace(result, people=people)
