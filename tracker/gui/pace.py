"""How fast results come, and how old they are when they do: measured, not promised."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import inf

import numpy as np

from tracker.values import FrameResult

WINDOW = 3.0  # s over which rate and latency are taken


class Pace:
    def __init__(self) -> None:
        self._came: deque[tuple[float, float]] = deque()  # s on the viewer's clock; latency, s
        self._since = -inf  # s, when something came, or nothing was expected
        self.idle = True  # something is expected, and nothing has come for WINDOW seconds

    def add(self, results: Sequence[FrameResult], now: float, *, paused: bool = False) -> None:
        """now: s, on any clock that goes on. paused: nothing is expected."""
        self._came.extend((now, result.latency) for result in results)
        while self._came and self._came[0][0] < now - WINDOW:
            self._came.popleft()
        if results or paused:
            self._since = now
        self.idle = self._since < now - WINDOW

    def rate(self) -> float | None:
        """Frames/s; None until there is enough to tell."""
        if len(self._came) < 3:
            return None
        seconds = self._came[-1][0] - self._came[0][0]
        first = sum(1 for came, _ in self._came if came == self._came[0][0])
        return (len(self._came) - first) / seconds if seconds > 0 else None

    def latency(self) -> tuple[float, float] | None:
        """Median and 95th percentile, s, from a frame's arrival to its result."""
        if not self._came:
            return None
        median, late = np.percentile([latency for _, latency in self._came], (50, 95))
        return float(median), float(late)
