"""The poster's second step: the network of `train` learns what each rater of RECOLA would say.

python -m calibration.poster.raters RECOLA --network runs/poster/poster --delay 2.0 --out FOLDER

Softmax gives way to a linear layer with one output for each rater, and the whole network is
fine-tuned on squared error. FOLDER gets raters.onnx with its card, predictions/NAME.csv for each
video and the training's log. Printed is the table of the poster: RMSE, Pearson and CCC per rater.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

import engines
from calibration.cards import write_card
from calibration.poster.faces import Find, Watched, examples_of, watch
from calibration.poster.fit import Recipe, fit
from calibration.poster.network import PosterNetwork, TwoParts, with_raters
from calibration.poster.rater_files import describe, predict, write_onnx, write_predictions
from calibration.poster.rater_scores import RaterScore, as_card, as_text, scores
from calibration.poster.recola import DIMENSIONS, SPLITS, read_recordings
from calibration.poster.train import best_weights
from calibration.poster.views import answers
from calibration.samples import RecipeError, run
from tracker.crops import Template
from tracker.detectors import DETECTORS, open_detector
from tracker.models import ModelError, open_shipped
from tracker.sources import SourceError

RECIPE = Recipe(epochs=20, rate=3e-4, patience=5)
COMMAND = "python -m calibration.poster.raters RECOLA --network runs/poster/poster"


@dataclass(frozen=True)
class Options:
    dimension: str = "valence"  # of DIMENSIONS
    delay: float = 2.0  # s from a frame to its ratings; raters lag by some seconds
    every: float | None = None  # s between frames; None: all
    recipe: Recipe = RECIPE


def build(
    root: Path, start: PosterNetwork, find: Find, given: Mapping[str, Any], out: Path, how: Options
) -> list[RaterScore]:
    """Reads RECOLA below `root`, trains, and writes everything to `out`; returns the table.

    given: section `input` of the card that says how a face is cut out.
    Raises RecolaError naming the file and the line that is wrong.
    """
    template, watched = Template.from_card(given), []
    for recording in read_recordings(root, how.dimension):
        one = watch(recording, find, template, how.delay, how.every)
        print(f"{one.name}: {one.seen.found.sum()} of {len(one.seen.pts)} frames show a face")
        watched.append(one)
    network = train(start, watched, out / "training", how)
    onnx = out / "raters.onnx"
    worst = write_onnx(network, examples_of(watched, "dev").crops, onnx)
    print(f"ONNX Runtime differs from torch by {worst:.1e} at most")
    engine = engines.load(onnx, "onnx", max_batch=64)
    said = [predict(engine, one.seen) for one in watched]
    engine.close()
    for one, values in zip(watched, said, strict=True):
        write_predictions(out / "predictions" / f"{one.name}.csv", one.seen.pts, values)
    rows = score(watched, said)
    command = f"{COMMAND} --dimension {how.dimension} --delay {how.delay:g} --out FOLDER"
    figures = as_card(rows, command, date.today().isoformat())
    write_card(onnx, {**describe(given, how.dimension, how.delay), "scores": figures})
    return rows


def train(
    start: PosterNetwork, watched: Sequence[Watched], folder: Path, how: Options
) -> PosterNetwork:
    """The fine-tuned network; its epoch is chosen on the dev split."""
    training, dev = examples_of(watched, "train"), examples_of(watched, "dev")

    def judge(network: TwoParts) -> dict[str, float]:
        error = functional.mse_loss(answers(network, dev.crops), dev.targets).sqrt()
        return {"score": -float(error), "rmse": float(error)}

    settings = {
        "dimension": how.dimension,
        "delay": how.delay,
        "every": how.every,
        "frames": [len(training), len(dev)],
    }
    changed = partial(with_raters, start, training.targets.mean(0).tolist())
    network = fit(changed, how.recipe, training, functional.mse_loss, judge, folder, settings)
    assert isinstance(network, PosterNetwork), "fit gives back what with_raters made"
    return network


def score(watched: Sequence[Watched], said: Sequence[NDArray[np.float64]]) -> list[RaterScore]:
    """Split by split; one whose ratings are withheld is not in it.

    said: (n, 6) for each recording.
    """
    means = examples_of(watched, "train").targets.double().mean(0).tolist()
    rows: list[RaterScore] = []
    for split in SPLITS:
        pairs = [(s, w.rated) for w, s in zip(watched, said, strict=True) if w.split == split]
        if pairs:
            ours, rated = (np.concatenate(side) for side in zip(*pairs, strict=True))
            rows += scores(split, ours, rated, means)
    return rows


def open_start(folder: Path) -> PosterNetwork:
    """The network that `train` left in its folder. Raises ValueError if there is none."""
    network = PosterNetwork()
    network.load_state_dict(best_weights(folder))
    return network


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recola", type=Path)
    parser.add_argument("--network", type=Path, required=True, help="folder of the first step")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dimension", choices=DIMENSIONS)
    parser.add_argument("--delay", type=float, help="s from a frame to its ratings")
    parser.add_argument("--every", type=float, help="s between frames; all where left out")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--detector", choices=DETECTORS, default="builtin")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    names = ("dimension", "delay", "every")
    how = Options(**{k: getattr(args, k) for k in names if getattr(args, k) is not None})
    if args.epochs is not None:
        how = replace(how, recipe=replace(how.recipe, epochs=args.epochs))
    try:
        given = open_shipped("face-s").card["input"]
        detector = open_detector(args.detector)
        rows = build(args.recola, open_start(args.network), detector, given, args.out, how)
        detector.close()
    except (ValueError, SourceError, ModelError) as wrong:
        raise RecipeError(str(wrong)) from wrong
    print(as_text(rows))


if __name__ == "__main__":
    run(main)
