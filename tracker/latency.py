"""How long results take, in a live run of any length, in constant memory."""

from __future__ import annotations

from collections import Counter
from math import ceil

STEP = 1e-4  # s; how finely latencies are told apart


class Latencies:
    """Counts latencies by tenths of a millisecond; the largest is kept as it was."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.n = 0
        self.largest = 0.0  # s

    def add(self, latency: float) -> None:
        """latency: s."""
        self._counts[round(latency / STEP)] += 1
        self.n += 1
        self.largest = max(self.largest, latency)

    def below(self, share: float) -> float | None:
        """s within which so much of all, in (0, 1], was done (nearest rank); None of nothing."""
        left = ceil(share * self.n)
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return round(step * STEP, 4)
        return None


def in_words(latencies: Latencies, dropped: int) -> str:
    """One line for the end of a live run."""
    frames = latencies.n
    share = dropped / max(1, frames + dropped)
    line = f"{frames} frames read, {dropped} dropped ({share:.1%})"
    middle, slow = latencies.below(0.5), latencies.below(0.95)
    if middle is None or slow is None:
        return line
    return (
        f"{line}; latency p50 {1e3 * middle:.1f} ms, p95 {1e3 * slow:.1f} ms, "
        f"max {1e3 * latencies.largest:.1f} ms"
    )
