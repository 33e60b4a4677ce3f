"""Sounds through a network as in the tracker: a window every 0.25 s, nothing after its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.sound.batches import RECENT
from calibration.sound.material import HOP, MEL, Acted, voiced
from engines import Engine, infer_rows
from tracker.audio import EVERY
from tracker.mel import LogMel
from tracker.sound import RATE

Samples = NDArray[np.float32]
Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Looks:
    """What a network says every EVERY seconds of one sound."""

    pts: Series  # (n,), s: ends of the windows
    voice: Series  # (n,)
    arousal: Series  # (n,)


class Utterance:
    """A file of RAVDESS and its sound."""

    def __init__(self, file: Acted, samples: Samples) -> None:
        self.file = file
        self.samples = samples  # (n,), at RATE
        self.voiced = voiced(samples)  # (frames,)


def look(engine: Engine, samples: Samples) -> Looks:
    """samples: (n,), at RATE; before them is silence."""
    before = np.zeros(MEL.samples, np.float32)
    mel = LogMel(MEL)(np.concatenate([before, samples]))
    step = round(EVERY / HOP)
    numbers = np.arange(1, len(samples) // round(EVERY * RATE) + 1)
    windows = np.stack([mel[:, step * k : step * k + MEL.frames] for k in numbers])
    names = [spec.name for spec in engine.outputs]
    out = dict(zip(names, infer_rows(engine, windows), strict=True))
    voice, arousal = (out[name][:, 0].astype(np.float64) for name in ("voice", "arousal"))
    return Looks(np.asarray(numbers * EVERY, np.float64), voice, arousal)


def speaking(file: Utterance, pts: Series) -> NDArray[np.bool_]:
    """(n,): whether somebody speaks for half of the last quarter second."""
    there = file.voiced
    ends = np.minimum((pts / HOP).astype(int), len(there))
    return np.array([there[max(0, end - RECENT) : end].mean() >= 0.5 for end in ends])


def last_in_speech(file: Utterance, pts: Series) -> int:
    end = np.flatnonzero(file.voiced)[-1] * HOP
    return int(np.searchsorted(pts, end, side="right")) - 1


def over_the_quietest(sound: Samples, pts: Series) -> Series:
    """dB of the last quarter second above the quietest one of three seconds."""
    length = round(EVERY * RATE)
    blocks = sound[: len(sound) // length * length].reshape(-1, length)
    level = 10 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-10)
    last = round(3 / EVERY)
    return np.array([level[k] - level[max(0, k + 1 - last) : k + 1].min() for k in range(len(pts))])
