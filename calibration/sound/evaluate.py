"""How well the sound networks do, beside answers that know nothing.

python -m calibration.sound.evaluate --model tracker/weights/sound-s.onnx
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import engines
from calibration.metrics import ccc, pearson, rmse
from calibration.samples import run
from calibration.sound.looks import (
    Samples,
    Series,
    Utterance,
    last_in_speech,
    look,
    over_the_quietest,
    speaking,
)
from calibration.sound.loudness import excerpts, foretold
from calibration.sound.made import noise
from calibration.sound.material import MEL, TEST, Song, acted_files, heard, songs
from engines import Engine
from tracker.audio import STEADY, steadied
from tracker.models import open_card

GAIN = 12.0  # dB: RAVDESS was recorded at about -39 dBFS, the dialogue of films is near -27
UNKNOWN = 10.0  # dB, up or down: a gain that nobody knows
SEED = 77  # of noises that no training heard
AT_MOST = 64  # windows in one call


@dataclass(frozen=True, slots=True)
class Score:
    metric: str
    value: float
    constant: float  # what always giving the same answer scores
    set: str
    n: int


def scores(engine: Engine, shared: Path, *, music: bool) -> list[Score]:
    """music: the arousal is meant for music, and comes from the line in `loudness`."""
    files = [file for file in acted_files(shared) if file.actor in TEST]
    acted = [Utterance(file, heard(file.path)) for file in files]
    pieces = songs(shared)
    found = [*voice_scores(engine, acted, pieces), *acted_scores(engine, acted)]
    found += song_scores(engine, pieces)
    return [*found, *film_scores(shared)] if music else found


def voice_scores(engine: Engine, acted: Sequence[Utterance], pieces: Sequence[Song]) -> list[Score]:
    """Whether somebody speaks, over clean speech and over speech with something around it."""
    rng = np.random.default_rng(SEED)
    noises = [noise(rng) for _ in range(40)]
    music = [song.samples for song in pieces]
    rows = []
    for name, around, snr in (
        ("alone", None, 0.0),
        ("in made noise, 10 dB", noises, 10.0),
        ("in made noise, 0 dB", noises, 0.0),
        ("over songs, 10 dB", music, 10.0),
        ("over songs, 0 dB", music, 0.0),
    ):
        said, spoken, loud = [], [], []
        for file in acted:
            sound = file.samples * np.float32(10 ** (GAIN / 20))
            if around is not None:
                sound = sound + _background(rng, around, sound, file, snr)
            seen = look(engine, sound)
            said.append(seen.voice)
            spoken.append(speaking(file, seen.pts))
            loud.append(over_the_quietest(sound, seen.pts))
        where = f"RAVDESS, actors 17-20, {name}"
        truth = np.concatenate(spoken)
        rows += _voice_rows(np.concatenate(said), truth, where)
        area = _area(np.concatenate(loud), truth)
        metric = "the same by level over the quietest of 3 s"
        rows.append(Score(metric, area, 0.5, where, len(truth)))
    alarms = np.concatenate([look(engine, song.samples).voice >= 0.5 for song in pieces])
    where = "10 songs of emoMusic, partly sung; nobody labelled the voices"
    rows.append(
        Score("share of looks said to be speech", float(alarms.mean()), 0, where, len(alarms))
    )
    return rows


def acted_scores(engine: Engine, acted: Sequence[Utterance]) -> list[Score]:
    """The reading at the end of each utterance against the place of its emotion."""
    rng = np.random.default_rng(SEED)
    truth = np.array([u.file.arousal for u in acted])
    rows = []
    for name, spread in (("", 0.0), (", gain unknown within 10 dB", UNKNOWN)):
        said = []
        for file in acted:
            gain = GAIN + rng.uniform(-spread, spread)
            seen = look(engine, file.samples * np.float32(10 ** (gain / 20)))
            said.append(seen.arousal[last_in_speech(file, seen.pts)])
        where = f"RAVDESS, actors 17-20{name}; truth is the emotion's place, a proxy"
        rows += _agreement("arousal", np.array(said), truth, where)
        pairs = _strong_over_normal(acted, np.array(said))
        metric = "share of pairs in which the strong one is said to be more aroused (not calm)"
        rows.append(
            Score(metric, float(pairs.mean()), 0.5, f"RAVDESS, actors 17-20{name}", len(pairs))
        )
    return rows


def song_scores(engine: Engine, pieces: Sequence[Song]) -> list[Score]:
    """Each half second of the songs at hand against the mean of the raters."""
    raw, smooth, truth = [], [], []
    for song in pieces:
        seen = look(engine, song.samples)
        for pts, arousal in zip(song.pts, song.arousal, strict=True):
            recent = (seen.pts <= pts + 1e-6) & (seen.pts > pts - STEADY)
            raw.append(seen.arousal[recent][-1])
            smooth.append(steadied(pts - seen.pts[recent], seen.arousal[recent]))
            truth.append(arousal)
    where = "emoMusic, 10 songs of one genre (blues), 61 half seconds each"
    rows = _agreement("arousal, raw", np.array(raw), np.array(truth), where)
    rows += _agreement("arousal, smooth", np.array(smooth), np.array(truth), where)
    per_song = np.array([(s, t) for s, t in zip(smooth, truth, strict=True)]).reshape(
        len(pieces), -1, 2
    )
    means = per_song.mean(1)
    value = pearson(means[:, 0], means[:, 1])
    return [*rows, Score("arousal, Pearson of the songs' means", value, 0, where, len(pieces))]


def film_scores(shared: Path) -> list[Score]:
    music = excerpts(shared)
    where = "110 excerpts of film music, each by a line fitted to other films; features only"
    return _agreement("arousal", foretold(music), music.arousal, where)


def _agreement(what: str, said: Series, truth: Series, where: str) -> list[Score]:
    n = len(truth)
    return [
        Score(f"{what}, CCC", ccc(said, truth), 0, where, n),
        Score(f"{what}, Pearson", pearson(said, truth), 0, where, n),
        Score(f"{what}, RMSE", rmse(said, truth), float(truth.std()), where, n),
    ]


def _voice_rows(said: Series, truth: NDArray[np.bool_], where: str) -> list[Score]:
    right = ((said >= 0.5)[truth].mean() + (said < 0.5)[~truth].mean()) / 2
    return [
        Score("voice, balanced accuracy at 0.5", float(right), 0.5, where, len(truth)),
        Score("voice, area under the curve", _area(said, truth), 0.5, where, len(truth)),
    ]


def _area(said: Series, truth: NDArray[np.bool_]) -> float:
    """Chance that a spoken moment scores above another (Hanley and McNeil 1982)."""
    _, place, counts = np.unique(said, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]  # those that are equal share theirs
    yes = int(truth.sum())
    return float((rank[truth].sum() - yes * (yes + 1) / 2) / (yes * (len(said) - yes)))


def _background(
    rng: np.random.Generator, around: Sequence[Samples], sound: Samples, file: Utterance, snr: float
) -> Samples:
    """Something else, `snr` dB below the spoken part of `sound`."""
    other = around[int(rng.integers(len(around)))]
    begin = rng.integers(0, len(other) - len(sound))
    other = other[begin : begin + len(sound)]
    spoken = np.repeat(file.voiced, MEL.hop)
    loud = np.mean(np.square(sound[: len(spoken)][spoken[: len(sound)]]))
    scale = np.sqrt(loud / max(float(np.mean(np.square(other))), 1e-12)) * 10 ** (-snr / 20)
    return np.asarray(other * scale, np.float32)


def _strong_over_normal(acted: Sequence[Utterance], said: Series) -> NDArray[np.bool_]:
    """(n,): of two utterances that differ in intensity only."""
    files = [utterance.file for utterance in acted]
    by = {(f.actor, f.emotion, f.take, f.intensity): s for f, s in zip(files, said, strict=True)}
    return np.array(
        [
            value > by[actor, emotion, take, "normal"]
            for (actor, emotion, take, intensity), value in by.items()
            if intensity == "strong" and emotion != "calm"
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", type=Path, default=Path("tracker/weights/sound-s.onnx"))
    args = parser.parse_args()
    model = open_card(args.model.with_suffix(".json"))
    engine = engines.load(model.path, "onnx", max_batch=AT_MOST)
    for score in scores(engine, args.shared, music=model.card["needs_voice"] is None):
        print(
            f"{score.value:8.4f}  {score.constant:8.4f}  {score.metric}  [{score.set}, n {score.n}]"
        )
    engine.close()


if __name__ == "__main__":
    run(main)
