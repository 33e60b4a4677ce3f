"""Which engine is opened, and what is said where it cannot be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doubling import doubling_model, opened

import engines
from engines import EngineError


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
