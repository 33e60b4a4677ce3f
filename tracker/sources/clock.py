"""The time of each frame of a film, in seconds."""

from __future__ import annotations

import math

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

ASSUMED_RATE = 25.0  # frames/s, where neither frames nor stream name any: the PAL rate
FASTEST = 1000.0  # frames/s; above, it is the unit that times are counted in
EARLY = 1e-6  # s; rounding of a time given with six decimals


class Clock:
    """What the container says, and what there is to be said of that.

    Containers that know no time of display (AVI, ASF) give the times of B-frames in the wrong
    order. The times of decoding are then used, as FFmpeg's own programs do: whichever of the two
    stepped back less often. Where a frame has no time, the stream's nominal rate counts on.
    """

    def __init__(self, stream: VideoStream) -> None:
        named = (float(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate)
        self.rate = next((rate for rate in named if rate <= FASTEST), ASSUMED_RATE)
        self.last: float | None = None  # s
        self.ticks: int | None = None  # the same, in the stream's units; None: it has no time
        self.end = -math.inf  # s, up to which frames are shown
        self.longest = 0.0  # s from one frame to the next
        self.back = 0  # steps back, as where two recordings were joined
        self.untimed = 0  # frames without a time
        self.decoding = 0  # frames whose time of decoding was used
        self._shown = _Order()
        self._decoded = _Order()

    def __call__(self, frame: VideoFrame) -> float:
        pts = self._time(frame)
        if self.last is not None:
            self.longest = max(self.longest, pts - self.last)
            self.back += pts < self.last - EARLY
        self.last, self.ticks = pts, frame.pts
        self.end = max(self.end, pts + float((frame.duration or 0) * (frame.time_base or 0)))
        return pts

    def _time(self, frame: VideoFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            self.untimed += 1
            return 0.0 if self.last is None else self.last + 1 / self.rate
        if self._shown(frame.pts) > self._decoded(frame.dts) and frame.dts is not None:
            self.decoding += 1
            return float(frame.dts * frame.time_base)
        return float(frame.pts * frame.time_base)


class _Order:
    """How often a count stepped back."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._back = 0

    def __call__(self, ticks: int | None) -> int:
        if ticks is not None:
            self._back += self._last is not None and ticks < self._last
            self._last = ticks
        return self._back
