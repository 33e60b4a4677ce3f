"""The words beside a face, held still enough to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from tracker.values import FrameResult, PersonReading

STEADY = 0.5  # s, time constant of the running mean behind a word
LEAD = 0.1  # by which another word must be ahead to take its place
SECOND, KEPT = 0.3, 0.2  # mean probability from which a second word is shown, and is kept
REFRESH = 0.25  # s between two values of a number
LISTED = 2  # categories of the context
GONE = 2.0  # s unseen after which a track is new


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside one face."""

    track: int
    words: str  # the likeliest expression, perhaps a second
    lines: tuple[str, ...]  # valence and arousal, smooth; what the context says, if a model does


@dataclass(slots=True)
class _Mean:
    pts: float  # s, of the last reading
    shares: dict[str, float]  # running mean of the probabilities
    word: str
    second: str | None
    lines: tuple[str, ...]
    written: float  # s, when `lines` were


class Words:
    """Keeps a running mean for every track. For the eye only: no table holds it."""

    def __init__(self) -> None:
        self._means: dict[int, _Mean] = {}

    def add(self, result: FrameResult) -> None:
        known = {
            track: mean for track, mean in self._means.items() if 0 <= result.pts - mean.pts < GONE
        }
        for person in result.people:
            known[person.face.track] = _moved(known.get(person.face.track), result.pts, person)
        self._means = known

    def labels(self, result: FrameResult) -> list[Label]:
        """One for each person in `result`."""
        return [self._label(result.pts, person) for person in result.people]

    def _label(self, pts: float, person: PersonReading) -> Label:
        track = person.face.track
        mean = self._means.get(track) or _moved(None, pts, person)  # the viewer has moved on
        words = mean.word if mean.second is None else f"{mean.word}, {mean.second}"
        return Label(track, words, mean.lines)


def _moved(mean: _Mean | None, pts: float, person: PersonReading) -> _Mean:
    now = dict(zip(person.expression.labels, person.expression.values, strict=True))
    if mean is None:
        return _Mean(pts, now, max(now, key=now.__getitem__), None, _lines(person), pts)
    keep = exp(-(pts - mean.pts) / STEADY)
    shares = {word: keep * mean.shares[word] + (1 - keep) * share for word, share in now.items()}
    word = _leader(shares, mean.word)
    second = _second(shares, word, mean.second)
    if pts - mean.written < REFRESH:
        return _Mean(pts, shares, word, second, mean.lines, mean.written)
    return _Mean(pts, shares, word, second, _lines(person), pts)


def _leader(shares: Mapping[str, float], before: str) -> str:
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] - shares[before] > LEAD else before


def _second(shares: Mapping[str, float], word: str, before: str | None) -> str | None:
    if before is not None and before != word and shares[before] >= KEPT:
        return before
    rest = {other: share for other, share in shares.items() if other != word}
    best = max(rest, key=rest.__getitem__)
    return best if rest[best] >= SECOND else None


def _lines(person: PersonReading) -> tuple[str, ...]:
    smooth = person.affect.smooth
    numbers = f"V {signed(smooth.valence)}  A {signed(smooth.arousal)}"
    if person.context is None or person.context.categories is None:
        return (numbers,)
    shares = dict(
        zip(person.context.categories.labels, person.context.categories.values, strict=True)
    )
    best = sorted(shares, key=shares.__getitem__, reverse=True)[:LISTED]
    return numbers, f"seems: {', '.join(best)}"


def signed(value: float) -> str:
    """A number as it is to be read: two decimals, a real minus, and no minus zero."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "\N{MINUS SIGN}")
