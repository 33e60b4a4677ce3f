"""Made sounds that are no speech: noises and music, drawn from a generator.

Rough on purpose. They teach what has no voice, not what anything sounds like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.sound import RATE

Samples = NDArray[np.float32]  # (n,), at RATE
Body = Sequence[tuple[float, float]]  # Hz and gain of an instrument's resonances
SECONDS = 12.0  # of each
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))


def noise(rng: np.random.Generator) -> Samples:
    """Wind, machines, rain, taps, hum: coloured noise with a slow or a jerky loudness."""
    count = round(SECONDS * RATE)
    tilt = rng.uniform(-2.5, 0.5)  # exponent of power over frequency: brown -2, pink -1, white 0
    sound = _coloured(rng, count, tilt)
    if rng.random() < 0.4:
        low = rng.uniform(50, 4000)
        sound = _band(sound, low, low * rng.uniform(1.3, 6))
    kind = rng.integers(4)
    if kind == 1:  # swelling
        sound *= _slow(rng, count, rng.uniform(0.1, 2.0)) ** 2
    elif kind == 2:  # taps, steps, clatter
        sound *= _taps(rng, count, rng.uniform(0.5, 12), rng.uniform(0.005, 0.15))
    elif kind == 3:  # a machine
        hum = rng.choice([50, 60, rng.uniform(30, 400)])
        sound = _tone(rng, np.full(count, hum), int(rng.integers(2, 20)), 1.0) + 0.3 * sound
    return scaled(sound)


def music(rng: np.random.Generator) -> Samples:
    """Some instruments in one key and tempo, with or without drums."""
    count = round(SECONDS * RATE)
    root = rng.uniform(40, 60)  # of the scale, in semitones above 8.18 Hz
    scale = SCALES[rng.integers(len(SCALES))]
    beat = rng.uniform(0.25, 1.1)  # s
    sound = np.zeros(count, np.float32)
    for _ in range(rng.integers(1, 5)):
        sound += rng.uniform(0.3, 1.0) * _part(rng, count, root, scale, beat)
    if rng.random() < 0.5:
        sound += rng.uniform(0.2, 1.0) * _drums(rng, count, beat)
    return scaled(sound)


def _part(
    rng: np.random.Generator, count: int, root: float, scale: tuple[int, ...], beat: float
) -> Samples:
    """One instrument: notes, or chords, in a rhythm of its own."""
    sound = np.zeros(count, np.float32)
    octave = 12 * rng.integers(-1, 3)
    step = beat * rng.choice([0.25, 0.5, 1, 2, 4])
    voices = int(rng.choice([1, 1, 3]))
    harmonics, dullness = int(rng.integers(1, 25)), rng.uniform(0.3, 2.5)
    attack, fade = rng.uniform(0.003, 0.2), rng.uniform(0.1, 3.0)  # s
    bend, pace = rng.choice([0, 0, rng.uniform(0.05, 0.6)]), rng.uniform(4, 7)  # vibrato
    place = int(rng.integers(7))
    body = [(rng.uniform(200, 4000), rng.uniform(0, 12)) for _ in range(rng.integers(4))]
    for begin in np.arange(rng.uniform(0, step), SECONDS, step):
        if rng.random() < 0.2:
            continue
        place += int(rng.integers(-2, 3))
        first = round(begin * RATE)
        length = min(count - first, round(step * rng.uniform(0.5, 1.5) * RATE))
        if length < 2:
            continue
        when = np.arange(length) / RATE
        for voice in range(voices):
            degree = place + 2 * voice
            pitch = root + octave + scale[degree % len(scale)] + 12 * (degree // len(scale))
            swing = bend * np.sin(2 * np.pi * pace * when)
            hertz = 8.18 * 2 ** ((np.clip(pitch, 20, 100) + swing) / 12)
            shape = np.minimum(when / attack, 1) * np.exp(-when / fade)
            shape *= np.minimum((when[-1] - when) / 0.01, 1)
            sound[first : first + length] += _tone(rng, hertz, harmonics, dullness, body) * shape
    return sound


def _drums(rng: np.random.Generator, count: int, beat: float) -> Samples:
    sound = np.zeros(count, np.float32)
    for low, high, every, fade in (
        (40, 120, 1, 0.15),
        (150, 6000, 2, 0.1),
        (5000, 8000, 0.5, 0.03),
    ):
        if rng.random() < 0.3:
            continue
        hit = _band(_coloured(rng, RATE // 2, 0), low, high)
        hit = hit * np.exp(-np.arange(RATE // 2) / RATE / fade).astype(np.float32)
        for begin in np.arange(rng.integers(2) * beat, SECONDS - 0.6, every * beat):
            first = round(begin * RATE)
            sound[first : first + len(hit)] += hit / np.abs(hit).max()
    return sound


def _tone(
    rng: np.random.Generator,
    hertz: NDArray[np.float64],
    harmonics: int,
    dullness: float,
    body: Body = (),
) -> Samples:
    """A harmonic tone; hertz: (n,), its pitch as it goes."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    sound = np.zeros(len(hertz))
    for k in range(1, harmonics + 1):
        if k * hertz.max() < RATE / 2:
            octaves = [np.log2(k * hertz.mean() / place) for place, _ in body]
            lift = sum(
                gain * np.exp(-4 * o * o) for o, (_, gain) in zip(octaves, body, strict=True)
            )
            weight = k**-dullness * rng.uniform(0.3, 1) * (1 + lift)
            sound += weight * np.sin(k * phase + rng.uniform(0, 6))
    return np.asarray(sound, np.float32)


def _coloured(rng: np.random.Generator, count: int, tilt: float) -> Samples:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum *= np.maximum(np.arange(len(spectrum)) * RATE / count, 20) ** (tilt / 2)
    return np.asarray(np.fft.irfft(spectrum, count), np.float32)


def _band(sound: Samples, low: float, high: float) -> Samples:
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] *= 0.03
    return np.asarray(np.fft.irfft(spectrum, len(sound)), np.float32)


def _slow(rng: np.random.Generator, count: int, rate: float) -> Samples:
    """0..1, wandering `rate` times in a second."""
    points = rng.uniform(0, 1, max(3, round(SECONDS * rate)))
    return np.interp(np.linspace(0, len(points) - 1, count), np.arange(len(points)), points).astype(
        np.float32
    )


def _taps(rng: np.random.Generator, count: int, rate: float, fade: float) -> Samples:
    shape = np.zeros(count, np.float32)
    shape[rng.integers(0, count, max(1, round(SECONDS * rate)))] = 1
    tail = np.exp(-np.arange(round(8 * fade * RATE)) / RATE / fade)
    return np.convolve(shape, tail)[:count].astype(np.float32)


def scaled(sound: Samples) -> Samples:
    """Its peak at 0.5."""
    return (sound * (0.5 / max(float(np.abs(sound).max()), 1e-9))).astype(np.float32)
