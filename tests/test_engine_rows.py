"""Any number of rows through an engine that takes so many, or has memory for fewer."""

import numpy as np
import onnx
import pytest
from doubling import opened
from onnx import TensorProto, helper

from engines import OutOfMemory, TensorSpec, infer_rows


class Doubler:
    inputs = (TensorSpec("x", (2,), "float32"),)
    outputs = (TensorSpec("y", (2,), "float32"),)
    max_batch = 3
    description = "test double"

    def __init__(self):
        self.batches = []

    def infer(self, x):
        self.batches.append(len(x))
        return (2 * x,)

    def close(self):
        pass


@pytest.mark.parametrize("rows, batches", [(0, []), (1, [1]), (3, [3]), (7, [3, 3, 1])])
def test_rows_are_cut_into_batches_the_engine_can_take(rows, batches):
    engine = Doubler()
    x = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
    (y,) = infer_rows(engine, x)
    np.testing.assert_array_equal(y, 2 * x)
    assert engine.batches == batches


class Small(Doubler):
    """A device with room for `room` rows."""

    def __init__(self, room):
        super().__init__()
        self.max_batch = 8
        self.room = room

    def infer(self, x):
        if len(x) > self.room:
            raise OutOfMemory("out of device memory")
        return super().infer(x)


def test_out_of_memory_halves_the_batch_says_so_once_and_goes_on(caplog):
    engine = Small(room=3)
    x = np.arange(40, dtype=np.float32).reshape(20, 2)
    for _ in range(2):
        (y,) = infer_rows(engine, x)
        np.testing.assert_array_equal(y, 2 * x)
    assert set(engine.batches) == {2}
    assert caplog.messages == ["out of device memory: batches of 2 rows from now on"]


def greedy_model(path):
    """y = x * 2, on the way to which n rows take n to the power of 46 times the memory of one."""
    held = [
        helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0]),
        helper.make_tensor("none", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("power", TensorProto.INT64, [1], [46]),
        helper.make_tensor("flat", TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        helper.make_node("Shape", ["x"], ["n"], end=1),
        helper.make_node("Pow", ["n", "power"], ["many"]),
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Reshape", ["most", "flat"], ["one"]),
        helper.make_node("Expand", ["one", "many"], ["all"]),
        helper.make_node("ReduceMax", ["all"], ["large"], keepdims=0),
        helper.make_node("Mul", ["large", "none"], ["nothing"]),
        helper.make_node("Mul", ["x", "two"], ["double"]),
        helper.make_node("Add", ["double", "nothing"], ["y"]),
    ]
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])] for name in ("x", "y")
    ]
    graph = helper.make_graph(nodes, "greedy", *sides, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_memory_that_really_runs_out_halves_the_batch_too(tmp_path, caplog, name):
    engine = opened(greedy_model(tmp_path / "greedy.onnx"), name, "cpu", 2)
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    with pytest.raises(OutOfMemory, match=r"greedy\.onnx: out of .*memory"):
        engine.infer(x[:2])
    (y,) = infer_rows(engine, x)
    np.testing.assert_array_equal(y, 2 * x)
    assert caplog.messages == ["out of device memory: batches of 1 rows from now on"]


def test_a_single_row_that_does_not_fit_is_an_error():
    with pytest.raises(OutOfMemory):
        infer_rows(Small(room=0), np.zeros((5, 2), np.float32))
