"""Plans: when an old one is taken, when it is built again, and that our networks build at all."""

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engines import EngineError
from engines.plans import FREE, Key, Profile, batches, open_plan, plan_file, write_whole

HERE = Path(__file__).parent
ENV = {**os.environ, "PYTHONPATH": str(HERE.parent)}
WEIGHTS = Path(__file__).parent.parent / "tracker" / "weights"
# Not the int8 that is for CPUs: tests/test_quantize.py.
FOR_ALL = [path for path in sorted(WEIGHTS.glob("*.onnx")) if not path.stem.endswith("-int8")]
KEY = Key(
    model="ab" * 32,
    library="tensorrt",
    version="11.4.0",
    gpu="NVIDIA L4",
    capability="8.9",
    driver=13000,
    batch=batches(8),
    free=FREE,
    level=3,
)


class Builder:
    """Counts how often it builds; `load` takes what begins like a plan, as a runtime does."""

    def __init__(self):
        self.built = 0

    def build(self):
        self.built += 1
        return b"plan \n %d" % self.built

    def load(self, plan):
        if not plan.startswith(b"plan"):
            raise EngineError("the plan does not load: bad magic")
        return plan


@pytest.fixture
def builder():
    return Builder()


@pytest.fixture
def path(tmp_path):
    return plan_file(tmp_path / "plans", "face-s", KEY)


@pytest.fixture(autouse=True)
def _hear(caplog):
    caplog.set_level(logging.INFO, "engines")


def test_the_name_of_a_plan_says_whose_it_is(path):
    assert path.name == "face-s.tensorrt.NVIDIA-L4.b8.plan"


def test_a_plan_is_built_once_and_then_taken_from_the_cache(path, builder, caplog):
    first = open_plan(path, KEY, builder.build, builder.load)
    assert open_plan(path, KEY, builder.build, builder.load) == first
    assert builder.built == 1
    assert len(caplog.messages) == 1
    assert "building a plan" in caplog.messages[0]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "field, value",
    [
        ("model", "cd" * 32),
        ("version", "12.0"),
        ("gpu", "NVIDIA H200"),
        ("capability", "9.0"),
        ("driver", 14000),
        ("batch", batches(16)),
        ("free", Profile(32, 640, 1280)),
        ("library", "tensorrt_rtx"),
        ("level", 5),
    ],
)
def test_whatever_differs_it_is_built_again_in_one_line_that_says_what(
    path, builder, caplog, field, value
):
    open_plan(path, KEY, builder.build, builder.load)
    caplog.clear()
    other = replace(KEY, **{field: value})
    assert open_plan(path, other, builder.build, builder.load) == b"plan \n 2"
    assert len(caplog.messages) == 1
    assert f"was for another {field}" in caplog.messages[0]
    open_plan(path, other, builder.build, builder.load)
    assert builder.built == 2


@pytest.mark.parametrize(
    "head", [b"3", b"[]", b'{"key": 3, "sha256": ""}', b"\xff", b'{"key": null, "sha256": 1}']
)
def test_a_file_of_another_kind_is_taken_for_damaged(path, builder, caplog, head):
    path.parent.mkdir()
    path.write_bytes(head + b"\nplan")
    assert open_plan(path, KEY, builder.build, builder.load) == b"plan \n 1"
    assert "is damaged" in caplog.messages[0]


@pytest.mark.parametrize("keep", [0, 1, 40, -1], ids=["empty", "a byte", "no key", "cut short"])
def test_a_truncated_plan_is_built_again(path, builder, caplog, keep):
    open_plan(path, KEY, builder.build, builder.load)
    path.write_bytes(path.read_bytes()[:keep])
    caplog.clear()
    open_plan(path, KEY, builder.build, builder.load)
    assert builder.built == 2
    assert len(caplog.messages) == 1
    assert "is damaged" in caplog.messages[0]
    open_plan(path, KEY, builder.build, builder.load)
    assert builder.built == 2


def test_a_whole_plan_that_the_library_refuses_is_built_again(path, builder, caplog):
    open_plan(path, KEY, lambda: b"older", lambda plan: plan)
    caplog.clear()
    assert open_plan(path, KEY, builder.build, builder.load) == b"plan \n 1"
    assert "bad magic" in caplog.messages[0]


def test_a_new_plan_that_does_not_load_is_an_error_and_is_not_kept(path, builder):
    with pytest.raises(EngineError, match="bad magic"):
        open_plan(path, KEY, lambda: b"junk", builder.load)
    assert not path.exists()


def test_a_cache_that_cannot_be_written_only_warns(tmp_path, builder, caplog):
    (tmp_path / "file").write_text("in the way")
    path = plan_file(tmp_path / "file" / "plans", "face-s", KEY)
    assert open_plan(path, KEY, builder.build, builder.load) == b"plan \n 1"
    assert "cannot be kept" in caplog.messages[-1]


def test_a_reader_never_meets_half_a_plan(path, builder, monkeypatch):
    """The file that is there stays until the whole new one takes its place."""
    old = open_plan(path, KEY, builder.build, builder.load)

    def power_cut(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", power_cut)
    open_plan(path, replace(KEY, level=4), builder.build, builder.load)
    assert open_plan(path, KEY, builder.build, builder.load) == old
    assert [p.name for p in path.parent.iterdir()] == [path.name]


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[3]]
from test_plans import KEY, large
from engines.plans import _write
for k in range(60):
    _write(Path(sys.argv[1]), KEY, large(sys.argv[2]))
"""


def large(letter):
    """A plan that takes some writing."""
    return letter.encode() * 300_000


def test_two_processes_that_write_one_plan_at_once_leave_a_whole_one(path, caplog):
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter, str(HERE)], env=ENV)
        for letter in "ab"
    ]

    def refused():
        raise AssertionError("half a plan was read")

    met = set()
    while any(process.poll() is None for process in running):
        if path.exists():
            met.add(open_plan(path, KEY, refused, bytes))
    assert [process.returncode for process in running] == [0, 0]
    assert met <= {large("a"), large("b")}
    assert open_plan(path, KEY, refused, bytes) in {large("a"), large("b")}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_threads_that_write_one_plan_at_once_do_not_meet(tmp_path, caplog):
    target = tmp_path / "face-s.plan"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: write_whole(target, large("abcdefgh"[k % 8])), range(80)))
    assert caplog.messages == []
    assert len(set(target.read_bytes())) == 1
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


@pytest.fixture(scope="module")
def rtx():
    """NVIDIA's builder that needs no GPU."""
    pytest.importorskip("cuda.bindings", reason="needs emotrack[tensorrt-rtx]")
    pytest.importorskip("tensorrt_rtx", reason="needs emotrack[tensorrt-rtx]")
    from engines.building import load_api

    return load_api("tensorrt_rtx")


@pytest.mark.parametrize("model", FOR_ALL, ids=lambda path: path.stem)
def test_every_shipped_network_builds(rtx, model):
    from engines.building import build_plan

    plan = build_plan(rtx, model, batches(8))
    assert len(plan) > model.stat().st_size // 2  # it holds the weights


def test_an_operator_that_the_builder_does_not_know_is_named(rtx, tmp_path):
    from engines.building import build_plan

    node = helper.make_node("Conjure", ["x"], ["y"], domain="nowhere")
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])] for name in ("x", "y")
    ]
    model = helper.make_model(
        helper.make_graph([node], "odd", *sides),
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("nowhere", 1)],
        ir_version=10,
    )
    path = tmp_path / "odd.onnx"
    onnx.save(model, path)
    with pytest.raises(EngineError, match=r"odd\.onnx: tensorrt_rtx cannot read it .*Conjure"):
        build_plan(rtx, path, batches(8))


def test_the_engine_needs_a_gpu_to_run_what_it_builds(rtx):
    import engines
    from engines import cuda

    if engines.has_driver():
        pytest.skip("there is a driver here")
    said = r"device 'cuda' needs an NVIDIA driver for CUDA \d+\.\d or newer: none is installed"
    with pytest.raises(engines.MissingBackend, match=said):
        cuda.find_gpu()


def test_memory_of_the_gpu_is_read_back_as_it_was_written_also_by_a_graph():
    cuda = pytest.importorskip("engines.cuda", reason="needs cuda-bindings")
    try:
        cuda.find_gpu()
    except EngineError as missing:
        pytest.skip(str(missing))
    stream, buffer = cuda.Stream(), cuda.Buffer((3, 2), "float32")

    def there_and_back():
        buffer.upload(stream)
        buffer.download(stream)

    buffer.host[:] = np.arange(6, dtype=np.float32).reshape(3, 2)
    there_and_back()
    stream.wait()
    graph = cuda.Graph(stream, there_and_back)
    for value in (1.0, 2.0):
        buffer.host[:] = value
        graph.launch()
        stream.wait()
        assert (buffer.host == value).all()
    with pytest.raises(cuda.OutOfMemory):
        cuda.Memory(1 << 50)
    for part in (graph, buffer, stream, graph, buffer, stream):
        part.close()
