"""What the curves hold of one person: numbers by time, in one growing array."""

from __future__ import annotations

from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from tracker.values import PersonReading

Rows = NDArray[np.float32]  # (n, 7): pts in s since `zero`; see ROW
ROW = (
    "pts",
    "raw valence",
    "raw arousal",
    "valence",
    "arousal",
    "spread valence",
    "spread arousal",
)
RAW, SMOOTH, SPREAD = 1, 3, 5  # column of the valence; the arousal's is next
FIRST = 64  # rows there is room for at the beginning; a face in a film has often no more


class Series:
    """One person's readings in the order of time. A time that is there already changes nothing.

    zero: s; float32 holds a day to 8 ms, counted from there.
    """

    def __init__(self, zero: float) -> None:
        self._zero = zero
        self._rows = np.empty((FIRST, len(ROW)), np.float32)
        self._begin = self._end = 0
        self.last = -inf  # s since `zero`, of the newest row

    def add(self, pts: float, person: PersonReading) -> None:
        if pts - self._zero <= self.last:
            return
        self.last = pts - self._zero
        if self._end == len(self._rows):
            self._make_room()
        raw, smooth, spread = person.affect.raw, person.affect.smooth, person.affect.spread
        wide = (nan, nan) if spread is None else (spread.valence, spread.arousal)
        self._rows[self._end] = (
            *(self.last, raw.valence, raw.arousal),
            *(smooth.valence, smooth.arousal, *wide),
        )
        self._end += 1

    def between(self, start: float, end: float) -> Rows:
        """The rows of a time, s; not to be kept. One more on each side, where there is one."""
        rows = self._rows[self._begin : self._end]
        if self._apart(start, end):  # a film has thousands of people, and few of now
            return rows[:0]
        first, last = np.searchsorted(rows[:, 0], (start - self._zero, end - self._zero))
        return rows[max(0, first - 1) : last + 1]

    def seen(self, start: float, end: float) -> bool:
        """Whether there is a reading within a time, s."""
        if self._apart(start, end):
            return False
        times = self._rows[self._begin : self._end, 0]
        first, last = np.searchsorted(times, (start - self._zero, end - self._zero))
        return bool(last + (last < len(times) and times[last] == end - self._zero) > first)

    def forget_before(self, pts: float) -> None:
        """Drop what is older than `pts`, in seconds."""
        rows = self._rows[self._begin : self._end, 0]
        self._begin += int(np.searchsorted(rows, pts - self._zero))

    def __len__(self) -> int:
        return self._end - self._begin

    def _apart(self, start: float, end: float) -> bool:
        """Told without a search: everything is before or after a time, s."""
        rounding = 0.01  # s, of the rows
        if not len(self) or self.last < start - self._zero - rounding:
            return True
        return bool(self._rows[self._begin, 0] > end - self._zero + rounding)

    def _make_room(self) -> None:
        """What is kept moves to the front; the array grows if that is more than half of it."""
        kept = self._rows[self._begin : self._end]
        size = len(self._rows) * (2 if 2 * len(kept) > len(self._rows) else 1)
        rows = np.empty((size, len(ROW)), np.float32)
        rows[: len(kept)] = kept
        self._rows, self._begin, self._end = rows, 0, len(kept)
