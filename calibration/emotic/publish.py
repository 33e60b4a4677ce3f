"""From the trained network to a model that `emotrack --context` runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from calibration.cards import write_card
from calibration.emotic.annotations import Person
from calibration.emotic.evaluate import evaluate
from calibration.emotic.fit import Recipe, Trained
from calibration.emotic.scores import AXES, Scores
from calibration.export import export
from tracker.values import CATEGORIES

COMMAND = "python -m calibration.emotic.evaluate --data EMOTIC --model {name}.json"
LIMITS = (
    "What somebody seems to feel to others is not what they feel. Labels are those of annotators "
    "on Amazon Mechanical Turk: one a person in training, several in the test. Rare categories "
    "are found badly. At run time the body is a guess from the face, in training it was drawn by "
    "hand. Not for decisions about people."
)


def publish(
    trained: Trained, recipe: Recipe, test: Sequence[Person], train: Sequence[Person], onnx: Path
) -> tuple[Path, Scores]:
    """The written card, and the scores of the written file on `test`."""
    onnx.parent.mkdir(parents=True, exist_ok=True)
    n = Dim("n", min=1, max=1024)
    worst = export(
        trained.network,
        [_pictures(recipe, count) for count in (2, 1, 5)],
        onnx,
        inputs=["person", "frame"],
        outputs=["affect", "categories"],
        dynamic={"person": {0: n}, "frame": {0: n}},
    )
    print(f"ONNX Runtime differs from torch by {worst:.1e} at most")
    card = _described(trained, recipe)
    path = write_card(onnx, {**card, "scores": []})
    scores = evaluate(path, test, train)
    return write_card(onnx, {**card, "scores": _figures(scores, onnx.stem)}), scores


def _pictures(recipe: Recipe, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.Generator().manual_seed(count)
    sides = recipe.sizes.person, recipe.sizes.frame
    person, frame = (torch.rand(count, 3, s, s, generator=noise) * 2 - 1 for s in sides)
    return person, frame


def _described(trained: Trained, recipe: Recipe) -> dict[str, Any]:
    picture = {
        "colour": "RGB",
        "fit": "squash",
        "mean": list(trained.backbone.mean),
        "std": list(trained.backbone.std),
    }
    sides = {"person": recipe.sizes.person, "frame": recipe.sizes.frame}
    return {
        "role": "context",
        "version": "1.0",
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "input": {name: {"size": [side, side], **picture} for name, side in sides.items()},
        "outputs": [
            {"name": "affect", "labels": list(AXES), "unit": "-1..1, from 1..10: (x - 5.5) / 4.5"},
            {"name": "categories", "labels": list(CATEGORIES), "unit": "0..1, independent"},
        ],
        "data": [
            {
                "name": "EMOTIC (Kosti et al. 2019)",
                "licence": "for research only, on request from its authors",
                "used_for": "train; val for choosing the epoch; test for the scores only",
            },
            {
                "name": trained.backbone.origin,
                "licence": "of the weights: see there; ImageNet's pictures are for research",
                "used_for": f"both branches start from it ({trained.backbone.name})",
            },
        ],
        "licence": "for research only, as its data",
        "limits": LIMITS,
    }


def _figures(scores: Scores, name: str) -> list[dict[str, Any]]:
    found = {
        "mAP": scores.mean_precision,
        "mAP of the constant answer": scores.constant_mean_precision,
        **{f"AP {category}": value for category, value in scores.precision.items()},
        **{f"mean error {axis}, 1..10": value for axis, value in scores.error.items()},
        **{
            f"mean error {axis} of the constant answer": value
            for axis, value in scores.constant_error.items()
        },
    }
    about = {"set": "EMOTIC test", "n": scores.n, "date": date.today().isoformat()}
    command = COMMAND.format(name=name)
    return [
        {"metric": metric, "value": round(value, 4), **about, "command": command}
        for metric, value in found.items()
        if value == value  # a category that nobody has, has no score
    ]
