"""A calibration profile: whose face it is, and whose judgement we imitate. Read `choose` first.

    neutral = what the networks say of a person's resting face; subtracted
    rater   = how one person's ratings relate to ours: gain, offset, and seconds of delay

    calibrated(t) = gain * (smooth(t - delay) - neutral) + offset, clipped to [-1, 1]

`calibration` makes profiles; `profile_file` reads them; here they are chosen from and applied.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tracker.values import Affect

TICK = 1e-6  # s, the resolution of our times: 0.3 - 0.2 is to reach the frame at 0.1
T = TypeVar("T")
NOWHERE = Affect(0.0, 0.0)  # the neutral of nobody in particular


class ProfileError(RuntimeError):
    """A profile file that cannot be used as asked. The message names it."""


@dataclass(frozen=True, slots=True)
class Line:
    """out = gain * value + offset"""

    gain: float = 1.0
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        return min(1.0, max(-1.0, self.gain * value + self.offset))


@dataclass(frozen=True, slots=True)
class Rater:
    valence: Line = Line()
    arousal: Line = Line()
    delay: float = 0.0  # s by which this rater lags the picture, >= 0


@dataclass(frozen=True, slots=True)
class Range:
    """How far a resting face strayed: its 95th less its 5th percentile, 0..2."""

    valence: float
    arousal: float


@dataclass(frozen=True, slots=True)
class Origin:
    """What a neutral was measured from: a file, or a camera."""

    name: str  # base name; of a camera its own
    sha256: str | None  # None: a camera, of which nothing was kept


@dataclass(frozen=True, slots=True)
class Person:
    neutral: Affect
    range: Range
    seconds: float  # of film; 0 for photos
    frames: int
    created: str  # UTC, ISO 8601
    made_from: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Networks:
    """sha256 of what made the readings, whatever precision it ran in: a neutral is of their scale,
    a delay includes theirs."""

    face: str
    memory: str


@dataclass(frozen=True, slots=True)
class Profile:
    name: str  # of the file
    sha256: str  # of the file
    networks: Networks  # that it was measured with
    created: str  # UTC, ISO 8601
    people: Mapping[str, Person]
    raters: Mapping[str, Rater]


@dataclass(frozen=True, slots=True)
class ProfileUse:
    """What a run takes from a profile, as the sidecar names it."""

    sha256: str  # of the file
    people: tuple[str, ...]  # NAME is every face, TRACK=NAME one
    rater: str | None


@dataclass(frozen=True, slots=True)
class People:
    """Whose faces these are."""

    everyone: str | None  # every face that `by_track` does not name
    by_track: Mapping[int, str]

    @classmethod
    def parse(cls, words: Sequence[str]) -> People:
        """words: NAME, TRACK=NAME. Raises ValueError naming a word that says nothing, or twice."""
        named: dict[int | None, str] = {}  # None: every face
        for word in words:
            track, equals, name = word.rpartition("=")
            if not name or (equals and not re.fullmatch(r"[0-9]+", track)):
                raise ValueError(f"person is {word!r}, expected NAME or TRACK=NAME")
            key = int(track) if equals else None
            if key in named:
                raise ValueError(f"person is {word!r}, but that face is {named[key]!r} already")
            named[key] = name
        by_track = {track: name for track, name in named.items() if track is not None}
        return cls(named.get(None), by_track)

    def words(self) -> tuple[str, ...]:
        """As `parse` reads them."""
        everyone = () if self.everyone is None else (self.everyone,)
        return *everyone, *(f"{track}={name}" for track, name in self.by_track.items())


def check_networks(profile: Profile, networks: Networks) -> None:
    """Raises ProfileError with both sums if the profile was measured with another network."""
    theirs, ours = profile.networks, networks
    for role, then, now in (
        ("face model", theirs.face, ours.face),
        ("memory", theirs.memory, ours.memory),
    ):
        if then != now:
            raise ProfileError(
                f"{profile.name}: measured with another {role}: sha256 {then}, this run has {now}"
            )


def choose(
    profile: Profile, person: Sequence[str], rater: str | None, *, forget_after: float = 2.0
) -> tuple[Calibrator, ProfileUse]:
    """The part of a profile that a run asks for.

    Whoever asks for nobody gets the profile's only person, for every face. A rater without a
    person judges faces as they are: nothing is subtracted.
    Raises ProfileError naming whom the profile knows.
    """
    people = People.parse(person)
    if not person and rater is None:
        people = People(_only_person(profile), {})
    neutrals = {track: _neutral(profile, name) for track, name in people.by_track.items()}
    other: Affect | None = NOWHERE
    if people.everyone is not None:
        other = _neutral(profile, people.everyone)
    elif neutrals:
        other = None  # the faces that nobody named are strangers: their neutral is unknown
    judge = Rater() if rater is None else _known(profile, "rater", profile.raters, rater)
    calibrator = Calibrator(neutrals, judge, other=other, forget_after=forget_after)
    return calibrator, ProfileUse(profile.sha256, people.words(), rater)


class Calibrator:
    """Applies one rater and each key's neutral; keeps what the delay still needs.

    A key is a track. other: the neutral of keys that `neutrals` does not name; None: theirs is
    unknown, and so is what is calibrated.
    forget_after: s without a reading before a key starts afresh; math.inf for never.
    """

    def __init__(
        self,
        neutrals: Mapping[int, Affect],
        rater: Rater,
        *,
        other: Affect | None,
        forget_after: float = 2.0,
    ) -> None:
        self._neutrals = neutrals
        self._rater = rater
        self._other = other
        self._forget_after = forget_after
        self._past: dict[int, deque[tuple[float, Affect]]] = {}

    def begin(self) -> None:
        """Forget everyone: another stream follows."""
        self._past = {}

    def __call__(
        self, pts: float, keys: Sequence[int], smooth: Sequence[Affect]
    ) -> list[Affect | None]:
        """One value per key; None until the key has been known for the rater's delay."""
        self._forget(pts)
        due = pts - self._rater.delay + TICK
        calibrated: list[Affect | None] = []
        for key, affect in zip(keys, smooth, strict=True):
            past = self._past.setdefault(key, deque())
            past.append((pts, affect))
            while len(past) > 1 and past[1][0] <= due:
                past.popleft()
            then, value = past[0]
            calibrated.append(self._apply(key, value) if then <= due else None)
        return calibrated

    def _forget(self, pts: float) -> None:
        """Too old, or from the future, as the memory forgets."""
        oldest = pts - self._forget_after
        self._past = {k: p for k, p in self._past.items() if oldest <= p[-1][0] <= pts}

    def _apply(self, key: int, affect: Affect) -> Affect | None:
        neutral = self._neutrals.get(key, self._other)
        if neutral is None:
            return None
        return Affect(
            self._rater.valence(affect.valence - neutral.valence),
            self._rater.arousal(affect.arousal - neutral.arousal),
        )


def _only_person(profile: Profile) -> str:
    if len(profile.people) == 1:
        return next(iter(profile.people))
    raise ProfileError(
        f"{profile.name}: say which person or rater: people {_listed(profile.people)}; "
        f"raters {_listed(profile.raters)}"
    )


def _neutral(profile: Profile, name: str) -> Affect:
    return _known(profile, "person", profile.people, name).neutral


def _known(profile: Profile, kind: str, table: Mapping[str, T], name: str) -> T:
    if name in table:
        return table[name]
    raise ProfileError(f"{profile.name}: no {kind} is named {name!r}; known: {_listed(table)}")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"
