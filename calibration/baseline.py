"""A resting face, in seconds of film or a few photos: the neutral of a profile. Read `measure`.

The neutral is the median of the smooth values. The median, because a blink or a word must not
move it: up to half of the frames may be wrong (its breakdown point, Hampel 1971). Of the smooth
values, because it will be taken from them: what the memory does to a held face is in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tracker.geometry import area
from tracker.models import ModelUse, hash_file
from tracker.profile import Networks, Origin, Person, Range, check_networks
from tracker.profile_file import load_profile, new_file, with_person
from tracker.sinks.sidecar import write_json
from tracker.sources.base import without_secrets
from tracker.values import Affect, FrameResult, PersonReading

CONFIDENT = 0.7  # detector score; docs/numbers.md advises to drop rows below it
LEAST_SECONDS = 3.0  # s of film; of less, one expression (up to 4 s) or word may be the half
LEAST_PICTURES = 3  # photos; the fewest of which one cannot decide the median
INNER = (5, 95)  # percentiles that bound a face's range (Hyndman and Fan 1996, definition 7)


class BaselineError(ValueError):
    """An input that gives no neutral. The message says what was found."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was measured of one person at rest."""

    neutral: Affect
    range: Range
    seconds: float  # s of film, first reading to last; 0 for photos
    frames: int
    others: int  # tracks seen more briefly, and left out


@dataclass(slots=True)
class _Seen:
    """The confident readings of one track."""

    area: float = 0.0  # px^2, of the largest face
    pts: list[float] = field(default_factory=list)  # s
    smooth: list[Affect] = field(default_factory=list)

    def add(self, pts: float, person: PersonReading) -> None:
        self.area = max(self.area, area(person.face.box))
        self.pts.append(pts)
        self.smooth.append(person.affect.smooth)


def measure(results: Iterable[FrameResult]) -> Rest:
    """The neutral of whom each film, and each photo, shows longest; of equals, the largest face.

    Inputs are told apart by name. Raises BaselineError if there is too little of that person.
    """
    streams = [seen for seen in map(_confident, _streams(results)) if seen]
    longest = [max(seen.values(), key=lambda s: (len(s.pts), s.area)) for seen in streams]
    seconds = sum((seen.pts[-1] - seen.pts[0] for seen in longest), 0.0)
    smooth = [affect for seen in longest for affect in seen.smooth]
    if len(smooth) < LEAST_PICTURES or (seconds < LEAST_SECONDS and len(longest) < LEAST_PICTURES):
        raise BaselineError(
            f"found {seconds:.2f} s ({len(smooth)} frames) of one confident face; a neutral needs "
            f"{LEAST_SECONDS:g} s of film, or {LEAST_PICTURES} photos"
        )
    values = np.array([(affect.valence, affect.arousal) for affect in smooth])
    low, high = np.percentile(values, INNER, axis=0)
    valence, arousal = np.median(values, axis=0)
    return Rest(
        Affect(float(valence), float(arousal)),
        Range(*map(float, high - low)),
        seconds,
        len(smooth),
        others=sum(len(seen) - 1 for seen in streams),
    )


def save_person(
    path: Path,
    name: str,
    rest: Rest,
    *,
    networks: Networks,
    made_from: Sequence[Origin],
    now: str,
) -> None:
    """Adds a person to the profile at `path`, or makes one; all else in the file stays.

    networks: that made the readings. now: UTC, ISO 8601. Writes the whole file or none of it.
    Raises ProfileError as `load_profile` and `check_networks` do, SinkError if the file
    cannot be written.
    """
    content = new_file(networks, now)
    if path.exists():
        check_networks(load_profile(path), networks)
        content = json.loads(path.read_bytes())
    person = Person(
        Affect(round(rest.neutral.valence, 4), round(rest.neutral.arousal, 4)),
        Range(round(rest.range.valence, 4), round(rest.range.arousal, 4)),
        round(rest.seconds, 3),
        rest.frames,
        now,
        tuple(made_from),
    )
    write_json(path, with_person(content, name, person))


def networks_of(models: Sequence[ModelUse]) -> Networks:
    """models: of a Tracker that reads faces."""
    sums = {model.role: model.origin for model in models}
    return Networks(sums["face"], sums["memory"])


def origin_of(about: Mapping[str, Any]) -> Origin:
    """about: what a source says of one of its files, or a camera of itself."""
    if "path" in about:
        return Origin(about["path"].name, hash_file(about["path"]))
    return Origin(without_secrets(about["name"]), None)


def _streams(results: Iterable[FrameResult]) -> Iterator[list[FrameResult]]:
    """The results of each film and photo, in turn."""
    stream: list[FrameResult] = []
    for result in results:
        if stream and result.source != stream[-1].source:
            yield stream
            stream = []
        stream.append(result)
    if stream:
        yield stream


def _confident(stream: Sequence[FrameResult]) -> dict[int, _Seen]:
    """Who is in a stream, by track; a picture that was given as a face is taken as one."""
    seen: dict[int, _Seen] = {}
    for result in stream:
        for person in result.people:
            if person.face.score is None or person.face.score >= CONFIDENT:
                seen.setdefault(person.face.track, _Seen()).add(result.pts, person)
    return seen
