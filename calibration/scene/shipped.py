"""The shipped file as a torch network, for whatever needs gradients."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from calibration.scene.halves import HALF
from calibration.scene.mobilenet import MobileNetV2
from calibration.scene.network import SceneNetwork


def restored(path: Path) -> SceneNetwork:
    """Raises RuntimeError naming the weights that a file of another shape lacks."""
    weights = {}
    for tensor in onnx.load(path).graph.initializer:
        values = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        weights[tensor.name.removesuffix(HALF)] = values.float()
    network = SceneNetwork(MobileNetV2())
    names = network.state_dict().keys()
    network.load_state_dict({name: value for name, value in weights.items() if name in names})
    return network.eval()
