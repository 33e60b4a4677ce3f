"""What the second step leaves behind: the network as ONNX, its card, a table for each video."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.export import Dim

import engines
from calibration.export import export
from calibration.poster.faces import Seen
from calibration.poster.network import PosterNetwork
from calibration.poster.recola import RATERS


class Exported(nn.Module):
    """The graph's outputs as the tuple that `export` compares."""

    def __init__(self, network: PosterNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, face: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.network(face),)


def write_onnx(network: PosterNetwork, crops: torch.Tensor, path: Path) -> float:
    """Faces in, (n, 6) ratings out. The largest difference from torch over some of `crops`.

    crops: (n, 1, S, S), grey levels 0..255.
    """
    plain = PosterNetwork(len(RATERS), crops.shape[-1])
    plain.load_state_dict(network.state_dict())  # in the usual memory layout
    faces = crops[:64].float()
    return export(
        Exported(plain.eval()),
        [(faces[[0, -1]],), (faces[:1].clone(),), (faces,)],
        path,
        inputs=["face"],
        outputs=["ratings"],
        dynamic={"face": {0: Dim("n", min=1, max=1024)}},
    )


def predict(engine: engines.Engine, seen: Seen) -> NDArray[np.float64]:
    """(n, 6): each rater's value for each frame, nan where no face was found."""
    said = np.full((len(seen.pts), len(RATERS)), np.nan)
    said[seen.found] = engines.infer_rows(engine, seen.crops.astype(np.float32))[0]
    return said


def write_predictions(path: Path, pts: NDArray[np.float64], said: NDArray[np.float64]) -> None:
    """time in s and one column for each rater; empty cells where no face was found."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *RATERS])
        for time, row in zip(pts, said, strict=True):
            writer.writerow([f"{time:.6f}", *("" if np.isnan(v) else f"{v:.6f}" for v in row)])


def describe(given: Mapping[str, Any], dimension: str, delay: float) -> dict[str, Any]:
    """The card but for its scores.

    given: section `input` of the face network's card. delay: s from a frame to its ratings.
    """
    return {
        "role": "raters",
        "version": "1.0",
        "input": {**given, "name": "face"},
        "outputs": [{"name": "ratings", "labels": list(RATERS), "unit": f"{dimension}, -1..1"}],
        "delay": delay,
        "data": [
            {
                "name": "RECOLA (Ringeval et al. 2013), AV+EC 2015 splits",
                "licence": "the owners' agreement",
                "used_for": f"train: {dimension} of each rater; dev: choosing the epoch",
            },
            {
                "name": "FER2013, labels angry, happy, sad, neutral of the Training part",
                "licence": "web pictures whose terms are unverified",
                "used_for": "the weights it started from",
            },
        ],
        "licence": "as the agreement with RECOLA's owners allows",
    }
