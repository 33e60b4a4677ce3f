"""What the sound says: how loud, whether somebody speaks, how excited."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from engines import Engine
from tracker.mel import LogMel
from tracker.sound import RATE, REACH, Piece, Sound, sample_at
from tracker.values import AudioReading, Frame

EVERY = 0.25  # s of stream time between two looks of the network
LOUDNESS = 0.125  # s that the level is taken over: the "fast" of sound level meters (IEC 61672)
SILENCE = -100.0  # dBFS; what is stated of digital silence
LATE = 0.5  # s; sound that is not there after so long will not come
WHOLE = 0.95  # share of the network's window that must have been heard for an arousal
STEADY = 4.0  # s of raw readings that make the smooth one
FADE = 1.5  # s after which a raw reading counts for 1/e of the newest


@dataclass(frozen=True, slots=True)
class _Look:
    """What the network said at one moment."""

    pts: float  # s
    voice: float | None
    arousal: float | None


class AudioReader:
    """Level at every frame; voice and arousal at moments that are EVERY apart, from 0.

    So the readings of a moment depend on the sound alone, not on which frames were taken.

    engine: maps mel (n, bands, frames) to arousal (n, 1) and voice (n, 1).
    needs_voice: probability below which the arousal means nothing; None: it is for any sound.
    """

    def __init__(self, engine: Engine, mel: LogMel, needs_voice: float | None = None) -> None:
        self._engine = engine
        self._mel = mel
        self._needs_voice = needs_voice
        self._outputs = {spec.name: i for i, spec in enumerate(engine.outputs)}
        self._sound: Sound | None = None
        self.begin()

    def listen(self, sound: Sound | None) -> None:
        """Close the sound so far; hear this one from the next frame on."""
        if self._sound is not None:
            self._sound.close()
        self._sound = sound
        self.begin()

    def begin(self) -> None:
        self._past: _Past | None = None
        self._looks: deque[_Look] = deque(maxlen=round(STEADY / EVERY))
        self._next = 0  # number of the next look: its pts divided by EVERY

    def close(self) -> None:
        self.listen(None)
        self._engine.close()

    def __call__(self, frame: Frame) -> AudioReading | None:
        if self._sound is None:
            return None
        if self._past is None:
            self._sound.begin(frame)
            self._past = _Past(self._mel.shape.samples + sample_at(STEADY + LATE))
        past, pts = self._past, frame.pts
        past.move_to(sample_at(pts - REACH), self._sound.upto(pts - REACH))
        self._look(past, pts)
        if past.heard < sample_at(pts - LATE):
            return None
        level = level_of(past.before(past.heard, round(LOUDNESS * RATE)))
        if level is None:
            return None
        known = [look for look in self._looks if look.pts > pts - STEADY]
        last = known[-1] if known else _Look(pts, None, None)
        smooth = _smooth([look for look in known if look.arousal is not None], last.pts)
        return AudioReading(past.heard / RATE, level, last.voice, smooth, last.arousal)

    def _look(self, past: _Past, pts: float) -> None:
        """At every moment up to `pts` that was not looked at, and whose sound is there by now."""
        now = floor(pts / EVERY + 1e-9)
        self._next = max(self._next, now + 1 - round(STEADY / EVERY))
        while self._next <= now:
            when = self._next * EVERY
            end = sample_at(when - REACH)
            if past.heard < end and pts - when < LATE:
                return  # it may still come
            said = self._said(past.before(end, self._mel.shape.samples))
            self._looks.append(_Look(when, *said))
            self._next += 1

    def _said(self, samples: NDArray[np.float32]) -> tuple[float | None, float | None]:
        """Voice and arousal at the end of `samples`."""
        there = np.isfinite(samples)
        if not there[-sample_at(LATE) :].any():
            return None, None
        out = self._engine.infer(self._mel(np.where(there, samples, 0))[None])
        voice = float(out[self._outputs["voice"]][0, 0])
        if there.mean() < WHOLE or (self._needs_voice is not None and voice < self._needs_voice):
            return voice, None
        return voice, float(out[self._outputs["arousal"]][0, 0])


def _smooth(looks: Sequence[_Look], pts: float) -> float | None:
    ages = np.array([pts - look.pts for look in looks], np.float64)
    values = np.array([look.arousal for look in looks], np.float64)
    return steadied(ages, values) if looks else None


def steadied(ages: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Mean of the raw readings of the last STEADY seconds, the newest counting most.

    ages: (n,), s. values: (n,), n >= 1.
    """
    weights = np.exp(-ages / FADE)
    return float(weights @ values / weights.sum())


class _Past:
    """The last samples before a moment; what was not heard is nan."""

    def __init__(self, length: int) -> None:
        self.heard = -(2**62)  # number of the sample after the last one heard
        self._samples = np.full(length, np.nan, np.float32)
        self._end = self.heard  # number of the sample after `_samples`

    def move_to(self, end: int, pieces: list[Piece]) -> None:
        """Pieces may belong to moments that were passed already: they came late."""
        length = len(self._samples)
        forward = min(length, max(0, end - self._end))
        self._samples[: length - forward] = self._samples[forward:]
        self._samples[length - forward :] = np.nan
        self._end = max(end, self._end)
        for piece in pieces:
            begin = piece.first - (self._end - length)
            kept = piece.samples[max(0, -begin) :]
            self._samples[max(0, begin) : max(0, begin) + len(kept)] = kept
            self.heard = max(self.heard, piece.first + len(piece.samples))

    def before(self, end: int, count: int) -> NDArray[np.float32]:
        """(count,): the samples before the one of that number."""
        stop = len(self._samples) - (self._end - end)
        return self._samples[stop - count : stop]


def level_of(samples: NDArray[np.float32]) -> float | None:
    """dBFS, root mean square; a full-scale sine has -3. None if all are nan."""
    heard = samples[np.isfinite(samples)]
    if not heard.size:
        return None
    power = float(np.mean(np.square(heard, dtype=np.float64)))
    return min(0.0, max(SILENCE, 10 * log10(max(power, 1e-30))))
