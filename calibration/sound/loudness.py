"""How exciting film music is, from how loud it is in all its bands: a line fitted to ratings.

Eerola & Vuoskoski (2011), "A comparison of the discrete and dimensional models of emotion in
music", Psychology of Music 39, 18-49: 110 excerpts of film music, rated for energy (arousal) on a
scale of 1 to 9. Ratings and features: MusicScienceData, MIT. The sound itself is not at hand; its
first MFCC is, and that is the mean over bands and frames of the log-mel picture, but for a factor.

    python -m calibration.sound.loudness
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from calibration.samples import run
from calibration.sound.material import frames_of, heard
from tracker.mel import LogMel, MelShape, decibels

BANDS = 128  # librosa's defaults, with which the features were made: 22,050 samples/s, ...
LIBROSA = MelShape(rate=22_050, window=2048, hop=512, bands=BANDS, frames=1)
DEPTH = 80.0  # dB below the loudest, which librosa leaves out
CLIPS = ("sintel_26s.mp4", "big_buck_bunny_0_30.webm")  # films (CC BY 3.0, Blender Foundation)
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """arousal = slope * (mean log-mel, dB) + offset, then held to -1..1."""

    slope: float  # per dB
    offset: float

    def __call__(self, loudness: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(self.slope * loudness + self.offset, -1, 1)


@dataclass(frozen=True, slots=True)
class Excerpts:
    """The rated film music."""

    loudness: NDArray[np.float64]  # (n,), dB: mean log-mel as librosa has it
    arousal: NDArray[np.float64]  # (n,), -1..1: energy, from 1..9
    film: NDArray[np.str_]  # (n,): the soundtrack it was taken from


def excerpts(shared: Path) -> Excerpts:
    root = shared / "data" / "audio" / "film_soundtracks"
    features, ratings = (_rows(root / name) for name in ("features.csv", "ratings.csv"))
    return Excerpts(
        np.array([float(row["MFCC1"]) for row in features]) / np.sqrt(BANDS),
        (np.array([float(row["Energy"]) for row in ratings]) - 5) / 4,
        np.array([row["soundtrack"] for row in ratings]),
    )


def fitted(music: Excerpts) -> Line:
    """Least squares, for loudness as librosa has it."""
    slope, offset = np.polyfit(music.loudness, music.arousal, 1)
    return Line(float(slope), float(offset))


def foretold(music: Excerpts) -> NDArray[np.float64]:
    """(n,): each excerpt by a line fitted to the excerpts of other films."""
    said = np.empty(len(music.film))
    films = np.unique(music.film)
    np.random.default_rng(0).shuffle(films)
    for fold in range(FOLDS):
        out = np.isin(music.film, films[fold::FOLDS])
        others = Excerpts(music.loudness[~out], music.arousal[~out], music.film[~out])
        said[out] = fitted(others)(music.loudness[out])
    return said


def apart(shared: Path) -> float:
    """dB by which librosa's mean log-mel lies above ours, over the sound of two films."""
    theirs = LogMel(LIBROSA)
    found = []
    for name in CLIPS:
        path = shared / "clips" / name
        mel = decibels(theirs.power(_at_their_rate(path)))
        mel = np.maximum(mel, mel.max() - DEPTH)
        found.append(mel.mean() - frames_of(heard(path)).mean())
    return float(np.mean(found))


def shipped(shared: Path) -> Line:
    """The line for loudness as we have it."""
    line = fitted(excerpts(shared))
    return Line(line.slope, line.offset + line.slope * apart(shared))


def _at_their_rate(path: Path) -> NDArray[np.float32]:
    resampler = AudioResampler(format="s16", layout="mono", rate=LIBROSA.rate)
    with av.open(str(path)) as container:
        blocks = [b for frame in container.decode(audio=0) for b in resampler.resample(frame)]
    blocks += resampler.resample(None)
    samples = np.concatenate([block.to_ndarray()[0] for block in blocks])
    return np.asarray(samples / np.float32(32768), np.float32)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    print(fitted(excerpts(shared)), f"librosa above ours: {apart(shared):.2f} dB", shipped(shared))


if __name__ == "__main__":
    run(main)
