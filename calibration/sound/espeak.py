"""Made speech: the formant synthesiser eSpeak NG reads nonsense aloud, in many voices.

Nobody recorded it, so nobody's terms apply to it: the voice network is taught on it alone. The
program (GPL-3.0) comes from the package `espeakng-loader`, of the extra `train`; its licence is
not that of the sound it makes, and nothing of it is shipped.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from calibration.samples import RecipeError
from tracker.sources.mono import Mono

LANGUAGES = (
    *("af", "cs", "cy", "da", "de", "en", "en-us", "eo", "es", "et", "fi", "fr", "hr"),
    *("hu", "id", "is", "it", "lt", "lv", "ms", "nl", "nb", "pl", "pt", "pt-br", "ro", "sk"),
    *("sl", "sq", "sv", "sw", "tr"),
)
VARIANTS = (
    *("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("klatt", "klatt2", "klatt3", "klatt4", "croak", "whisper", "whisperf", "grandma", "grandpa"),
)
CONSONANTS = ("", *"bdfghklmnprstvz", "st", "tr", "pl", "ch", "sh")
VOWELS = (*"aeiou", "ai", "ou")

SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT
UTF8 = 1  # espeakCHARS_UTF8
SPEED, PITCH, RANGE = 1, 3, 4  # espeak_PARAMETER: words/min; 0..100; 0..100


class Espeak:
    """There is one synthesiser in a process, and it holds state: make one of these."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ModuleNotFoundError as wrong:
            if wrong.name != "espeakng_loader":
                raise
            raise RecipeError(
                "made speech needs espeakng-loader: pip install 'emotrack[train]'"
            ) from wrong

        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate: int = self._library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
        self._blocks: list[NDArray[np.int16]] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = kind(self._take)  # kept here, or it is freed while the library has it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(
        self, text: str, voice: str, speed: int, pitch: int, range_: int
    ) -> NDArray[np.float32]:
        """(n,), at RATE. Raises ValueError if there is no such voice."""
        library = self._library
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak has no voice {voice!r}")
        for name, value in ((SPEED, speed), (PITCH, pitch), (RANGE, range_)):
            library.espeak_SetParameter(name, value, 0)
        self._blocks = []
        said = text.encode()
        library.espeak_Synth(said, len(said) + 1, 0, 0, 0, UTF8, None, None)
        library.espeak_Synchronize()
        return _resampled(np.concatenate(self._blocks), self._rate)

    def _take(self, samples: Any, count: int, _: object) -> int:
        if count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def utterances(rng: np.random.Generator, count: int) -> Iterator[NDArray[np.float32]]:
    """So many sentences of nonsense, each in a voice of its own."""
    espeak = Espeak()
    for _ in range(count):
        voice = f"{rng.choice(LANGUAGES)}+{rng.choice(VARIANTS)}"
        speed, pitch, range_ = (
            int(rng.integers(*pair)) for pair in ((110, 260), (5, 95), (10, 95))
        )
        yield espeak.say(nonsense(rng), voice, speed, pitch, range_)


def nonsense(rng: np.random.Generator) -> str:
    """A sentence of words that no language has."""
    words = []
    for _ in range(rng.integers(2, 12)):
        syllables = rng.integers(1, 5)
        words.append(
            "".join(f"{rng.choice(CONSONANTS)}{rng.choice(VOWELS)}" for _ in range(syllables))
        )
        if rng.random() < 0.15:
            words[-1] += ","
    return " ".join(words) + str(rng.choice([".", "?", "!"]))


def _resampled(samples: NDArray[np.int16], rate: int) -> NDArray[np.float32]:
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate
    mono = Mono()
    pieces = mono(frame, 0.0) + mono.rest()
    return np.concatenate([piece.samples for piece in pieces])
