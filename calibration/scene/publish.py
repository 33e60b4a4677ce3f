"""From a fitted network to what ships: ONNX, the proof that it says the same, and the card."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim

import engines
from calibration.cards import write_card
from calibration.export import export
from calibration.scene.evaluate import Score, scores, written
from calibration.scene.features import Features
from calibration.scene.halves import halve, store_halved
from calibration.scene.material import SIZE, Material, frames_of
from calibration.scene.network import Answer, SceneNetwork
from calibration.scene.pictures import TYPES
from tracker.values import EMOTIONS

AXES = ("valence", "arousal")
COMMAND = "python -m calibration.scene.evaluate --shared ../shared --runs runs"


def publish(network: SceneNetwork, material: Material, seen: Features, out: Path) -> Path:
    """Writes scene-s.onnx and its card, with every score, to `out`; prints the parity."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "scene-s.onnx"
    halve(network)
    worst = write_onnx(network, material, path)
    print(f"{path.stat().st_size / 1e6:.1f} MB; ONNX Runtime differs from torch by {worst:.1e}")
    print(f"{milliseconds(path):.2f} ms a picture on one core")
    figures = scores(path, material, seen)
    for score in figures:
        print(written(score))
    count = sum(p.numel() for p in network.parameters())
    today = date.today().isoformat()
    card = described(count, worst)
    card["scores"] = [_figure(score, today) for score in figures]
    return write_card(path, {**card, "limits": LIMITS})


def write_onnx(network: SceneNetwork, material: Material, path: Path) -> float:
    """The largest difference of the stored file from torch, over pictures and a flat one."""

    def frames(start: int, stop: int) -> tuple[Tensor]:
        return (frames_of(material.files[start:stop]),)

    flat = (torch.zeros(1, 3, SIZE, SIZE),)
    examples = [frames(0, 2), frames(2, 5), flat]
    export(
        network,
        examples,
        path,
        inputs=["frame"],
        outputs=list(Answer._fields),
        dynamic={"frames": {0: Dim("n", min=1, max=1024)}},
    )
    store_halved(path)
    engine = engines.load(path, "onnx", max_batch=8)
    worst = 0.0
    for (example,) in examples:
        with torch.no_grad():
            ours = network(example)
        theirs = engine.infer(example.numpy())
        pairs = zip(ours, theirs, strict=True)
        worst = max(worst, *(float(np.abs(a.numpy() - b).max()) for a, b in pairs))
    engine.close()
    if worst > 1e-3:
        raise ValueError(f"{path.name}: ONNX Runtime differs from torch by {worst:.2g}")
    return worst


def milliseconds(path: Path) -> float:
    """Median time of one picture, one thread."""
    engine = engines.load(path, "onnx", max_batch=1)
    frame = np.zeros((1, 3, SIZE, SIZE), np.float32)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        engine.infer(frame)
        times.append(time.perf_counter() - start)
    engine.close()
    return 1000 * float(np.median(times))


def described(count: int, worst: float) -> dict[str, Any]:
    """The card but for its scores and limits."""
    return {
        "role": "scene",
        "version": "1.1",
        "parameters": count,
        "input": {
            "name": "frame",
            "size": [SIZE, SIZE],
            "colour": "RGB",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "fit": "squash",
        },
        "outputs": [
            {"name": "affect", "labels": list(AXES), "unit": "-1..1: (x - 4) / 3 of the 1-7 scale"},
            {
                "name": "spread",
                "labels": list(AXES),
                "unit": "standard deviation between viewers, on the scale of affect",
            },
            {"name": "emotions", "labels": list(EMOTIONS), "unit": "probability, sums to 1"},
            {
                "name": "place",
                "labels": ["outdoor", *TYPES],
                "unit": "probability of outdoor; probabilities of the types, which sum to 1",
            },
            {
                "name": "maps",
                "labels": [*AXES, *EMOTIONS],
                "unit": "cells whose mean is affect before it is clipped to -1..1, and the "
                "emotions' logits",
            },
        ],
        "data": DATA,
        "training": {**TRAINING, "onnx_from_torch": worst},
        "licence": "Apache-2.0; trained on pictures whose own terms are unverified, see data",
    }


def _figure(score: Score, today: str) -> dict[str, Any]:
    figure: dict[str, Any] = {
        "metric": score.metric,
        "value": round(score.value, 4),
        "set": score.set,
        "n": score.n,
    }
    if score.constant is not None:
        figure["constant"] = round(score.constant, 4)
    if score.folds:
        figure["folds"] = [round(part, 4) for part in score.folds]
    return {**figure, "date": today, "command": COMMAND}


DATA = [
    {
        "name": "ImageNet classes, through MobileNetV2 1.0 224 px: float32 weights computed from "
        "the int8 tf2_mobilenet_v2_1.0_224_ptq.tflite of github.com/google-coral/test_data at "
        "104342d2",
        "licence": "Apache-2.0; ImageNet's pictures are for research (unverified)",
        "used_for": "the body, unchanged but for rounding to half precision",
    },
    {
        "name": "OASIS (Kurdi, Lozano and Banaji 2017), 729 pictures in 202 themes, without Nude",
        "licence": "open access by its paper; single pictures' terms unverified",
        "used_for": "train; the scores by folds of whole themes",
    },
    {
        "name": "Intel Image Classification, 900 pictures of six classes",
        "licence": "none stated",
        "used_for": "train places; a fifth for the scores only",
    },
    {
        "name": "SUN-8, 480 pictures of eight classes from the SUN database",
        "licence": "for research (unverified)",
        "used_for": "train places; a fifth for the scores only",
    },
    {
        "name": "calibration/scene/words.csv: what the names of ImageNet's classes evoke",
        "licence": "Apache-2.0",
        "used_for": "features of the heads; judged by the authors, no viewer asked",
    },
    {
        "name": "calibration/scene/themes.csv: emotions and outdoors of OASIS themes",
        "licence": "Apache-2.0",
        "used_for": "train emotions and outdoors; DERIVED from theme words and measured valence "
        "and arousal, nobody named an emotion for a picture",
    },
]
TRAINING = {
    "command": "python -m calibration.scene.train --shared ../shared --runs runs",
    "how": "Heads solved for in closed form on ImageNet's features. The scores on OASIS are "
    "of five such fits, each asked only about themes it did not see; penalties and stretch were"
    " chosen inside each fit's own themes. Which features are read, how they weigh, the size of"
    " the input (224, 224 x 288, 256 or 288 px) and how its parts are named were chosen on the "
    "same five folds among a few ways, so the scores may be slightly too good; python -m "
    "calibration.scene.nested prints them with size (224, 256 or 288 px), naming (by a part, the "
    "whole or half of each) and weight of the words (0.1, 0.3, 1 or 3) chosen inside each fit's "
    "own themes. The other weights and the stretch are not chosen anew there. The shipped heads "
    "are fitted to all 202 themes.",
}
LIMITS = (
    "What a picture evoked in the mean of about a hundred American adults on the web in 2015; "
    "viewers differ, and spread says by how much. Valence and arousal of a theme unlike the "
    "202 seen rest on ImageNet's classes and on what their names suggest. Single pictures "
    "without sound or story: a film's plot is not known to it. The eight emotions are trained "
    "on derived labels and are no measured thing; replace that head when labels exist. Types "
    "of place are fourteen only; of elsewhere, pictures of objects, animals and people were the "
    "examples, so other places may pass for one of the fourteen. Not for decisions about people."
)
