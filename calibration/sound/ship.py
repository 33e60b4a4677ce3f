"""From a taught network to what is shipped: the ONNX file, the proof, and its card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.functional import avg_pool1d

import engines
from calibration.cards import write_card
from calibration.export import export
from calibration.sound.evaluate import AT_MOST, scores
from calibration.sound.loudness import Line, shipped
from calibration.sound.material import MEL
from calibration.sound.network import SoundNetwork
from calibration.sound.recorded import packages

COMMAND = "python -m calibration.sound.evaluate --shared ../shared --model tracker/weights/"
TRAINED = "python -m calibration.sound.train --shared ../shared --sounds ../sounds"
SPOKEN = 0.5  # probability of a voice below which speech-s says nothing of arousal


class Sound(nn.Module):
    """mel (n, bands, frames), dB -> arousal (n, 1), voice (n, 1): the voice is the network's, the
    arousal follows the loudness of the frames in which something sounds: those at most DEPTH
    below the mean that LASTING frames reach, so that neither pauses nor a single knock count."""

    DEPTH = 25.0  # dB; in music that goes on, more than nine frames in ten are above
    LASTING = 60  # frames: 0.6 s, a short utterance

    def __init__(self, network: SoundNetwork, line: Line) -> None:
        super().__init__()
        self.network = network
        self.line = line

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        frames = mel.mean(1)
        reached = avg_pool1d(frames[:, None], self.LASTING, self.LASTING // 6).amax(2)
        heard = (frames >= reached - self.DEPTH).float()
        loudness = (frames * heard).sum(1) / heard.sum(1)
        arousal = (self.line.slope * loudness + self.line.offset).clamp(-1, 1)
        return arousal[:, None], torch.sigmoid(self.network(mel)[1])[:, None]


class Speech(nn.Module):
    """The same voice, with the arousal of a network of its own.

    That one knows a voice as well, but of two sentences in one studio: it takes more music for
    speech.
    """

    def __init__(self, network: SoundNetwork, spoken: SoundNetwork) -> None:
        super().__init__()
        self.network = network
        self.spoken = spoken

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        arousal, voice = self.network(mel)[0], self.spoken(mel)[1]
        return arousal[:, None], torch.sigmoid(voice)[:, None]


def ship_sound(network: SoundNetwork, shared: Path, path: Path) -> str:
    line = shipped(shared)
    about = {
        "data": [MADE_SPEECH, MADE_OTHERS, *_recorded(), FILM_MUSIC, FILMS, *SCORED],
        "licence": "Apache-2.0",
        "non_commercial": False,
        "needs_voice": None,
        "arousal": {
            "slope": line.slope,
            "offset": line.offset,
            "depth": Sound.DEPTH,
            "lasting": Sound.LASTING,
        },
        "limits": SOUND_LIMITS,
    }
    return _ship(Sound(network, line), shared, path, about)


def ship_speech(network: SoundNetwork, spoken: SoundNetwork, shared: Path, path: Path) -> str:
    about = {
        "data": [RAVDESS, MADE_SPEECH, MADE_OTHERS, *_recorded(), *SCORED],
        "licence": "CC BY-NC-SA 4.0, as the speech it was trained on: not for commercial use",
        "non_commercial": True,
        "needs_voice": SPOKEN,
        "limits": SPEECH_LIMITS,
    }
    return _ship(Speech(network, spoken), shared, path, about)


def _ship(graph: nn.Module, shared: Path, path: Path, about: Mapping[str, Any]) -> str:
    """Writes `path` and its card. Returns in words how far the file and torch lie apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    worst = export(
        graph,
        [_windows(n) for n in (2, 1, 5)],
        path,
        inputs=["mel"],
        outputs=["arousal", "voice"],
        dynamic={"mel": {0: Dim("n", min=1, max=1024)}},
    )
    engine = engines.load(path, "onnx", max_batch=AT_MOST)
    found = scores(engine, shared, music=about["needs_voice"] is None)
    engine.close()
    rest = dict(about)
    limits = rest.pop("limits")
    write_card(
        path,
        {
            "role": "audio",
            "version": "1.1",
            "input": {"name": "mel", "unit": "dB", "mel": dataclasses.asdict(MEL)},
            "outputs": [
                {"name": "arousal", "unit": "-1..1"},
                {"name": "voice", "unit": "probability"},
            ],
            **rest,
            "training": {"command": TRAINED, "onnx_from_torch": worst},
            "scores": [
                {
                    "metric": score.metric,
                    "value": round(score.value, 4),
                    "constant": round(score.constant, 4),
                    "set": score.set,
                    "n": score.n,
                    "date": date.today().isoformat(),
                    "command": COMMAND + path.name,
                }
                for score in found
            ],
            "limits": limits,
        },
    )
    lines = [f"{score.value:8.4f}  {score.constant:8.4f}  {score.metric}" for score in found]
    return "\n".join([*lines, f"{path.name}: {worst:.2g} from torch"])


def _recorded() -> list[dict[str, str]]:
    """The packages, as cards name data."""
    return [
        {
            "name": f"{package.name} {package.version}, of Debian 12: "
            + " and ".join(kind for kind in ("voices", "music") if getattr(package, kind)),
            "licence": package.licence,
            "used_for": "train (voice)",
        }
        for package in packages()
    ]


def _windows(count: int) -> tuple[Tensor]:
    """Loud and soft, with silence at both ends of one."""
    generator = torch.Generator().manual_seed(count)
    mel = torch.randn(count, MEL.bands, MEL.frames, generator=generator) * 8 - 35
    mel[0, :, :100] = -100
    mel[-1, :, 250:] = -100
    return (mel,)


MADE_SPEECH = {
    "name": "sentences of nonsense, read by eSpeak NG (espeakng-loader) in 32 languages",
    "licence": "none needed: made here (the program is GPL-3.0, the sound it makes is not)",
    "used_for": "train (voice)",
}
MADE_OTHERS = {
    "name": "220 noises and 260 pieces of music from a generator (calibration/sound/made.py)",
    "licence": "none needed: made here",
    "used_for": "train (voice)",
}
FILM_MUSIC = {
    "name": "film music, rated (Eerola and Vuoskoski 2011): features and ratings of 110 excerpts",
    "source": "tuomaseerola/MusicScienceData @ 9f292fb",
    "licence": "MIT",
    "used_for": "the line from loudness to arousal",
}
FILMS = {
    "name": "Sintel and Big Buck Bunny, 26 s and 30 s of their sound",
    "licence": "CC BY 3.0, Blender Foundation",
    "used_for": "how far librosa's mean log-mel lies above ours",
}
RAVDESS = {
    "name": "RAVDESS speech (Livingstone and Russo 2018), actors 1-16 of 24",
    "source": "akisaini/DL-Project @ 93d4aa5; original doi 10.5281/zenodo.1188975",
    "licence": "CC BY-NC-SA 4.0 (the copy states none)",
    "used_for": "train; actors 17-20 for the scores only; 21-24 are not at hand",
}
SCORED = (
    {
        "name": "RAVDESS speech (Livingstone and Russo 2018), actors 17-20",
        "licence": "CC BY-NC-SA 4.0 (the copy states none)",
        "used_for": "scores only",
    },
    {
        "name": "emoMusic (Soleymani et al. 2013), the 10 songs at hand",
        "source": "ty-martz/audiologic @ c29af4d",
        "licence": "unverified, non-commercial from memory",
        "used_for": "scores only",
    },
)
SOUND_LIMITS = (
    "Voice: taught on a formant synthesiser's speech and on prompts, letters and games' dialogues "
    "of some fifty speakers, most of them adults; singing, and instruments that sing, may pass "
    "for speech; soft speech under music is missed. Arousal: nothing but how loud the sound is in "
    "all its bands, on the scale that listeners gave film music, so it moves with the volume at "
    "which a film was mastered and with the gain of a microphone (10 dB are 0.33); compare "
    "moments of one film, not films. What loudness does to a listener is not what a speaker "
    "feels. Scores on speech are against the place of the acted emotion, a proxy; those on songs "
    "are of 10 songs of one genre."
)
SPEECH_LIMITS = (
    "Acted speech: two sentences, 16 North American actors, a studio. Nobody rated arousal: the "
    "truth is the place of the acted emotion in the circumplex, moved by its intensity, a proxy. "
    "It says nothing where nobody speaks, as sound-s finds it, and nothing of music. Other "
    "languages, children, old people, spontaneous speech and telephone sound were not measured. "
    "Not for decisions about people. Not for commercial use."
)
