"""From a trained network to what ships: temperature, ONNX, card."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import Dim

import engines
from calibration.cards import write_card
from calibration.export import export
from calibration.face.evaluate import scores
from calibration.face.fit import predict
from calibration.face.network import FaceNetwork, Shipped
from calibration.face.pictures import Votes, majority, shares_of, validation_votes
from tracker.crops import Template
from tracker.values import EXPRESSIONS

COMMAND = (
    "python -m calibration.face.evaluate --shared ../shared --model tracker/weights/face-s.onnx"
)
DATA = (
    {
        "name": "FER+ (Barsoum et al. 2016), votes on the Training part of FER2013",
        "licence": "votes MIT; pixels are web pictures whose terms are unverified",
        "used_for": "train; PublicTest for choosing the epoch, the share of the last training "
        "in the weights and the temperature",
    },
    {
        "name": "DiffusionFER, buckets 2 to 4 of 5",
        "licence": "CC0-1.0 by its dataset card",
        "used_for": "train; bucket 1 for the scores only, which were in sight when the rule that "
        "blends the last two trainings was settled: they flatter it a little",
    },
    {
        "name": "muxspace/facial_expressions, 4,000 pictures",
        "licence": "repository Apache-2.0; photographs not cleared",
        "used_for": "train, noisy labels at a small weight",
    },
    {
        "name": "YuNet face_detection_yunet_2023mar",
        "licence": "MIT",
        "used_for": "landmarks of the training pictures",
    },
)
LIMITS = (
    "What a face shows is not what a person feels. Trained on web pictures of mostly adult, "
    "mostly frontal faces, labelled from single frames by ten anonymous voters; nobody recorded "
    "age, gender, skin colour or culture, so fairness between groups is unknown. Valence and "
    "arousal were rated by people on synthetic faces only; on photographs they are the mean place "
    "of the voted words in the circumplex, a proxy. Contempt, disgust and fear were rare in "
    "training and are found least surely. Profiles, faces below 16 px, masks and hands over the "
    "mouth make it unreliable. Not for decisions about people."
)


def publish(
    network: FaceNetwork, template: Template, shared: Path, out: Path, recipe: Mapping[str, Any]
) -> Path:
    """Writes face-s.onnx and its card, with every score, to `out`; prints the parity.

    recipe: how the network was trained, for the card.
    """
    votes = validation_votes(shared / "data" / "faces")
    temperature = fitted_temperature(network, votes)
    plain = FaceNetwork(network.shape)
    plain.load_state_dict(network.state_dict())  # in the usual memory layout
    out.mkdir(parents=True, exist_ok=True)
    onnx = out / "face-s.onnx"
    worst = write_onnx(Shipped(plain.eval(), temperature), votes.images, onnx)
    print(f"temperature {temperature:.3f}; ONNX Runtime differs from torch by {worst:.1e} at most")
    today = date.today().isoformat()
    figures = []
    for score in scores(onnx, template, shared):
        figures.append(
            {
                "metric": score.metric,
                "value": round(score.value, 4),
                "set": score.set,
                "n": score.n,
                "date": today,
                "command": COMMAND,
            }
        )
        print(f"{score.value:8.4f}  {score.metric}  [{score.set}, n {score.n}]")
    count = sum(p.numel() for p in plain.parameters())
    card = describe(template, plain.expression.in_features, count, temperature)
    training = {**recipe, "onnx_from_torch": worst}
    return write_card(onnx, {**card, "training": training, "scores": figures, "limits": LIMITS})


def fitted_temperature(network: FaceNetwork, votes: Votes) -> float:
    """Divides the logits so that likelihoods hold (Guo et al. 2017, sec. 4.2).

    Fitted on the even rows that have a majority; the calibration error is scored on the odd ones.
    """
    even = majority(votes.votes) & (np.arange(len(votes)) % 2 == 0)
    logits = predict(network, votes.images[even], mirrored=False).expression
    truth = torch.from_numpy(shares_of(votes.votes)[even].argmax(1))

    def entropy(temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits / temperature, truth))

    return float(min(np.geomspace(0.2, 3, 200).tolist(), key=entropy))


def write_onnx(shipped: Shipped, images: NDArray[np.uint8], path: Path) -> float:
    """The largest difference from torch over real crops and a flat one."""

    def crops(start: int, stop: int) -> tuple[Tensor]:
        return (torch.from_numpy(images[start:stop])[:, None].float(),)

    flat = (torch.full((1, 1, *images.shape[1:]), 128.0),)
    return export(
        shipped,
        [crops(0, 2), crops(2, 3), crops(3, 67), flat],
        path,
        inputs=["face"],
        outputs=["affect", "expression", "features"],
        dynamic={"face": {0: Dim("n", min=1, max=1024)}},
    )


def describe(template: Template, width: int, count: int, temperature: float) -> dict[str, Any]:
    """The card but for its scores."""
    return {
        "role": "face",
        "version": "1.0",
        "parameters": count,
        "input": {
            "name": "face",
            "size": [template.size, template.size],
            "colour": "grey",
            "range": [0, 255],
            "crop": {
                "how": "similarity transform of five landmarks (eyes, nose, mouth corners, "
                "image-left first) to these points, px of the crop; without landmarks a square of "
                "box_scale times the side of the box's equal square",
                "points": [list(point) for point in template.points],
                "box_scale": template.box_scale,
            },
        },
        "outputs": [
            {"name": "affect", "labels": ["valence", "arousal"], "unit": "-1..1"},
            {"name": "expression", "labels": list(EXPRESSIONS), "unit": "probability"},
            {"name": "features", "width": width},
        ],
        "temperature": round(temperature, 4),
        "data": list(DATA),
        "licence": "Apache-2.0; trained on pictures whose own terms are unverified, see data",
    }


def milliseconds(onnx: Path, faces: int = 300) -> float:
    """Median time of one face at a time, in ms, on one thread."""
    engine = engines.load(onnx, "onnx", max_batch=1)
    crop = np.full((1, *engine.inputs[0].shape), 100, np.float32)
    times = []
    for _ in range(faces):
        start = time.perf_counter()
        engine.infer(crop)
        times.append(time.perf_counter() - start)
    engine.close()
    return float(np.median(times) * 1e3)
