"""Where the measured numbers of `Noise` come from: `python -m calibration.memory.measure`.

The detector and the face network that ship read the test clips picture by picture. Nobody knows
what the people in them felt or showed, so quick movement of a reading counts as noise, and what is
printed are upper bounds where faces moved as fast themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.memory.seen import BLURS, CLIPS, Sighting, Vector, sightings
from calibration.metrics import pearson
from calibration.samples import run

QUICK = 0.6  # s; what is faster counts as noise
SYLLABLES = (2.0, 8.0)  # Hz, the band in which speech moves a mouth
FAR = 0.4  # of a reading from the median of its neighbours, from which it is an outlier
NEAR = 0.2  # s on either side that are neighbours
WINDOW = 1.0  # s over which a mouth is called restless or calm


@dataclass(frozen=True, slots=True)
class Track:
    """What one face's readings say of the noise; pairs are of valence and arousal."""

    clip: str
    n: int
    seconds: float
    gaps: tuple[float, ...]  # s, beyond a step
    confidence: float  # mean
    flicker: float  # its deviation
    lasts: float  # s until its correlation with itself falls to 1/e
    place: tuple[float, float]  # the median reading
    white: tuple[float, float]  # deviation of what is new in every picture
    quick: tuple[float, float]  # of all that is faster than QUICK
    slow: tuple[float, float]  # of the rest
    slow_lasts: tuple[float, float]  # s
    together: float  # correlation of the axes' new parts
    outliers: float  # share of readings
    talk: tuple[float, float] | None  # swing when the mouth is restless beyond that when calm


@dataclass(frozen=True, slots=True)
class Blur:
    """What a blur does to the readings of all tracks."""

    share: float  # its deviation over the width of the crop
    depth: tuple[float, float]  # how far a reading goes to what blurred faces are read as
    rough: tuple[float, float]  # deviation that it adds
    place: tuple[float, float]  # deviation, between tracks, of what blurred faces are read as
    found: float  # share of faces that the detector still finds
    drop: float  # by which its score falls on those


def track_of(seen: Sighting) -> Track:
    step = float(np.median(np.diff(seen.pts)))
    lost = np.diff(seen.pts) - step
    axes = [_Axis.of(seen.affect[:, axis], step) for axis in (0, 1)]
    new = np.diff(seen.affect, 3, axis=0)
    near = max(1, round(NEAR / step))
    padded = np.pad(seen.affect, ((near, near), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * near + 1, axis=0)
    far = np.abs(seen.affect - np.median(windows, axis=2)) > FAR
    return Track(
        seen.clip,
        len(seen.pts),
        float(np.ptp(seen.pts)),
        tuple(lost[lost > step / 2].tolist()),
        float(seen.score.mean()),
        float(seen.score.std()),
        lasts(seen.score, step),
        _pair([np.median(seen.affect[:, axis]) for axis in (0, 1)]),
        _pair([axis.white for axis in axes]),
        _pair([axis.quick for axis in axes]),
        _pair([axis.slow for axis in axes]),
        _pair([axis.lasts for axis in axes]),
        pearson(new[:, 0], new[:, 1]),
        float(far.any(1).mean()),
        _talk(seen, step),
    )


def blur_of(seen: Sequence[Sighting], which: int) -> Blur:
    depth, rough, place = [], [], []
    for one in seen:
        sharp, blurred = one.affect, one.blurred[which]
        slope = [_slope(sharp[:, axis], blurred[:, axis]) for axis in (0, 1)]
        rest = blurred - sharp * slope
        depth.append(1 - np.clip(slope, 0, 1))
        rough.append(rest.std(0))
        place.append(blurred.mean(0))
    scores = np.concatenate([one.blurred_score[which] for one in seen])
    sharp_scores = np.concatenate([one.score for one in seen])
    looked = np.isfinite(scores)
    there = looked & (scores > 0)
    return Blur(
        BLURS[which],
        _pair(np.median(depth, axis=0)),
        _pair(np.median(rough, axis=0)),
        _pair(np.std(place, axis=0)),
        float(there.sum() / looked.sum()),
        float((sharp_scores - scores)[there].mean()),
    )


def doubt(tracks: Sequence[Track]) -> float:
    """By how much the log of the white noise grows per unit of confidence that is missing."""
    missing = np.repeat([1 - t.confidence for t in tracks], 2)
    logs = np.log([white for t in tracks for white in t.white])
    return float(np.polyfit(missing, logs, 1)[0])


def lasts(series: Vector, step: float) -> float:
    """s until the correlation of a series with itself falls to 1/e; nan if it never does."""
    still = series - series.mean()
    power = still @ still
    for lag in range(1, len(still) // 2):
        if still[:-lag] @ still[lag:] < power / np.e:
            return lag * step
    return float("nan")


def white_of(series: Vector) -> float:
    """Deviation of what is new in every picture.

    A slow curve vanishes in third differences, white noise of variance v leaves 20 v.
    """
    return float(np.sqrt(np.mean(np.diff(series, 3) ** 2) / 20))


@dataclass(frozen=True, slots=True)
class _Axis:
    white: float
    quick: float
    slow: float
    lasts: float

    @classmethod
    def of(cls, series: Vector, step: float) -> _Axis:
        width = max(3, round(QUICK / step) | 1)
        slow = np.convolve(series, np.ones(width) / width, "valid")
        quick = series[width // 2 : width // 2 + len(slow)] - slow
        return cls(white_of(series), float(quick.std()), float(slow.std()), lasts(slow, step))


def _talk(seen: Sighting, step: float) -> tuple[float, float] | None:
    """The restless third of the windows against the calm third; None if there are too few."""
    ticks = max(3, round(WINDOW / step))
    count = len(seen.pts) // ticks
    if count < 6:
        return None
    order = seen.unrest[: count * ticks].reshape(count, ticks).mean(1).argsort()
    swings = np.stack([_swing(seen.affect[:, axis], step) for axis in (0, 1)], axis=1)
    power = (swings[: count * ticks] ** 2).reshape(count, ticks, 2).mean(1)
    calm, restless = power[order[: count // 3]].mean(0), power[order[-(count // 3) :]].mean(0)
    return _pair(np.sqrt(2 * np.maximum(restless - calm, 0)))


def _swing(series: Vector, step: float) -> Vector:
    """What of it lies in the band of syllables."""
    hertz = np.fft.rfftfreq(len(series), step)
    waves = np.fft.rfft(series - series.mean())
    waves[(hertz < SYLLABLES[0]) | (hertz > SYLLABLES[1])] = 0
    return np.asarray(np.fft.irfft(waves, len(series)))


def _slope(x: Vector, y: Vector) -> float:
    still = x - x.mean()
    return float(still @ (y - y.mean()) / max(still @ still, 1e-9))


def _pair(values: Sequence[float] | NDArray[Any]) -> tuple[float, float]:
    valence, arousal = (float(v) for v in values)
    return valence, arousal


def as_text(tracks: Sequence[Track], blurs: Sequence[Blur]) -> Iterator[str]:
    for t in tracks:
        yield (
            f"{t.clip:<24} {t.n:>4} in {t.seconds:4.1f} s  lost {len(t.gaps):>2} times  confidence "
            f"{t.confidence:.2f} ({t.flicker:.3f}, {t.lasts:.2f} s)  white {_two(t.white)}  quick "
            f"{_two(t.quick)}  slow {_two(t.slow)} ({_two(t.slow_lasts)} s)  together "
            f"{t.together:+.2f}  outliers {t.outliers:.3f}"
            + ("" if t.talk is None else f"  talk {_two(t.talk)}")
        )
    gaps = np.array([gap for t in tracks for gap in t.gaps])
    yield (
        f"\n{len(gaps)} losses in {sum(t.seconds for t in tracks):.0f} s: median "
        f"{np.median(gaps):.2f} s, deviation of the log {np.log(gaps).std():.2f}, longest "
        f"{gaps.max():.2f} s"
    )
    places = np.std([t.place for t in tracks], axis=0)
    yield f"faces differ in their median reading by {_two(_pair(places))} (deviation)"
    yield f"log of white per unit of confidence that is missing: {doubt(tracks):.2f}"
    for b in blurs:
        yield (
            f"blurred by {b.share:.2f} of the crop: depth {_two(b.depth)}  rough {_two(b.rough)}  "
            f"place {_two(b.place)}  found {b.found:.2f}, score lower by {b.drop:.2f}"
        )
    spans = {
        "gap_every": [t.seconds / len(t.gaps) for t in tracks if t.gaps],
        "confidence": [t.confidence for t in tracks],
        "confidence_flicker": [t.flicker for t in tracks],
        "confidence_lasts": [t.lasts for t in tracks],
        "white, at confidence 1": [
            white * np.exp(-doubt(tracks) * (1 - t.confidence)) for t in tracks for white in t.white
        ],
        "together": [t.together for t in tracks],
        "jitter (quick without white)": [
            np.sqrt(max(q * q - w * w, 0))
            for t in tracks
            for q, w in zip(t.quick, t.white, strict=True)
        ],
        "outlier": [t.outliers for t in tracks],
        "talk_size": [swing for t in tracks if t.talk for swing in t.talk],
    }
    for name, values in spans.items():
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        yield f"{name:<30} {low:.3f} .. {high:.3f}, median {middle:.3f}"


def _two(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.3f} {pair[1]:.3f}"


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration.memory.measure")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    clips: Path = parser.parse_args(words).shared / "clips"
    seen = [one for name in CLIPS for one in sightings(clips / name)]
    blurs = [blur_of(seen, which) for which in range(len(BLURS))]
    for line in as_text([track_of(one) for one in seen], blurs):
        print(line)


if __name__ == "__main__":
    run(main)
