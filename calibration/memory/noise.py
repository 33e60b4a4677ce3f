"""Makes a clean trace look like the readings of a network that sees one picture at a time.

`disturb` is what the rest is for. `Noise` says of every number where it comes from: "measured" is
what the detector and the face network that ship say of real clips, from the 5th to the 95th
percentile of the faces in them (`python -m calibration.memory.measure`); the rest is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Range = tuple[float, float]  # every series draws its own value from it, evenly on a log scale


@dataclass(frozen=True, slots=True)
class Noise:
    """How bad readings are. Deviations and sizes are in units of affect (the whole scale is 2)."""

    rate: Range = (2.0, 60.0)  # readings a second; the program's own range
    uneven: float = 0.5  # share of series whose steps vary, as a camera's or a live source's do
    gap_every: Range = (0.5, 120.0)  # s between two losses of the face; measured 0.55 to 11 where
    # there were any, in 9 of 15 tracks
    gap_median: float = 0.14  # s a loss lasts; measured
    gap_spread: float = 1.0  # deviation of the log of a loss; measured
    gap_most: float = 2.0  # s; after that the program forgets the person
    confidence: Range = (0.52, 0.92)  # of an undisturbed face; measured
    confidence_flicker: Range = (0.017, 0.094)  # its deviation; measured
    confidence_lasts: Range = (0.11, 1.1)  # s; measured
    confidence_drop: Range = (0.01, 0.15)  # its fall when the picture is bad; measured
    confidence_mute: float = 0.2  # share of series whose confidence is always 1; assumed
    white: Range = (0.003, 0.022)  # deviation of what is new in every picture, at confidence 1;
    # measured
    doubtful: float = 3.4  # log of white's growth per unit of confidence that is missing; measured
    together: Range = (-0.31, 0.95)  # correlation of the axes' errors (drawn evenly); measured
    jitter: Range = (0.01, 0.108)  # deviation of the jitter that lasts; measured
    jitter_lasts: Range = (0.04, 0.6)  # s until it is forgotten to 1/e; what was called quick
    drift: Range = (0.01, 0.1)  # deviation of slow error; measured on faces at rest
    drift_lasts: Range = (0.5, 10.0)  # s; its short end measured
    talk_every: Range = (4.0, 60.0)  # s between two utterances; assumed
    talk_lasts: Range = (0.5, 3.0)  # s; assumed
    talk_size: Range = (0.005, 0.055)  # swing of the reading with a restless mouth; measured
    syllables: Range = (3.0, 6.0)  # a second while talking (speech rates in the literature)
    blur_every: Range = (4.0, 60.0)  # s between two blurred or covered moments; assumed
    blur_lasts: Range = (0.1, 0.7)  # s; assumed, like the detector's own dips
    blur_size: Range = (0.03, 0.08)  # extra deviation; measured
    blur_depth: Range = (0.42, 0.96)  # how far it goes to what blurred faces are read as; measured
    blur_place: float = 0.16  # deviation, between people, of what that is; measured 0.08 to 0.25
    outlier: Range = (1e-4, 0.01)  # share of readings of something else; measured: none in 13 of 15
    switch_every: Range = (30.0, 600.0)  # s between two bias steps (another track); assumed
    switch_size: float = 0.2  # deviation of a bias step; measured 0.17 and 0.31, of people who may
    # differ in truth


# What the training uses. Its sizes reach farther than the measured ones, because tables of other
# systems are smoothed too; the rest is an earlier measurement, with other networks.
WIDER = Noise(
    gap_median=0.1,
    confidence=(0.57, 0.95),
    confidence_flicker=(0.006, 0.1),
    confidence_lasts=(0.08, 1.4),
    confidence_drop=(0.01, 0.4),
    white=(0.004, 0.15),
    doubtful=3.5,
    together=(-0.35, 0.95),
    jitter=(0.01, 0.25),
    jitter_lasts=(0.04, 1.5),
    talk_size=(0.01, 0.15),
    blur_size=(0.04, 0.3),
    blur_depth=(0.2, 1.0),
    blur_place=0.15,
)

# A system that is not ours, for the evaluation only: it states no confidence, and is wrong for
# seconds on end. Assumed.
OTHERS = Noise(confidence_mute=1.0, white=(0.02, 0.08), jitter=(0.1, 0.3), jitter_lasts=(0.5, 3.0))


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What the memory reads of a batch of series."""

    pts: NDArray[np.float64]  # (b, t) s
    x: Array  # (b, t, 4) valence, arousal, confidence, elapsed


def draw_times(
    rng: np.random.Generator, noise: Noise, series: int, steps: int, rate: float | None = None
) -> NDArray[np.float64]:
    """(series, steps) s, from 0: even or uneven steps, and the times without a face left out."""
    rates = _draw(rng, noise.rate, series) if rate is None else np.full(series, rate)
    elapsed = np.repeat(1 / rates[:, None], steps, axis=1)
    uneven = rng.random(series) < noise.uneven
    factor = np.exp(rng.normal(0, 0.35, elapsed.shape)) * rng.choice(
        [1, 2, 3], elapsed.shape, p=[0.9, 0.07, 0.03]
    )
    elapsed = np.where(uneven[:, None], elapsed * factor, elapsed)
    lost = rng.random(elapsed.shape) < elapsed / _draw(rng, noise.gap_every, series)[:, None]
    length = noise.gap_median * np.exp(rng.normal(0, noise.gap_spread, elapsed.shape))
    elapsed += lost * np.minimum(length, noise.gap_most - np.minimum(elapsed, noise.gap_most))
    elapsed[:, 0] = 0
    return np.cumsum(elapsed, axis=1)


def disturb(
    truth: Array, pts: NDArray[np.float64], rng: np.random.Generator, noise: Noise
) -> Readings:
    """Readings of series whose truth (b, t, 2) is known at pts (b, t). nan in truth counts as 0."""
    series, _ = pts.shape
    elapsed = np.diff(pts, axis=1, prepend=pts[:, :1]).astype(np.float32)
    level = _draw(rng, noise.confidence, series)
    blurred = _episodes(rng, elapsed, noise.blur_every, noise.blur_lasts)
    error = _steady_error(rng, elapsed, level, noise) + _talking(rng, elapsed, pts, noise)
    depth = (blurred * rng.uniform(*noise.blur_depth, (series, 1)).astype(np.float32))[..., None]
    place = rng.normal(0, noise.blur_place, (series, 1, 2)).astype(np.float32)
    rough = _draw(rng, noise.blur_size, series)[:, None] * blurred
    reading = np.nan_to_num(truth) * (1 - depth) + place * depth + error
    reading += rough[..., None] * _lasting(rng, elapsed, np.full(series, 0.05), axes=2)
    wild = rng.random(pts.shape) < _draw(rng, noise.outlier, series)[:, None]
    reading = np.where(wild[..., None], rng.uniform(-1, 1, reading.shape), reading)
    confidence = _confidence(rng, elapsed, np.maximum(blurred, wild), level, noise)
    parts = [np.clip(reading, -1, 1), confidence[..., None], elapsed[..., None]]
    return Readings(pts, np.concatenate(parts, axis=2).astype(np.float32))


def _steady_error(rng: np.random.Generator, elapsed: Array, level: Array, noise: Noise) -> Array:
    """(b, t, 2): what is always there: white noise, jitter that lasts, drift, and bias steps.

    level: (b,) the series' own confidence. The less there is of it, the whiter the noise.
    """
    series = len(elapsed)
    white = _draw(rng, noise.white, series) * np.exp(noise.doubtful * (1 - level))
    error = white[:, None, None] * rng.normal(size=(*elapsed.shape, 2))
    for size, lasts in ((noise.jitter, noise.jitter_lasts), (noise.drift, noise.drift_lasts)):
        wave = _lasting(rng, elapsed, _draw(rng, lasts, series), axes=2)
        error += _draw(rng, size, series)[:, None, None] * wave
    both = rng.uniform(*noise.together, (series, 1))
    error[..., 1] = both * error[..., 0] + np.sqrt(1 - both**2) * error[..., 1]
    switched = rng.random(elapsed.shape) < elapsed / _draw(rng, noise.switch_every, series)[:, None]
    steps = switched[..., None] * rng.normal(0, noise.switch_size, (*elapsed.shape, 2))
    return np.asarray(error + np.cumsum(steps, axis=1), np.float32)


def _talking(
    rng: np.random.Generator, elapsed: Array, pts: NDArray[np.float64], noise: Noise
) -> Array:
    """(b, t, 2): swings at the pace of syllables while someone speaks, each in one direction."""
    series = len(elapsed)
    speaking = _episodes(rng, elapsed, noise.talk_every, noise.talk_lasts)
    pace = _draw(rng, noise.syllables, series)[:, None]
    wander = np.cumsum(rng.normal(0, 0.3, pts.shape) * np.sqrt(elapsed), axis=1)
    swing = np.sin(2 * np.pi * (pace * pts + wander)) + rng.uniform(-0.5, 0.5, (series, 1))
    angle = rng.uniform(0, 2 * np.pi, series)
    toward = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None]
    size = _draw(rng, noise.talk_size, series)[:, None] * speaking
    return np.asarray((size * swing)[..., None] * toward, np.float32)


def _confidence(
    rng: np.random.Generator, elapsed: Array, bad: Array, level: Array, noise: Noise
) -> Array:
    """(b, t): falls when the picture is bad, and flickers of itself."""
    series = len(elapsed)
    flicker = _lasting(rng, elapsed, _draw(rng, noise.confidence_lasts, series), axes=1)[..., 0]
    said = level[:, None] + _draw(rng, noise.confidence_flicker, series)[:, None] * flicker
    said = said - _draw(rng, noise.confidence_drop, series)[:, None] * bad
    mute = rng.random((series, 1)) < noise.confidence_mute
    return np.where(mute, 1, np.clip(said, 0, 1)).astype(np.float32)


def _lasting(rng: np.random.Generator, elapsed: Array, lasts: Array, axes: int) -> Array:
    """(b, t, axes): noise of deviation 1 that is forgotten to 1/e in `lasts` seconds (b,)."""
    new = rng.normal(size=(*elapsed.shape, axes))
    keep = np.exp(-elapsed / lasts[:, None])[..., None]
    fresh = np.sqrt(1 - keep**2)
    wave = np.empty_like(new)
    wave[:, 0] = new[:, 0]
    for t in range(1, elapsed.shape[1]):
        wave[:, t] = keep[:, t] * wave[:, t - 1] + fresh[:, t] * new[:, t]
    return wave.astype(np.float32)


def _episodes(rng: np.random.Generator, elapsed: Array, every: Range, lasts: Range) -> Array:
    """(b, t): 1 during episodes, 0 between them."""
    series = len(elapsed)
    begins = rng.random(elapsed.shape) < 1 - np.exp(-elapsed / _draw(rng, every, series)[:, None])
    ends = rng.random(elapsed.shape) < 1 - np.exp(-elapsed / _draw(rng, lasts, series)[:, None])
    inside = np.zeros(elapsed.shape, np.float32)
    for t in range(1, elapsed.shape[1]):
        inside[:, t] = np.where(inside[:, t - 1] > 0, ~ends[:, t], begins[:, t])
    return inside


def _draw(rng: np.random.Generator, span: Range, series: int) -> Array:
    """(series,): evenly on a log scale: each of these differs by factors, not by amounts."""
    drawn = np.exp(rng.uniform(math.log(span[0]), math.log(span[1]), series))
    return np.asarray(drawn, np.float32)
