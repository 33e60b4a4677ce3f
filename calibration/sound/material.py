"""What the sound networks are taught on, as log-mel frames: made once, kept in the run's folder."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from calibration.sound.espeak import utterances
from calibration.sound.made import music, noise
from calibration.sound.targets import arousal_of
from tracker.mel import LogMel, MelShape, decibels
from tracker.sound import RATE
from tracker.sources.mono import Mono

MEL = MelShape(rate=RATE, window=400, hop=160, bands=64, frames=298)  # 3 s in the end
HOP = MEL.hop / RATE  # s
TEST = range(17, 21)  # actors of RAVDESS that are only for the scores: two women, two men
CHOOSE = range(15, 17)  # and those that choose the epoch
SEED = 11
UTTERANCES, NOISES, PIECES = 1500, 220, 260  # of made speech, noise and music

BELOW = 35.0  # dB under the loudest frames (their 95th percentile) down to which a voice is heard
QUIETEST = -70.0  # dBFS under which nobody speaks
PAUSE = 0.2  # s; a shorter pause is part of speech


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound: an utterance, or something without a voice."""

    mel: NDArray[np.float16]  # (frames, bands), dB
    voiced: NDArray[np.bool_]  # (frames,)
    arousal: float = float("nan")  # -1..1; nan: nobody knows
    act: tuple[int, str, str] = (
        0,
        "",
        "",
    )  # actor, emotion, intensity: such may be strung together


def heard(file: Path | BinaryIO, form: str | None = None) -> NDArray[np.float32]:
    """(n,): a sound file from its time 0 on, at RATE, as the tracker would hear it.

    form: FFmpeg's name of the container, where the file itself does not tell.
    """
    mono, found = Mono(), []
    with av.open(file, "r", format=form) as container:
        for frame in container.decode(audio=0):
            found += mono(frame, frame.time)
    found += mono.rest()
    samples = np.zeros(found[-1].first + len(found[-1].samples), np.float32)
    for piece in found:
        first = max(0, piece.first)  # what a codec needs to begin has times below 0
        part = piece.samples[first - piece.first :]
        samples[first:][: len(part)] = part
    return samples


def frames_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, bands), dB."""
    return decibels(LogMel(MEL).power(samples))


def levels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames,), dBFS."""
    pieces = np.lib.stride_tricks.sliding_window_view(samples, MEL.window)[:: MEL.hop]
    return np.asarray(10 * np.log10(np.maximum(np.mean(np.square(pieces), axis=1), 1e-12)))


def voiced(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(frames,): where a clean recording of speech has a voice, by its energy alone."""
    level = levels(samples)
    return bridged(level > max(float(np.percentile(level, 95)) - BELOW, QUIETEST))


def bridged(loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(frames,), with short pauses filled."""
    filled = loud.copy()
    for a, b in pairwise(np.flatnonzero(loud)):
        if b - a <= PAUSE / HOP:
            filled[a:b] = True
    return filled


def made_speech(folder: Path) -> list[Clip]:
    """Utterances of eSpeak NG, with their own silence cut off."""

    def make() -> Iterator[Clip]:
        rng = np.random.default_rng(SEED)
        for samples in tqdm(utterances(rng, UTTERANCES), total=UTTERANCES, desc="made speech"):
            yield Clip(frames_of(samples).astype(np.float16), voiced(samples))

    return [trimmed(clip) for clip in kept(folder / "speech.npz", make)]


def made_others(folder: Path) -> list[Clip]:
    """Noises and music without a voice."""

    def make() -> Iterator[Clip]:
        rng = np.random.default_rng(SEED + 1)
        makers = [noise] * NOISES + [music] * PIECES
        for maker in tqdm(makers, desc="made noise and music"):
            mel = frames_of(maker(rng)).astype(np.float16)
            yield Clip(mel, np.zeros(len(mel), np.bool_))

    return kept(folder / "others.npz", make)


@dataclass(frozen=True, slots=True)
class Acted:
    """An utterance of RAVDESS, with about a second of silence at both ends."""

    path: Path
    actor: int
    emotion: str
    intensity: str
    take: str  # what was said, and which time

    @property
    def arousal(self) -> float:
        """-1..1."""
        return arousal_of(self.emotion, self.intensity)


def acted_files(shared: Path) -> list[Acted]:
    """RAVDESS, actors 1 to 20."""
    root = shared / "data" / "audio" / "ravdess_speech"
    with (root / "labels.csv").open(encoding="utf-8") as file:
        return [
            Acted(
                root / row["file"],
                int(row["actor"]),
                row["emotion"],
                row["intensity"],
                f"{row['statement']} {row['repetition']}",
            )
            for row in csv.DictReader(file)
        ]


def acted_speech(shared: Path, folder: Path) -> list[Clip]:
    """The same as clips, with their silence cut off."""
    files = acted_files(shared)

    def make() -> Iterator[Clip]:
        for file in tqdm(files, desc="RAVDESS"):
            samples = heard(file.path)
            yield Clip(frames_of(samples).astype(np.float16), voiced(samples))

    clips = map(trimmed, kept(folder / "ravdess.npz", make))
    return [
        replace(clip, arousal=file.arousal, act=(file.actor, file.emotion, file.intensity))
        for clip, file in zip(clips, files, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Song:
    """An excerpt of emoMusic that is at hand."""

    name: str
    samples: NDArray[np.float32]  # (n,), at RATE
    pts: NDArray[np.float64]  # (m,), s
    arousal: NDArray[np.float64]  # (m,), -1..1: mean of the raters


def songs(shared: Path) -> list[Song]:
    """The ten of emoMusic: for the scores only."""
    root = shared / "data" / "audio" / "emomusic"
    ratings: dict[str, list[tuple[float, float]]] = {}
    with gzip.open(root / "dynamic_0.5s.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ratings.setdefault(row["song_id"], []).append(
                (float(row["t_s"]), float(row["arousal"]))
            )
    found = []
    for path in sorted((root / "clips").glob("*.opus"), key=lambda p: int(p.stem)):
        pts, arousal = np.array(ratings[path.stem]).T
        found.append(Song(path.stem, heard(path), pts, arousal))
    return found


def trimmed(clip: Clip) -> Clip:
    there = np.flatnonzero(clip.voiced)
    part = slice(there[0], there[-1] + 1)
    return replace(clip, mel=clip.mel[part], voiced=clip.voiced[part])


def kept(path: Path, make: Callable[[], Iterable[Clip]]) -> list[Clip]:
    """What `make` gives, from the file if it is there."""
    if not path.exists():
        clips = list(make())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez(
            partial,
            mel=np.concatenate([clip.mel for clip in clips]),
            voiced=np.concatenate([clip.voiced for clip in clips]),
            length=[len(clip.mel) for clip in clips],
            speaker=[clip.act[0] for clip in clips],
        )
        partial.replace(path)
    with np.load(path) as file:
        ends = np.cumsum(file["length"])[:-1]
        mels, voices = np.split(file["mel"], ends), np.split(file["voiced"], ends)
        acts = [(int(speaker), "", "") for speaker in file["speaker"]]
    parts = zip(mels, voices, acts, strict=True)
    return [Clip(mel, voice, act=act) for mel, voice, act in parts]
