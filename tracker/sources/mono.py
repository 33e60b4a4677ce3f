"""Decoded sound of any kind into pieces on the frames' clock."""

from __future__ import annotations

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from tracker.sound import RATE, Piece

HOLD = 0.015  # s by which a container's times may waver before the sound is moved in time


class Mono:
    """Decoded sound of any rate, any number of channels, into pieces.

    Channels are mixed with shares that sum to 1, so that nothing clips. hold: s; sound that is
    further than this from where the samples before it ended is moved to its own time.
    """

    def __init__(self, hold: float = HOLD) -> None:
        self._hold = hold
        self._resampler: AudioResampler | None = None
        self._kind: tuple[int, str, str] | None = None  # rate, layout, format of what comes in
        self._due: float | None = None  # s, end of what came in
        self._next = 0  # number of the next sample to come out
        self._given = -(2**62)  # samples before this one are out

    def __call__(self, frame: AudioFrame, pts: float | None) -> list[Piece]:
        """pts: s, of the frame's first sample; None: where the one before ended.

        Raises av.FFmpegError or ValueError if the frame is damaged.
        """
        begin = pts if pts is not None else self._due or 0.0
        kind = frame.sample_rate, frame.layout.name, frame.format.name
        moved = self._due is None or abs(begin - self._due) > self._hold
        pieces = []
        if moved or kind != self._kind:
            pieces = self.rest()
            # 16 bits: in floats the mix of two channels would be 3 dB too loud.
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
            self._kind = kind
            self._next = round(begin * RATE)
            self._due = begin
        assert self._resampler is not None
        assert self._due is not None
        self._due += frame.samples / frame.sample_rate
        return pieces + self._pieces(self._resampler.resample(frame))

    def rest(self) -> list[Piece]:
        """What is still inside."""
        if self._resampler is None:
            return []
        left = self._resampler.resample(None)
        self._resampler = self._kind = None
        return self._pieces(left)

    def _pieces(self, frames: list[AudioFrame]) -> list[Piece]:
        pieces = []
        for frame in frames:
            samples = frame.to_ndarray()[0].astype(np.float32) / 32768
            first, self._next = self._next, self._next + len(samples)
            early = max(0, self._given - first)  # time stepped back a little: said already
            if early < len(samples):
                pieces.append(Piece(first + early, samples[early:]))
                self._given = self._next
        return pieces
