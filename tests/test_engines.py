import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import engines
from engines import EngineError, OutOfMemory, TensorSpec, infer_rows
from engines.proof import open_proven


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


EVERY = [(name, device) for name, about in engines.BACKENDS.items() for device in about.devices]
IDS = ["-".join(pair) for pair in EVERY]
WEIGHTS = Path(__file__).parent.parent / "tracker" / "weights"
# Not the int8 that is for CPUs: tests/test_quantize.py.
SHIPPED = [path for path in sorted(WEIGHTS.glob("*.onnx")) if not path.stem.endswith("-int8")]
MEMORY = next(path for path in SHIPPED if path.stem == "memory-s")  # three inputs
TOLERANCE = 1e-3  # between two engines on one fp32 file


def opened(path, backend, device, max_batch):
    try:
        return engines.load(path, backend, device=device, max_batch=max_batch)
    except engines.MissingBackend as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=EVERY, ids=IDS)
def engine(request, tmp_path):
    engine = opened(doubling_model(tmp_path / "double.onnx"), *request.param, 4)
    yield engine
    engine.close()


@pytest.fixture(params=EVERY, ids=IDS)
def on(request):
    """A backend and a device."""
    return request.param


def rows_for(engine, n):
    """Pictures of noise, and numbers of a memory's size."""
    rng = np.random.default_rng(n)
    shapes = [(n, *(64 if d == -1 else d for d in spec.shape)) for spec in engine.inputs]
    return [rng.uniform(0, 255 if len(s) == 4 else 1, s).astype(np.float32) for s in shapes]


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


def test_an_engine_computes_what_the_file_says_for_any_batch(engine):
    for n in (1, 4):
        x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        (y,) = engine.infer(x)
        np.testing.assert_allclose(y, 2 * x)


@pytest.mark.parametrize("model", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_network_says_the_same_on_every_engine(model, on):
    reference, engine = engines.load(model, "onnx"), opened(model, *on, 8)
    assert [spec.name for spec in engine.inputs] == [spec.name for spec in reference.inputs]
    assert [spec.name for spec in engine.outputs] == [spec.name for spec in reference.outputs]
    for n in (1, 5, 1, 5, 5):  # some engines record at the second use of a size, and then repeat
        rows = rows_for(reference, n)
        for ours, theirs in zip(engine.infer(*rows), reference.infer(*rows), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=TOLERANCE, rtol=TOLERANCE)
    engine.close()


@pytest.mark.parametrize("model", SHIPPED, ids=lambda path: path.stem)
def test_a_row_alone_is_the_same_row_in_a_batch(model, on):
    engine = opened(model, *on, 8)
    rows = rows_for(engine, 8)
    together = engine.infer(*rows)
    for k in (0, 7):
        alone = engine.infer(*(part[k : k + 1] for part in rows))
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], many[k], atol=TOLERANCE, rtol=TOLERANCE)
    engine.close()


def test_outputs_survive_the_next_call_and_closing_and_belong_to_the_caller(engine):
    answers = [engine.infer(np.full((1, 2), k, np.float32))[0] for k in range(1, 6)]
    engine.close()
    for k, answer in enumerate(answers, 1):
        np.testing.assert_allclose(answer, 2 * k)
        answer += 1


def test_an_input_may_lie_in_memory_as_it_likes_and_is_left_as_it_was(engine):
    plain = np.arange(8, dtype=np.float32).reshape(4, 2)
    for x in (np.asfortranarray(plain), np.repeat(plain, 2, 0)[::2], plain[::-1][::-1]):
        x.flags.writeable = False
        (y,) = engine.infer(x)
        np.testing.assert_allclose(y, 2 * plain)
        np.testing.assert_array_equal(x, plain)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((1, 2)),
        np.zeros((1, 3), np.float32),
        np.zeros(2, np.float32),
        np.zeros((5, 2), np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros((1, 2), np.float16),
    ],
    ids=["float64", "too wide", "no batch", "too many rows", "no rows", "float16"],
)
def test_a_wrong_tensor_is_an_error_that_names_the_input(engine, x):
    with pytest.raises(EngineError, match=r"double\.onnx: input 'x'"):
        engine.infer(x)


def test_the_one_wrong_tensor_of_several_is_named(on):
    engine = opened(MEMORY, *on, 4)
    rows = rows_for(engine, 2)
    names = [spec.name for spec in engine.inputs]
    for i, name in enumerate(names):
        for wrong in (rows[i].astype(np.float64), rows[i][:, :-1], np.repeat(rows[i], 3, 0)):
            given = [*rows[:i], wrong, *rows[i + 1 :]]
            with pytest.raises(EngineError, match=r"memory-s\.onnx: input '") as raised:
                engine.infer(*given)
            assert f"'{name}'" in str(raised.value)
    engine.close()


def test_closing_twice_is_harmless_and_then_nothing_runs(engine):
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(np.zeros((1, 2), np.float32))


class Doubtful:
    """A GPU's engine for the doubling model, as it should not be."""

    inputs = outputs = (TensorSpec("x", (2,), "float32"),)
    max_batch = 1
    description = "a GPU"

    def __init__(self, answer):
        self._answer = answer
        self.uses = 0
        self.closed = False

    def infer(self, x):
        self.uses += 1
        return (self._answer(x, self.uses),)

    def close(self):
        self.closed = True


def test_an_engine_that_answers_as_the_cpu_does_is_used(tmp_path):
    path = doubling_model(tmp_path / "double.onnx")
    engine = Doubtful(lambda x, use: 2 * x + 1e-4)
    assert open_proven(lambda: engine, path) is engine
    assert engine.uses == 3
    assert not engine.closed


def test_an_engine_with_other_shapes_than_the_cpus_is_refused(tmp_path):
    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(lambda x, use: 2 * x[:, :1])
    with pytest.raises(EngineError, match=r"double\.onnx: outputs of a GPU have other shapes"):
        open_proven(lambda: engine, path)
    assert engine.closed


@pytest.mark.parametrize("error", [OutOfMemory("no room"), AttributeError("no attribute")])
def test_an_engine_whose_first_run_fails_is_closed(tmp_path, error):
    def failing(x, use):
        raise error

    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(failing)
    with pytest.raises(EngineError, match="no "):
        open_proven(lambda: engine, path)
    assert engine.closed


@pytest.mark.parametrize(
    "answer",
    [lambda x, use: 2 * x + 1, lambda x, use: 2 * x if use < 3 else x, lambda x, use: x / 0 * 0],
    ids=["always wrong", "wrong when repeated", "no numbers"],
)
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_an_engine_that_answers_otherwise_is_refused(tmp_path, answer):
    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(answer)
    with pytest.raises(EngineError, match=r"double\.onnx: output 'x' of a GPU differs"):
        open_proven(lambda: engine, path)
    assert engine.closed


def test_a_library_that_fails_in_a_way_of_its_own_is_an_engine_error(tmp_path):
    def changed(x, use):
        raise AttributeError("no attribute 'execute_async_v3'")

    path = doubling_model(tmp_path / "double.onnx")
    with pytest.raises(EngineError, match=r"first run failed: .*execute_async_v3"):
        open_proven(lambda: Doubtful(changed), path)


def test_the_wrong_number_of_inputs_is_an_error(engine):
    with pytest.raises(EngineError, match="2 inputs, expected 1"):
        engine.infer(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32))


def test_an_unknown_backend_or_device_names_the_known_ones(tmp_path):
    known = "onnx, tensorrt, tensorrt_rtx, torch"
    with pytest.raises(EngineError, match=f"unknown backend 'magic'; known: {known}"):
        engines.load(Path("m.onnx"), "magic")
    with pytest.raises(EngineError, match="unknown device 'tpu'; known: cpu, cuda"):
        engines.load(doubling_model(tmp_path / "m.onnx"), "onnx", device="tpu")
    with pytest.raises(EngineError, match="the tensorrt engine runs on cuda, not on cpu"):
        engines.load(Path("m.onnx"), "tensorrt")


@pytest.mark.parametrize("name", engines.BACKENDS)
def test_a_device_that_is_not_there_is_an_error_not_a_fallback(tmp_path, name):
    if engines.has_driver():
        pytest.skip("there is a driver here")
    with pytest.raises(engines.MissingBackend, match="needs an NVIDIA GPU and its driver"):
        engines.load(doubling_model(tmp_path / "m.onnx"), name, device="cuda")


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_rtx"])
def test_package_and_driver_that_are_both_missing_are_named_at_once(monkeypatch, name):
    monkeypatch.setattr(engines, "has_driver", lambda: False)
    monkeypatch.setattr(engines, "find_spec", lambda package: None)
    install = engines.BACKENDS[name].install
    said = rf"needs {name}: pip install '{re.escape(install)}'; .*no driver is installed"
    for ask in (lambda: engines.load(Path("m"), name, device="cuda"),
                lambda: engines.candidates(name)):  # fmt: skip
        with pytest.raises(engines.MissingBackend, match=said):
            ask()


def test_onnx_runtime_runs_in_the_thread_that_asks_and_never_spins(tmp_path):
    engine = engines.load(doubling_model(tmp_path / "m.onnx"), "onnx")
    options = engine._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_onnx_runtime_is_told_to_report_nothing_before_it_is_imported():
    code = (
        "import builtins, os, sys\nplain = builtins.__import__\n"
        "def watched(name, *rest):\n"
        "    if name == 'onnxruntime' and name not in sys.modules:\n"
        "        print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return plain(name, *rest)\n"
        "builtins.__import__ = watched\nimport engines.ort"
    )
    env = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert ran.stdout.splitlines()[:1] == ["1"], ran.stderr


def test_onnx_runtime_without_cuda_names_the_package_that_has_it(tmp_path, monkeypatch):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    with pytest.raises(engines.MissingBackend, match="pip install onnxruntime-gpu"):
        engines.load(doubling_model(tmp_path / "m.onnx"), "onnx", device="cuda")


def test_torch_without_cuda_says_so(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this torch has a GPU")
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    with pytest.raises(engines.MissingBackend, match=r"torch 2.*(without CUDA|sees no GPU)"):
        engines.load(doubling_model(tmp_path / "m.onnx"), "torch", device="cuda")


@pytest.mark.parametrize("make", ["text", "operator"])
@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_a_file_that_cannot_run_is_named(tmp_path, make, name):
    path = tmp_path / "broken.onnx"
    if make == "text":
        path.write_text("not a network")
    else:
        doubling_model(path, op="Conjure", domain="nowhere")
    with pytest.raises(EngineError, match=r"broken\.onnx") as raised:
        opened(path, name, "cpu", 1)
    assert make == "text" or "Conjure" in str(raised.value)


@pytest.mark.parametrize(
    "asked, tried",
    [
        (("auto", "auto"), [("onnx", "cpu")]),
        (("auto", "cpu"), [("onnx", "cpu")]),
        (("onnx", "auto"), [("onnx", "cpu")]),
        (("torch", "auto"), [("torch", "cpu")]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_without_a_driver_only_the_cpu_is_tried(monkeypatch, asked, tried):
    monkeypatch.setattr(engines, "has_driver", lambda: False)
    assert list(engines.candidates(*asked)) == tried


@pytest.mark.parametrize("asked", [("tensorrt", "auto"), ("auto", "cuda"), ("torch", "cuda")])
def test_without_a_driver_asking_for_a_gpu_is_an_error(monkeypatch, asked):
    monkeypatch.setattr(engines, "has_driver", lambda: False)
    with pytest.raises(engines.MissingBackend, match="driver"):
        engines.candidates(*asked)


def test_with_a_driver_the_stated_order_is_tried_and_a_name_is_not_replaced(monkeypatch):
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    assert engines.candidates() == engines.AUTO
    assert engines.candidates("tensorrt") == (("tensorrt", "cuda"),)
    assert engines.candidates("onnx") == (("onnx", "cuda"), ("onnx", "cpu"))
    assert engines.candidates("auto", "cpu") == (("onnx", "cpu"),)
    assert ("onnx", "cpu") not in engines.candidates("auto", "cuda")


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
