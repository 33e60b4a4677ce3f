"""Scores an exported network on its set's test part, as the program runs it.

python -m calibration.evoked.evaluate learningtofeel --table agg/ --pictures flickr/ --model FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import engines
from calibration.evoked.pictures import Pictures
from calibration.evoked.scores import Scores, as_text, score
from calibration.evoked.systems import SYSTEMS, add_set, emotions_of, read_set
from calibration.samples import RecipeError, read_picture, run
from tracker.models import ModelError, label_order, open_card
from tracker.scene import Layout


def evaluate(card: Path, pictures: Pictures, emotions: list[str | None]) -> Scores:
    """Through the ONNX file and its card, one picture at a time."""
    try:
        model = open_card(card)
        fit = Layout.of(model).fit
        order = label_order(model, "classes", pictures.classes)
    except ModelError as wrong:
        raise RecipeError(str(wrong)) from wrong
    if order is None:
        raise RecipeError(f"{card.name}: no output 'classes'")
    engine = engines.load(model.path, "onnx", max_batch=1)
    place = [spec.name for spec in engine.outputs].index("classes")
    said = []
    for sample in pictures.test:
        shares = engine.infer(fit(read_picture(sample.picture, sample.where))[None])[place]
        said.append(int(np.argmax(shares[0, list(order.values())])))
    engine.close()
    return score(pictures, said, emotions)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_set(parser)
    parser.add_argument("--model", type=Path, required=True, help="the card, .json")
    args = parser.parse_args()
    pictures = read_set(args)
    scores = evaluate(args.model, pictures, emotions_of(pictures.classes, args.same))
    print(as_text(scores, SYSTEMS[args.system].theirs))


if __name__ == "__main__":
    run(main)
