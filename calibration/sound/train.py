"""Teaches the two sound networks: `python -m calibration.sound.train`. Read `train` first.

sound-s: its voice is taught on made speech and on recordings under free licences, its arousal is a
line fitted to free ratings, so it ships. speech-s is taught on RAVDESS, which is not for commercial
use.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from calibration.samples import run
from calibration.sound.batches import Batch, Drawing, Loudness
from calibration.sound.loudness import excerpts
from calibration.sound.material import (
    TEST,
    Clip,
    acted_files,
    acted_speech,
    made_others,
    made_speech,
)
from calibration.sound.network import SoundNetwork
from calibration.sound.recorded import check, recorded_music, recorded_speech
from calibration.sound.ship import ship_sound, ship_speech
from calibration.training import Average, Run, Stateful, schedule, seed


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome, beside the sounds."""

    excited: bool  # whether arousal is taught
    low: float  # dB by which voices are made louder than they were recorded
    high: float
    epochs: int = 40
    batches: int = 50  # in an epoch
    windows: int = 64  # in a batch
    learning_rate: float = 3e-3  # at its height
    seed: int = 3


FREE = Recipe(excited=False, low=-40, high=5, epochs=80)
ACTED = Recipe(excited=True, low=0, high=25)
LOUDER = np.float16(24)  # dB by which eSpeak speaks louder than the actors were recorded
MORE = 500  # utterances of made speech beside the acted ones: RAVDESS has two sentences


def train(
    voices: Sequence[Clip], others: Sequence[Clip], recipe: Recipe, folder: Path
) -> SoundNetwork:
    """The network after all epochs, its weights averaged. Resumes where `folder` stopped."""
    seed(recipe.seed)
    network = SoundNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=1e-3)
    average = Average(network, 0.995)
    parts: dict[str, Stateful] = {"network": network, "optimiser": optimiser, "average": average}
    run = Run(
        folder, {"sound": asdict(recipe), "voices": len(voices), "others": len(others)}, parts
    )
    drawing = Drawing(voices, others, Loudness(recipe.low, recipe.high))
    while run.epoch < recipe.epochs:
        seed(recipe.seed + run.epoch)
        rng = np.random.default_rng([recipe.seed, run.epoch])
        losses = []
        for number in tqdm(range(recipe.batches), desc=f"{folder.name}, epoch {run.epoch}"):
            done = (run.epoch + number / recipe.batches) / recipe.epochs
            optimiser.param_groups[0]["lr"] = recipe.learning_rate * schedule(done, 0.03)
            loss = loss_of(network, drawing.draw(rng, recipe.windows), excited=recipe.excited)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            average.update(network)
            losses.append(loss.item())
        run.save({"loss": float(np.mean(losses))})
    average.write_to(network)
    return network.eval()


def loss_of(network: SoundNetwork, batch: Batch, *, excited: bool) -> torch.Tensor:
    """Cross-entropy of the voice; and, where it is known, 1 - CCC and the squared error of the
    arousal."""
    network.train()
    arousal, voice = network(batch.mel)
    loss: torch.Tensor = torch.nn.functional.binary_cross_entropy_with_logits(voice, batch.voice)
    if not excited:
        return loss
    known = torch.isfinite(batch.arousal)
    x, y = arousal[known], batch.arousal[known]
    both = ((x - x.mean()) * (y - y.mean())).mean()
    apart = x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()).square()
    wrong: torch.Tensor = 1 - 2 * both / apart + (x - y).square().mean()
    return loss + wrong


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration.sound.train", description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument(
        "--sounds", type=Path, default=Path("../sounds"), help="packages: recorded.py"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("tracker/weights"))
    parser.add_argument("--only", choices=("sound-s", "speech-s"))
    args = parser.parse_args(words)
    torch.set_num_threads(1)  # a second thread gains little and starves whoever shares the machine
    acted_files(args.shared), excerpts(args.shared)  # what is missing is said before hours pass
    check(args.sounds)
    folder = args.runs / "sound"
    made, others = made_speech(folder), made_others(folder)
    others += recorded_music(args.sounds, folder)
    spoken = train(made + recorded_speech(args.sounds, folder), others, FREE, folder / "sound-s")
    if args.only != "speech-s":
        print(ship_sound(spoken, args.shared, args.out / "sound-s.onnx"))
    if args.only != "sound-s":
        acted = [clip for clip in acted_speech(args.shared, folder) if clip.act[0] not in TEST]
        voices = [*acted, *(replace(clip, mel=clip.mel - LOUDER) for clip in made[:MORE])]
        network = train(voices, others, ACTED, folder / "speech-s")
        print(ship_speech(network, spoken, args.shared, args.out / "speech-s.onnx"))


if __name__ == "__main__":
    run(main)
