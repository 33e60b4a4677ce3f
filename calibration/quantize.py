"""Smaller numbers in a trained network: int8 with Q/DQ from representative rows, or fp16.

The result is an .onnx of its own, for engines take a file's precision as it is. Two kinds of int8,
for no file suits both: ONNX Runtime's fast kernels on a CPU multiply unsigned steps of the maps by
signed weights, TensorRT takes only symmetric scales and unquantised biases.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

FORMS = ("int8", "int8-tensorrt", "fp16")
BATCH = 64  # rows of one look at the ranges
# The heads keep their precision. Of a CPU's maps only what convolutions read and write is rounded:
# sums cost little as they are, and ONNX Runtime's pooling of integers is the slower one.
QUANTISED = {
    "int8": ("Conv", "Relu"),
    "int8-tensorrt": ("Conv", "Add", "AveragePool", "MaxPool", "Relu"),
}

Rows = Mapping[str, NDArray[np.float32]]  # input -> (n, ...)


def quantize(source: Path, target: Path, form: str, rows: Rows, kept: Collection[str] = ()) -> None:
    """Writes `source` in another precision. rows: what the network usually reads, for int8.

    kept: parts of the names of weights; convolutions with these stay as they are in int8.

    Raises ValueError if the form is unknown.
    """
    if form not in FORMS:
        raise ValueError(f"form is {form!r}, expected one of {', '.join(FORMS)}")
    if form == "fp16":
        _save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)
        return
    # onnxruntime prints how far it is, which is nobody's result.
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        plain = Path(folder) / source.name
        quant_pre_process(str(source), str(plain), skip_symbolic_shape=True)
        network = onnx.load(plain)
        symmetric = form == "int8-tensorrt"
        quantize_static(
            str(plain),
            str(target),
            _Reader(rows),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # Where processors lack an instruction for it, full 8 x 8 bits overflow, and the values
            # would depend on the machine: weights of 7 bits cannot.
            reduce_range=not symmetric,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            op_types_to_quantize=list(QUANTISED[form]),
            nodes_to_exclude=_first_nodes(network) + _with_weights(network, kept),
            extra_options={
                "ActivationSymmetric": symmetric,
                "WeightSymmetric": True,
                "QuantizeBias": not symmetric,
            },
        )
    _save(onnx.load(target), target)


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, rows: Rows) -> None:
        self._batches: Iterator[dict[str, Any]] = iter(_batches(rows))

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def _batches(rows: Rows) -> Iterator[dict[str, Any]]:
    """All of one size, as onnxruntime wants them: rows beyond the last full batch are left out."""
    count = len(next(iter(rows.values())))
    step = min(BATCH, count)
    for start in range(0, count - step + 1, step):
        yield {name: values[start : start + step] for name, values in rows.items()}


def _first_nodes(model: Any) -> list[str]:
    """The way to the maps of the first convolution. It reads the picture itself: rounding there
    cost as much as all other rounding together, and saves nothing on one or three channels."""
    names = []
    for node in model.graph.node:
        names.append(node.name)
        if node.op_type == "Conv":
            return names
    logging.getLogger(__name__).warning("there is no convolution to quantise")
    return names


def _with_weights(model: Any, parts: Collection[str]) -> list[str]:
    """The convolutions that read a weight with one of `parts` in its name."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return [node.name for node in convolutions if any(part in node.input[1] for part in parts)]


def _save(model: Any, target: Path) -> None:
    """With its nodes in an order in which they can run: the converter leaves them in any."""
    known = {"", *(t.name for t in (*model.graph.initializer, *model.graph.input))}
    waiting, ordered = list(model.graph.node), []
    while waiting:
        ready = [node for node in waiting if known.issuperset(node.input)]
        if not ready:
            raise ValueError(f"{target.name}: its nodes need each other")
        ordered += ready
        known.update(name for node in ready for name in node.output)
        waiting = [node for node in waiting if not known.issuperset(node.output)]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    onnx.checker.check_model(model)
    onnx.save(model, target)
