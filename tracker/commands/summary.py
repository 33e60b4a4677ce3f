"""What a film showed, in a few lines: for those who asked for no table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import hypot, inf

from tracker.values import FrameResult, PersonReading

MOMENTS = 5  # lines
APART = 2.0  # s between two moments of one film
PEOPLE = 12  # lines


@dataclass(slots=True)
class _Range:
    """Running mean and range of one value."""

    n: int = 0
    total: float = 0.0
    least: float = inf
    most: float = -inf

    def add(self, value: float) -> None:
        self.n += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)

    def __str__(self) -> str:
        return f"{self.total / self.n:+.2f} [{self.least:+.2f}, {self.most:+.2f}]"


@dataclass(slots=True)
class _Seen:
    """One track so far."""

    source: str
    first: float  # s
    last: float  # s
    valence: _Range = field(default_factory=_Range)
    arousal: _Range = field(default_factory=_Range)
    shown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Moment:
    strength: float  # distance from neutral in the valence-arousal plane
    source: str
    pts: float  # s
    line: str


class Summary:
    """Takes results one by one; its memory grows with the people, not with the frames."""

    def __init__(self) -> None:
        self._frames = 0
        self._people: dict[int, _Seen] = {}
        self._moments: list[_Moment] = []
        self._sources: set[str] = set()

    def add(self, result: FrameResult) -> None:
        self._frames += 1
        self._sources.add(result.source)
        for person in result.people:
            self._add_person(result, person)

    def text(self) -> str:
        """A title, a line per person, and the strongest moments with their times."""
        names = sorted(self._sources)
        title = names[0] if len(names) == 1 else f"{len(names)} inputs"
        lines = [f"{title}: {self._frames} frames, {len(self._people)} people (tracks) seen"]
        if not self._people:
            return lines[0]
        lines += [
            "",
            "face  seen                 valence               arousal               mostly",
        ]
        longest = sorted(self._people.items(), key=lambda item: -item[1].valence.n)
        lines += [self._line(track, seen) for track, seen in sorted(longest[:PEOPLE])]
        if len(longest) > PEOPLE:
            lines.append(f"      and {len(longest) - PEOPLE} seen more briefly")
        lines += ["", "strongest moments"]
        lines += [f"  {self._where(m.source, m.pts)}  {m.line}" for m in self._moments]
        return "\n".join(lines)

    def _line(self, track: int, seen: _Seen) -> str:
        when = f"{seen.first:.2f} - {seen.last:.2f} s"
        if len(self._sources) > 1:
            when = seen.source
        mostly = seen.shown.most_common(1)[0][0]
        return f"{track:<4}  {when:<19}  {seen.valence!s:<20}  {seen.arousal!s:<20}  {mostly}"

    def _where(self, source: str, pts: float) -> str:
        return f"{pts:9.3f} s" if len(self._sources) == 1 else f"{source}  {pts:.3f} s"

    def _add_person(self, result: FrameResult, person: PersonReading) -> None:
        track, smooth = person.face.track, person.affect.smooth
        seen = self._people.setdefault(track, _Seen(result.source, result.pts, result.pts))
        seen.last = result.pts
        seen.valence.add(smooth.valence)
        seen.arousal.add(smooth.arousal)
        best = max(zip(person.expression.values, person.expression.labels, strict=True))
        seen.shown[best[1]] += 1
        line = (
            f"face {track}  valence {smooth.valence:+.2f}  arousal {smooth.arousal:+.2f}  "
            f"{best[1]} {best[0]:.2f}"
        )
        strength = hypot(smooth.valence, smooth.arousal)
        self._add_moment(_Moment(strength, result.source, result.pts, line))

    def _add_moment(self, new: _Moment) -> None:
        """Keeps the strongest few, at most one within APART seconds of a film."""
        near = [m for m in self._moments if m.source == new.source and abs(m.pts - new.pts) < APART]
        if any(m.strength >= new.strength for m in near):
            return
        kept = [m for m in self._moments if m not in near]
        self._moments = sorted([*kept, new], key=lambda m: -m.strength)[:MOMENTS]
