"""Scores an exported context network on a split of EMOTIC.

python -m calibration.emotic.evaluate --data EMOTIC --model runs/context-emotic.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import engines
from calibration.emotic.annotations import HIGHEST, LOWEST, SPLITS, Person, read_people
from calibration.emotic.people import cut
from calibration.emotic.scores import Scores, as_text, score
from calibration.samples import RecipeError, read_picture, run
from engines import infer_rows
from tracker.context import Layout
from tracker.models import ModelError, open_card
from tracker.values import CATEGORIES


def evaluate(card: Path, people: Sequence[Person], train: Sequence[Person]) -> Scores:
    """Through the ONNX file and its card, as the program runs it; one person at a time."""
    try:
        model = open_card(card)
        layout = Layout.of(model)
    except ModelError as wrong:
        raise RecipeError(str(wrong)) from wrong
    if layout.lacks or layout.affect is None or layout.categories is None:
        raise RecipeError(f"{card.name}: lacks {', '.join(layout.lacks)}")
    engine = engines.load(model.path, "onnx", max_batch=1)
    names = [spec.name for spec in engine.outputs]
    affect, categories = [], []
    for person in people:
        frame = read_picture(person.picture, person.where)
        body = cut(frame, person.box, (0, 0, 0, 0))
        shown = {"person": layout.fits["person"](body), "frame": layout.fits["frame"](frame)}
        out = infer_rows(engine, *(shown[spec.name][None] for spec in engine.inputs))
        affect.append(out[names.index("affect")][0, list(layout.affect.values())])
        categories.append(out[names.index("categories")][0, list(layout.categories.values())])
    engine.close()
    assert list(layout.categories) == list(CATEGORIES)
    middle, reach = (HIGHEST + LOWEST) / 2, (HIGHEST - LOWEST) / 2
    vad = (np.array(affect) * reach + middle).astype(np.float32)
    return score(people, train, np.array(categories), vad)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the set")
    parser.add_argument("--annotations", type=Path, help="the .mat, or a folder of tables")
    parser.add_argument("--model", type=Path, required=True, help="the card, .json")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--skip-broken", action="store_true", help="leave out what is unusable")
    args = parser.parse_args()

    def people(split: str) -> list[Person]:
        return read_people(args.data, split, args.annotations, skip_broken=args.skip_broken)

    print(as_text(evaluate(args.model, people(args.split), people("train"))))


if __name__ == "__main__":
    run(main)
