"""Trains people in context on EMOTIC, prints the paper's table, and writes a model.

python -m calibration.emotic.train --data EMOTIC --runs runs --out models
emotrack film.mp4 --context models/context-emotic.json --csv out.csv

--branches person, or frame, looks at one alone, to see what the other adds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from calibration.backbones import NAMES
from calibration.emotic.annotations import Person, read_people
from calibration.emotic.fit import Recipe, fit
from calibration.emotic.network import BRANCHES
from calibration.emotic.people import Sizes
from calibration.emotic.publish import publish
from calibration.emotic.scores import as_text
from calibration.samples import run


def main() -> None:
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    branches = BRANCHES if args.branches == "both" else (args.branches,)
    recipe = Recipe(
        backbone=args.backbone,
        sizes=Sizes(args.person_size, args.frame_size),
        branches=branches,
        epochs=args.epochs,
        batch=args.batch,
        rate=args.rate,
        seed=args.seed,
    )

    def people(split: str) -> list[Person]:
        return read_people(args.data, split, args.annotations, skip_broken=args.skip_broken)

    train, val, test = (people(split) for split in ("train", "val", "test"))
    name = "context-emotic" if len(branches) == 2 else f"context-emotic-{args.branches}"
    trained = fit(recipe, train, val, args.runs / name, args.shared, args.workers)
    card, scores = publish(trained, recipe, test, train, args.out / f"{name}.onnx")
    print(as_text(scores))
    print(card)


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the set")
    add("--annotations", type=Path, help="the .mat, or a folder of tables, if elsewhere")
    add("--out", type=Path, default=Path("models"))
    add("--runs", type=Path, default=Path("runs"))
    add("--shared", type=Path, default=Path("../shared"), help="has the MobileNetV2")
    add("--backbone", choices=NAMES, default=recipe.backbone)
    add("--branches", choices=("both", *BRANCHES), default="both")
    add("--person-size", type=int, default=recipe.sizes.person, metavar="PX")
    add("--frame-size", type=int, default=recipe.sizes.frame, metavar="PX")
    add("--epochs", type=int, default=recipe.epochs)
    add("--batch", type=int, default=recipe.batch)
    add("--rate", type=float, default=recipe.rate)
    add("--seed", type=int, default=recipe.seed)
    add("--threads", type=int, default=1)
    add("--workers", type=int, default=0, help="processes that read pictures")
    add("--skip-broken", action="store_true", help="leave out what is unusable, and count it")
    return parser


if __name__ == "__main__":
    run(main)
