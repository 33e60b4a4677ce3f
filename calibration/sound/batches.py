"""Windows as the tracker will meet them: voices with silence, noise, music and a room around them.

Everything is done to the power of the mel bands, where sounds add up (but for their phases),
a filter is a weight per band, and a room is an exponential tail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from calibration.sound.material import HOP, MEL, Clip
from tracker.mel import FLOOR, decibels

Power = NDArray[np.float32]  # (frames, bands) or (n, frames, bands)
RECENT = round(0.25 / HOP)  # frames at the end of a window: "somebody speaks" is about these
ENOUGH = round(0.7 / HOP)  # frames of voice that say how excited it is
NOTHING = 10 ** (FLOOR / 10)
ONSETS = 0.25  # of the windows with something around the voice: it begins in them, or ends


@dataclass(frozen=True, slots=True)
class Batch:
    mel: torch.Tensor  # (n, bands, frames), dB
    voice: torch.Tensor  # (n,), 0 or 1
    arousal: torch.Tensor  # (n,), -1..1; nan: not known


@dataclass(frozen=True, slots=True)
class Loudness:
    """dB by which voices are made louder than they were recorded."""

    low: float
    high: float


class Drawing:
    """Draws windows; half of them hold a voice.

    voices: utterances. others: sounds without a voice.
    """

    def __init__(self, voices: Sequence[Clip], others: Sequence[Clip], loudness: Loudness) -> None:
        self._voices, self._others, self._loudness = voices, others, loudness
        self._acts: dict[tuple[int, str, str], list[Clip]] = defaultdict(list)
        for clip in voices:
            self._acts[clip.act].append(clip)

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        shape = (count, MEL.frames, MEL.bands)
        spoken, around = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        voice, arousal = np.zeros(count, np.float32), np.full(count, np.nan, np.float32)
        for i in range(count):
            if rng.random() < 0.6:
                spoken[i], voice[i], arousal[i] = self._speech(rng)
            around[i] = self._background(rng, spoken[i], aloud=not voice[i])
        power = _through_air(rng, spoken) + _through_air(rng, around)
        hiss = 10 ** (rng.uniform(-100, -55, (count, 1, 1)) / 10)  # the recorder's own
        power += hiss.astype(np.float32)
        _begun_late(rng, power)
        mel = decibels(power).transpose(0, 2, 1).copy()
        return Batch(torch.from_numpy(mel), torch.from_numpy(voice), torch.from_numpy(arousal))

    def _speech(self, rng: np.random.Generator) -> tuple[Power, float, float]:
        """A stretch of one act; whether its end is spoken; its arousal, if it holds enough."""
        clip = self._voices[int(rng.integers(len(self._voices)))]
        alike = self._acts[clip.act]
        gain = 10 ** (rng.uniform(self._loudness.low, self._loudness.high) / 10)
        mels, voiced = [], []
        length = 0
        while length < 2 * MEL.frames:
            gap = int(rng.integers(0, 150)) if rng.random() < 0.6 else 0
            clip = alike[int(rng.integers(len(alike)))]
            mels += [np.zeros((gap, MEL.bands), np.float32), _power(clip.mel)]
            voiced += [np.zeros(gap, np.bool_), clip.voiced]
            length += gap + len(clip.mel)
        pace = rng.uniform(0.85, 1.18)
        begin = rng.uniform(0, length - MEL.frames * pace)
        part = (begin + pace * np.arange(MEL.frames)).astype(int)
        there = np.concatenate(voiced)[part]
        known = there.sum() >= ENOUGH
        spoken = there[-RECENT:].mean() >= 0.5
        power = _throat(rng, np.concatenate(mels)[part]) * np.float32(gain)
        return power, float(spoken), clip.arousal if known else float("nan")

    def _background(self, rng: np.random.Generator, spoken: Power, *, aloud: bool) -> Power:
        """aloud: nobody speaks at the end, so it may be as loud as it likes."""
        if rng.random() < 0.25:
            return np.zeros_like(spoken)
        clip = self._others[int(rng.integers(len(self._others)))]
        begin = rng.integers(0, len(clip.mel) - MEL.frames + 1)
        power = _power(clip.mel[begin : begin + MEL.frames])
        power /= max(float(power.mean()), NOTHING)
        if rng.random() < ONSETS:  # not only voices begin or end in silence
            edge = int(rng.integers(0, MEL.frames))
            power[slice(edge) if rng.random() < 0.7 else slice(edge, None)] = 0
        loud = float(spoken.mean())
        if loud == 0 or (aloud and rng.random() < 0.5):
            return power * np.float32(10 ** (rng.uniform(-70, 0) / 10))
        return power * np.float32(loud * 10 ** (rng.uniform(-35, 3) / 10))


def _throat(rng: np.random.Generator, power: Power) -> Power:
    """Another speaker: the bands moved a little up or down (Jaitly and Hinton 2013)."""
    place = np.arange(MEL.bands) * rng.uniform(0.9, 1.12) + rng.uniform(-2, 2)
    low = np.clip(place.astype(int), 0, MEL.bands - 2)
    share = np.clip(place - low, 0, 1).astype(np.float32)
    return np.asarray(power[:, low] * (1 - share) + power[:, low + 1] * share, np.float32)


def _power(mel: NDArray[np.float16]) -> Power:
    return np.asarray(np.exp(mel.astype(np.float32) * np.float32(np.log(10) / 10)), np.float32)


def _through_air(rng: np.random.Generator, power: Power) -> Power:
    """A room and a microphone: a tail, a tilted or bumpy response, sometimes a narrow line."""
    n, frames, bands = power.shape
    wet = np.where(rng.random(n) < 0.4, rng.uniform(0, 0.3, n), 0).astype(np.float32)
    tail = np.exp(-13.8 * HOP / rng.uniform(0.15, 0.9, n)).astype(np.float32)  # 60 dB in so many s
    for i in np.flatnonzero(wet):
        ringing = np.zeros(bands, np.float32)
        dry = power[i].copy()
        for t in range(1, frames):
            ringing = tail[i] * (ringing + wet[i] * dry[t - 1])
            power[i, t] += ringing
    place = np.linspace(0, 1, bands)
    bumps = sum(rng.normal(0, 3, (n, 1)) * np.cos(np.pi * k * place) for k in (1, 2, 3))
    narrow = rng.random((n, 1)) < 0.12
    low, high = rng.integers(2, 9, (n, 1)), rng.integers(38, 60, (n, 1))
    outside = (np.arange(bands) < low) | (np.arange(bands) > high)
    gain = 10 ** ((bumps - 40 * (narrow & outside)) / 10)
    power *= gain[:, None].astype(np.float32)
    return power


def _begun_late(rng: np.random.Generator, power: Power) -> None:
    """Some windows begin before the film did: nothing was heard there yet."""
    for row in power[rng.random(len(power)) < 0.1]:
        row[: rng.integers(1, MEL.frames - RECENT)] = NOTHING
