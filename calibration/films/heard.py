"""The sound of a film, second by second: how strong each band of pitch is, and how it varies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.mel import LogMel, MelShape
from tracker.sound import RATE, REACH, sample_at
from tracker.sources.base import Report
from tracker.sources.soundtrack import SoundTrack
from tracker.values import Frame

MEL = MelShape(rate=RATE, window=400, hop=160, bands=40, frames=98)  # frames: that fill a second
WIDTH = 2 * MEL.bands
ENOUGH = 0.5  # share of a second that must have been heard

Array = NDArray[np.float32]


def heard(video: Path, first: Frame, count: int) -> Array:
    """(count, WIDTH): mean and deviation of each band, dB; nan where there is no sound.

    first: the film's first frame, at which its first second begins.
    """
    mel = LogMel(MEL)
    rows = np.full((count, WIDTH), np.nan, np.float32)
    track = SoundTrack(video.name, video, Report())
    try:
        track.begin(first)
        for second in range(count):
            samples = _samples(track, first.pts + second)
            there = np.isfinite(samples)
            if there.mean() >= ENOUGH:
                bands = mel(np.where(there, samples, 0))
                rows[second] = np.concatenate([bands.mean(1), bands.std(1)])
    finally:
        track.close()
    return rows


def _samples(track: SoundTrack, begin: float) -> Array:
    """(RATE,): one second of it; nan where there is none."""
    start = sample_at(begin)
    samples = np.full(RATE, np.nan, np.float32)
    for piece in track.upto(begin + 1 - REACH):
        early = max(0, start - piece.first)
        at = piece.first + early - start
        kept = piece.samples[early : early + RATE - at]
        samples[at : at + len(kept)] = kept
    return samples
