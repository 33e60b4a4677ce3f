"""Half the room for the weights: stored as float16, computed with as float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

LARGE = 1024  # numbers; smaller tensors stay as they are
HALF = "_half"  # ends the names of the stored ones


@torch.no_grad()
def halve(network: nn.Module) -> None:
    """Rounds the large weights to what half the room can hold, so that storing loses nothing."""
    for parameter in network.parameters():
        if parameter.numel() > LARGE:
            parameter.copy_(parameter.half().float())


def store_halved(path: Path) -> None:
    """Large float32 tensors become float16 in the file, cast back once when it is loaded."""
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size <= LARGE:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        half = name + HALF
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)
