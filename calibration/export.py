"""From torch to ONNX, with the proof that both say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn


def export(
    network: nn.Module,
    examples: Sequence[tuple[torch.Tensor, ...]],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, Any]],
) -> float:
    """Writes `network` to `path` and returns the largest difference from torch over `examples`.

    examples: argument tuples of different sizes along the dynamic axes; the first is traced.
    dynamic: parameter name of `forward` -> axis -> torch.export.Dim.
    No two tensors of an example may be the same object: the exporter would merge them.
    Raises ValueError if a file that computes something else came out.
    """
    network = network.eval()
    torch.onnx.export(
        network,
        examples[0],
        path,
        dynamo=True,
        opset_version=20,
        external_data=False,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=dict(dynamic),
        verbose=False,
    )
    _forget_sources(path)
    worst = max(_difference(network, example, path, inputs) for example in examples)
    if worst > 1e-3:
        raise ValueError(f"{path.name}: ONNX Runtime differs from torch by {worst:.2g}")
    return worst


def _forget_sources(path: Path) -> None:
    """The exporter notes on every node which line of which file it came from, with full paths."""
    model = onnx.load(path)
    del model.metadata_props[:], model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    onnx.save(model, path)


def _difference(
    network: nn.Module, example: tuple[torch.Tensor, ...], path: Path, inputs: Sequence[str]
) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {name: tensor.numpy() for name, tensor in zip(inputs, example, strict=True)}
    ours = session.run(None, feeds)
    with torch.no_grad():
        theirs = network(*example)
    return max(
        float(np.abs(a - b.numpy()).max()) for a, b in zip(ours, theirs, strict=True) if a.size
    )
