"""Makes a clean trace look like the readings of a network that sees one picture at a time.

`disturb` is what the rest is for. `Noise` says of every number where it comes from: "measured" is
the detector on real clips; "proxy" is another network that reads single pictures of faces (the
blendshapes of MediaPipe) on the same clips, both by `python -m calibration.memory.measure`; the
rest is assumed. To be measured again with the face network that ships.
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
    gap_every: Range = (1.5, 120.0)  # s between two losses of the face; measured
    gap_median: float = 0.12  # s a loss lasts; measured
    gap_spread: float = 1.1  # deviation of the log of a loss; measured
    gap_most: float = 2.0  # s; after that the program forgets the person
    white: Range = (0.02, 0.15)  # deviation of what is new in every picture; proxy
    jitter: Range = (0.03, 0.2)  # deviation of the jitter that lasts; proxy
    jitter_lasts: Range = (0.04, 0.3)  # s until it is forgotten to 1/e; proxy
    drift: Range = (0.01, 0.08)  # deviation of slow error (pose, light); assumed
    drift_lasts: Range = (2.0, 10.0)  # s; assumed
    talk_every: Range = (4.0, 60.0)  # s between two utterances; assumed
    talk_lasts: Range = (0.5, 3.0)  # s; assumed
    talk_size: Range = (0.03, 0.25)  # swing of the reading with the mouth; assumed
    syllables: Range = (3.0, 6.0)  # a second while talking (speech rates in the literature)
    blur_every: Range = (4.0, 60.0)  # s between two blurred or covered moments; assumed
    blur_lasts: Range = (0.1, 0.7)  # s; assumed, like the detector's own dips
    blur_size: Range = (0.1, 0.4)  # extra deviation; the reading also shrinks to neutral; assumed
    outlier: Range = (1e-4, 0.01)  # share of readings of something else; assumed
    switch_every: Range = (30.0, 600.0)  # s between two bias steps (another track); assumed
    switch_size: float = 0.12  # deviation of a bias step; assumed
    confidence: Range = (0.75, 0.95)  # of an undisturbed face; measured
    confidence_flicker: Range = (0.004, 0.03)  # its deviation; measured
    confidence_lasts: Range = (0.1, 0.9)  # s; measured
    confidence_drop: Range = (0.02, 0.4)  # its fall when the picture is bad; to 0.2 measured
    confidence_mute: float = 0.2  # share of series whose confidence is always 1; assumed


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
    blurred = _episodes(rng, elapsed, noise.blur_every, noise.blur_lasts)
    error = _steady_error(rng, elapsed, noise) + _talking(rng, elapsed, pts, noise)
    depth = blurred * rng.uniform(0.2, 0.9, (series, 1)).astype(np.float32)
    rough = _draw(rng, noise.blur_size, series)[:, None] * blurred
    reading = np.nan_to_num(truth) * (1 - depth[..., None]) + error
    reading += rough[..., None] * _lasting(rng, elapsed, np.full(series, 0.05), axes=2)
    wild = rng.random(pts.shape) < _draw(rng, noise.outlier, series)[:, None]
    reading = np.where(wild[..., None], rng.uniform(-1, 1, reading.shape), reading)
    confidence = _confidence(rng, elapsed, np.maximum(blurred, wild), noise)
    parts = [np.clip(reading, -1, 1), confidence[..., None], elapsed[..., None]]
    return Readings(pts, np.concatenate(parts, axis=2).astype(np.float32))


def _steady_error(rng: np.random.Generator, elapsed: Array, noise: Noise) -> Array:
    """(b, t, 2): what is always there: white noise, jitter that lasts, drift, and bias steps."""
    series = len(elapsed)
    error = _draw(rng, noise.white, series)[:, None, None] * rng.normal(size=(*elapsed.shape, 2))
    for size, lasts in ((noise.jitter, noise.jitter_lasts), (noise.drift, noise.drift_lasts)):
        wave = _lasting(rng, elapsed, _draw(rng, lasts, series), axes=2)
        error += _draw(rng, size, series)[:, None, None] * wave
    switched = rng.random(elapsed.shape) < elapsed / _draw(rng, noise.switch_every, series)[:, None]
    steps = switched[..., None] * rng.normal(0, noise.switch_size, (*elapsed.shape, 2))
    return (error + np.cumsum(steps, axis=1)).astype(np.float32)


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


def _confidence(rng: np.random.Generator, elapsed: Array, bad: Array, noise: Noise) -> Array:
    """(b, t): falls when the picture is bad, and flickers of itself."""
    series = len(elapsed)
    flicker = _lasting(rng, elapsed, _draw(rng, noise.confidence_lasts, series), axes=1)[..., 0]
    level = _draw(rng, noise.confidence, series)[:, None]
    level = level + _draw(rng, noise.confidence_flicker, series)[:, None] * flicker
    level = level - _draw(rng, noise.confidence_drop, series)[:, None] * bad
    mute = rng.random((series, 1)) < noise.confidence_mute
    return np.where(mute, 1, np.clip(level, 0, 1)).astype(np.float32)


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
