from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import engines
from engines import EngineError, TensorSpec, infer_rows


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


@pytest.fixture(params=sorted(engines.BACKENDS))
def engine(request, tmp_path):
    try:
        opened = engines.load(doubling_model(tmp_path / "double.onnx"), request.param, max_batch=4)
    except engines.MissingBackend as missing:
        pytest.skip(str(missing))
    yield opened
    opened.close()


@pytest.mark.parametrize("rows, batches", [(0, []), (1, [1]), (3, [3]), (7, [3, 3, 1])])
def test_rows_are_cut_into_batches_the_engine_can_take(rows, batches):
    engine = Doubler()
    x = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
    (y,) = infer_rows(engine, x)
    np.testing.assert_array_equal(y, 2 * x)
    assert engine.batches == batches


def test_an_engine_computes_what_the_file_says_for_any_batch(engine):
    for n in (1, 4):
        x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        (y,) = engine.infer(x)
        np.testing.assert_allclose(y, 2 * x)


def test_outputs_survive_the_next_call(engine):
    (first,) = engine.infer(np.ones((1, 2), np.float32))
    engine.infer(np.full((1, 2), 9, np.float32))
    np.testing.assert_allclose(first, 2)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((1, 2)),
        np.zeros((1, 3), np.float32),
        np.zeros(2, np.float32),
        np.zeros((5, 2), np.float32),
        np.zeros((0, 2), np.float32),
    ],
    ids=["float64", "too wide", "no batch", "too many rows", "no rows"],
)
def test_a_wrong_tensor_is_an_error_that_names_the_input(engine, x):
    with pytest.raises(EngineError, match=r"double\.onnx: input 'x'"):
        engine.infer(x)


def test_closing_twice_is_harmless_and_then_nothing_runs(engine):
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(np.zeros((1, 2), np.float32))


def test_an_unknown_backend_or_device_names_the_known_ones(tmp_path):
    with pytest.raises(EngineError, match="unknown backend 'magic'; known: onnx"):
        engines.load(Path("m.onnx"), "magic")
    with pytest.raises(EngineError, match="unknown device 'tpu'; known: cpu, cuda"):
        engines.load(doubling_model(tmp_path / "m.onnx"), "onnx", device="tpu")


def test_a_device_that_is_not_there_is_an_error_not_a_fallback(tmp_path):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(EngineError, match="CUDAExecutionProvider is missing"):
        engines.load(doubling_model(tmp_path / "m.onnx"), "onnx", device="cuda")


@pytest.mark.parametrize("make", ["text", "operator"])
def test_a_file_that_cannot_run_is_named(tmp_path, make):
    path = tmp_path / "broken.onnx"
    if make == "text":
        path.write_text("not a network")
    else:
        doubling_model(path, op="Conjure", domain="nowhere")
    with pytest.raises(EngineError, match=r"broken\.onnx"):
        engines.load(path, "onnx")


def test_a_missing_package_says_what_to_install(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name="onnxruntime")

    monkeypatch.setattr(engines, "import_module", absent)
    with pytest.raises(engines.MissingBackend, match="pip install 'onnxruntime'"):
        engines.load(Path("m.onnx"), "onnx")


def test_a_bug_of_ours_is_not_taken_for_a_missing_package(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError(name="engines.nowhere")

    monkeypatch.setattr(engines, "import_module", broken)
    with pytest.raises(ModuleNotFoundError) as raised:
        engines.load(Path("m.onnx"), "onnx")
    assert not isinstance(raised.value, EngineError)
