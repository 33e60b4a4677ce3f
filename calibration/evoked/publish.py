"""From the trained network to a model that `emotrack --scene` runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from calibration.cards import write_card
from calibration.evoked.evaluate import evaluate
from calibration.evoked.fit import Trained
from calibration.evoked.network import Shipped
from calibration.evoked.pictures import Pictures
from calibration.evoked.scores import Scores
from calibration.evoked.systems import System
from calibration.export import export

COMMAND = "python -m calibration.evoked.evaluate {name} --table T --pictures P --model {name}.json"
LIMITS = (
    "What a picture makes its viewers feel, as those asked said; people differ, and nobody asked "
    "how much. One emotion a picture: mixed ones are not in it. Not for decisions about people."
)


def publish(
    trained: Trained, system: System, pictures: Pictures, emotions: list[str | None], onnx: Path
) -> tuple[Path, Scores]:
    """The written card, and the scores of the written file on the test part.

    emotions: what each class is of EMOTIONS. If one is none of them, the model has no output
    `emotions`, for its probabilities would not be complete.
    """
    onnx.parent.mkdir(parents=True, exist_ok=True)
    whole = [emotion for emotion in emotions if emotion is not None]
    shipped = Shipped(trained.network, whole if len(whole) == len(emotions) else []).eval()
    outputs = {"classes": list(pictures.classes)}
    if shipped.labels:
        outputs["emotions"] = shipped.labels
    worst = export(
        shipped,
        [(_noise(trained.size, count),) for count in (2, 1, 3)],
        onnx,
        inputs=["frame"],
        outputs=list(outputs),
        dynamic={"frame": {0: Dim("n", min=1, max=1024)}},
    )
    print(f"ONNX Runtime differs from torch by {worst:.1e} at most")
    card = _described(trained, system, outputs)
    path = write_card(onnx, {**card, "scores": []})
    scores = evaluate(path, pictures, emotions)
    return write_card(onnx, {**card, "scores": _figures(scores, system)}), scores


def _noise(size: int, count: int) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(count)) * 2 - 1


def _described(trained: Trained, system: System, outputs: dict[str, list[str]]) -> dict[str, Any]:
    backbone = trained.backbone
    return {
        "role": "scene",
        "version": "1.0",
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "input": {
            "name": "frame",
            "size": [trained.size, trained.size],
            "colour": "RGB",
            "fit": "squash",
            "mean": list(backbone.mean),
            "std": list(backbone.std),
        },
        "outputs": [
            {"name": name, "labels": labels, "unit": "probability"}
            for name, labels in outputs.items()
        ],
        "data": [
            system.data,
            {
                "name": backbone.origin,
                "licence": "of the weights: see there; ImageNet's pictures are for research",
                "used_for": f"the layers below the last ({backbone.name})",
            },
        ],
        "licence": "as its data",
        "limits": LIMITS,
    }


def _figures(scores: Scores, system: System) -> list[dict[str, Any]]:
    figures = {
        "accuracy": scores.accuracy,
        f"accuracy of the constant answer ({scores.constant})": scores.constant_accuracy,
    }
    if scores.binary is not None:
        ours, constant = scores.binary
        figures |= {"positive or negative": ours, "the same of the constant answer": constant}
    about = {"set": f"{system.data['name']}, test part", "n": scores.n}
    about |= {"date": date.today().isoformat(), "command": COMMAND.format(name=system.name)}
    return [{"metric": name, "value": round(value, 4), **about} for name, value in figures.items()]
