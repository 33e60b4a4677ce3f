"""What a film showed, in a few lines: for those who asked for no table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import floor, hypot, inf
from operator import attrgetter

from tracker.sinks.scene_columns import best_place, strength
from tracker.values import FrameResult, PersonReading, SceneReading

MOMENTS = 5  # lines
APART = 2.0  # s between two moments of one film, at least
BIN = 0.1  # s of a film, of which only the strongest moment is kept
ENOUGH = MOMENTS * round(2 * APART / BIN + 1)  # bins; each moment shown keeps others out of so many
PEOPLE = 12  # lines
SPOKEN = 0.5  # probability


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
        if not self.n:
            return "none"
        return f"{self.total / self.n:+z.2f} [{self.least:+z.2f}, {self.most:+z.2f}]"


@dataclass(slots=True)
class _Seen:
    """One track so far."""

    source: str
    first: float  # s
    last: float  # s
    valence: _Range = field(default_factory=_Range)
    arousal: _Range = field(default_factory=_Range)
    valence_cal: _Range = field(default_factory=_Range)
    arousal_cal: _Range = field(default_factory=_Range)
    shown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Moment:
    strength: float  # distance from neutral in the valence-arousal plane
    source: str
    pts: float  # s
    line: str


class _Strongest:
    """The strongest few moments, chosen at the end: a stronger one may yet come close to any."""

    def __init__(self) -> None:
        self._bins: dict[tuple[str, int], _Moment] = {}

    def offer(self, new: _Moment) -> None:
        key = new.source, floor(new.pts / BIN)
        if key in self._bins and self._bins[key].strength >= new.strength:
            return
        self._bins[key] = new
        if len(self._bins) > ENOUGH:
            del self._bins[min(self._bins, key=lambda key: self._bins[key].strength)]

    def moments(self) -> list[_Moment]:
        """The strongest first, then the strongest that is APART from it, and so on."""
        chosen: list[_Moment] = []
        for new in sorted(self._bins.values(), key=attrgetter("strength"), reverse=True):
            near = (m for m in chosen if m.source == new.source and abs(m.pts - new.pts) < APART)
            if len(chosen) < MOMENTS and not any(near):
                chosen.append(new)
        return chosen


class Summary:
    """Takes results one by one; its memory grows with the people, not with the frames.

    ids: False says nothing of anybody in particular.
    """

    def __init__(self, *, ids: bool = True) -> None:
        self._ids = ids
        self._frames = 0
        self._with_faces = 0
        self._people: dict[int, _Seen] = {}
        self._shown = _Strongest()
        self._evoked = _Strongest()
        self._scene: SceneReading | None = None  # the last one, held for many frames
        self._sources: set[str] = set()
        self._voice, self._sound = _Range(), _Range()  # frames in which somebody speaks; arousal

    def add(self, result: FrameResult) -> None:
        self._frames += 1
        self._with_faces += bool(result.people)
        self._sources.add(result.source)
        for person in result.people:
            self._add_person(result, person)
        if result.scene is not None and result.scene is not self._scene:
            self._scene = result.scene
            self._add_scene(result, result.scene)
        if result.audio is not None and result.audio.voice is not None:
            self._voice.add(result.audio.voice >= SPOKEN)
        if result.audio is not None and result.audio.arousal is not None:
            self._sound.add(result.audio.arousal)

    def text(self) -> str:
        """A title, a line per person, the strongest moments and scenes with their times."""
        names = sorted(self._sources)
        title = names[0] if len(names) == 1 else f"{len(names)} inputs"
        n = len(self._people)
        people = f"{n} {'person (track)' if n == 1 else 'people (tracks)'} seen"
        faces = people if self._ids else f"faces in {self._with_faces} of them"
        frames = f"{self._frames} frame{'s' if self._frames != 1 else ''}"
        lines = [f"{title}: {frames}, {faces}"]
        if self._people and self._ids:
            lines += self._people_seen()
        if self._voice.n:
            share = self._voice.total / self._voice.n
            arousal = f", arousal {self._sound}" if self._sound.n else ""
            lines += ["", f"sound: somebody speaks in {share:.0%} of the frames{arousal}"]
        for title, strongest in (
            ("strongest moments: what faces show", self._shown),
            ("strongest scenes: what the picture evokes", self._evoked),
        ):
            moments = strongest.moments()
            if moments:
                lines += ["", title]
            width = max((len(m.source) for m in moments), default=0)
            lines += [f"  {self._where(m, width)}  {m.line}" for m in moments]
        return "\n".join(lines)

    def _people_seen(self) -> list[str]:
        longest = sorted(self._people.items(), key=lambda item: -item[1].valence.n)
        named = sorted(longest[:PEOPLE])
        calibrated = any(seen.valence_cal.n for _, seen in longest)
        cal = ("valence_cal", "arousal_cal") if calibrated else ()
        cells = [("face", "seen", "valence", "arousal", *cal, "mostly")]
        cells += [self._cells(track, seen, calibrated) for track, seen in named]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        head, *lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
        if len(longest) > PEOPLE:
            lines.append(f"      and {len(longest) - PEOPLE} seen more briefly")
        return ["", head, *lines]

    def _cells(self, track: int, seen: _Seen, calibrated: bool) -> tuple[str, ...]:
        when = f"{seen.first:.2f} - {seen.last:.2f} s"
        if len(self._sources) > 1:
            when = seen.source
        mostly = seen.shown.most_common(1)[0][0]
        cal = (str(seen.valence_cal), str(seen.arousal_cal)) if calibrated else ()
        return str(track), when, str(seen.valence), str(seen.arousal), *cal, mostly

    def _where(self, moment: _Moment, width: int) -> str:
        when = f"{moment.pts:9.3f} s"
        return when if len(self._sources) == 1 else f"{moment.source:<{width}}{when}"

    def _add_person(self, result: FrameResult, person: PersonReading) -> None:
        track, smooth = person.face.track, person.affect.smooth
        seen = self._people.setdefault(track, _Seen(result.source, result.pts, result.pts))
        seen.last = result.pts
        seen.valence.add(smooth.valence)
        seen.arousal.add(smooth.arousal)
        if person.affect.calibrated is not None:
            seen.valence_cal.add(person.affect.calibrated.valence)
            seen.arousal_cal.add(person.affect.calibrated.arousal)
        best = max(zip(person.expression.values, person.expression.labels, strict=True))
        seen.shown[best[1]] += 1
        words = [f"face {track}"] if self._ids else []
        words += [f"valence {smooth.valence:+z.2f}", f"arousal {smooth.arousal:+z.2f}"]
        line = "  ".join([*words, f"{best[1]} {best[0]:.2f}"])
        moment = _Moment(hypot(smooth.valence, smooth.arousal), result.source, result.pts, line)
        self._shown.offer(moment)

    def _add_scene(self, result: FrameResult, scene: SceneReading) -> None:
        if scene.affect is None:
            return
        raw = scene.affect.raw
        words = [f"valence {raw.valence:+z.2f}", f"arousal {raw.arousal:+z.2f}"]
        if scene.emotions is not None:
            best = max(zip(scene.emotions.values, scene.emotions.labels, strict=True))
            words.append(f"{best[1]} {best[0]:.2f}")
        place, score = best_place(scene.place)
        if place is not None:
            words.append(f"{place} {score:.2f}")
        self._evoked.offer(_Moment(strength(scene), result.source, scene.pts, "  ".join(words)))
