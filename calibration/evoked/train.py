"""Rebuilds a published system for evoked emotion, prints its table, and writes a model.

python -m calibration.evoked.train deepemotion --table capd.csv --pictures capd/ --out models
python -m calibration.evoked.train learningtofeel --table agg/ --pictures flickr/ --out models
emotrack photos/ --scene models/deepemotion.json --csv out.csv

--backbone inception-v3 or inception-resnet-v2 takes timm's networks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from calibration.backbones import NAMES
from calibration.evoked.fit import Recipe, fit
from calibration.evoked.publish import publish
from calibration.evoked.scores import as_text
from calibration.evoked.systems import SYSTEMS, add_set, emotions_of, read_set
from calibration.samples import run


def main() -> None:
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    system = SYSTEMS[args.system]
    pictures = read_set(args)
    emotions = emotions_of(pictures.classes, args.same)
    parts = {"train": pictures.train, "val": pictures.val, "test": pictures.test}
    print(", ".join(f"{name} {len(part)} pictures" for name, part in parts.items()))
    strange = [c for c, e in zip(pictures.classes, emotions, strict=True) if e is None]
    if strange:
        print(f"no scene_ emotions: {', '.join(strange)} is none of the eight; --as says which")
    recipe = Recipe(
        backbone=args.backbone,
        size=args.size,
        first=args.first,
        epochs=args.epochs,
        batch=args.batch,
        rate=args.rate,
        balanced=system.balanced,
        seed=args.seed,
        untrained=args.untrained,
    )
    trained = fit(recipe, pictures, args.runs / system.name, args.shared, args.workers)
    onnx = args.out / f"{system.name}.onnx"
    card, scores = publish(trained, system, pictures, emotions, onnx)
    print(as_text(scores, system.theirs))
    print(card)


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_set(parser)
    add = parser.add_argument
    add("--out", type=Path, default=Path("models"))
    add("--runs", type=Path, default=Path("runs"))
    add("--shared", type=Path, default=Path("../shared"), help="has the MobileNetV2")
    add("--backbone", choices=NAMES, default=recipe.backbone)
    add("--untrained", action="store_true", help="timm's backbone without ImageNet's weights")
    add("--size", type=int, metavar="PX", help="default: what the backbone was made for")
    add("--first", type=int, default=recipe.first, help="epochs of the last layer alone")
    add("--epochs", type=int, default=recipe.epochs, help="all of them")
    add("--batch", type=int, default=recipe.batch)
    add("--rate", type=float, default=recipe.rate)
    add("--seed", type=int, default=recipe.seed)
    add("--threads", type=int, default=1)
    add("--workers", type=int, default=0, help="processes that read pictures")
    return parser


if __name__ == "__main__":
    run(main)
