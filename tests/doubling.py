"""The smallest network, and how tests open one: skipping where its backend is not installed."""

import onnx
import pytest
from onnx import TensorProto, helper

import engines


def doubling_model(path, op="Mul", domain=""):
    """y = x * 2, with a batch of any size."""
    two = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "two"], ["y"], domain=domain)],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [two],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("nowhere", 1)],
        ir_version=10,
    )
    onnx.save(model, path)
    return path


def opened(path, backend, device, max_batch):
    try:
        return engines.load(path, backend, device=device, max_batch=max_batch)
    except engines.MissingBackend as missing:
        pytest.skip(str(missing))
