"""`--engine`, `--device` and `emotrack engines`, as their user meets them."""

import json
import logging
import subprocess
import sys

import pytest

import engines
from conftest import DEMO
from tracker import Options
from tracker.commands.engine import open_tracker
from tracker.models import ModelError, check_shapes, hash_file, open_shipped

NO_GPU = "needs an NVIDIA GPU and its driver"
without_driver = pytest.mark.skipif(engines.has_driver(), reason="there is a driver here")


def emotrack(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "tracker", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


@without_driver
@pytest.mark.parametrize(
    "words, said",
    [
        (["--engine", "tensorrt"], NO_GPU),
        (["--engine", "tensorrt_rtx"], NO_GPU),
        (["--device", "cuda"], NO_GPU),
        (["--engine", "torch", "--device", "cuda"], NO_GPU),
        (["--engine", "tensorrt", "--device", "cpu"], "runs on cuda, not on cpu"),
        (["--engine", "magic"], "known: auto, onnx, tensorrt, tensorrt_rtx, torch"),
        (["--device", "tpu"], "known: auto, cpu, cuda"),
    ],
    ids=" ".join,
)
def test_what_is_asked_for_and_absent_is_one_line_and_exit_code_2(tmp_path, words, said):
    ran = emotrack(DEMO, "--csv", tmp_path / "out.csv", *words)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(ran.stderr.splitlines()) == 1
    assert said in ran.stderr
    assert list(tmp_path.iterdir()) == []


@without_driver
def test_verbose_says_once_what_reads_and_the_sidecar_names_it(tmp_path):
    ran = emotrack(DEMO, "--csv", tmp_path / "out.csv", "--end", 0.2, "--verbose")
    assert ran.returncode == 0
    (line,) = ran.stderr.splitlines()
    assert "CPUExecutionProvider" in line
    about = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))
    assert {"onnxruntime" in model["ran_on"] for model in about["models"]} == {True}
    assert (about["options"]["backend"], about["options"]["device"]) == ("onnx", "cpu")


def test_torch_writes_the_table_of_onnx_runtime(tmp_path):
    pytest.importorskip("torch")
    tables = []
    for name in ("onnx", "torch"):
        out = tmp_path / f"{name}.csv"
        words = ("--engine", name, "--device", "cpu", "--end", 0.4)
        assert emotrack(DEMO, "--csv", out, *words).returncode == 0
        tables.append([line.split(",") for line in out.read_text("utf-8").splitlines()])
    assert len(tables[0]) == len(tables[1]) > 5
    for ours, theirs in zip(*tables, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            if a != b:
                assert float(a) == pytest.approx(float(b), abs=0.1001)  # one unit of a box


@without_driver
def test_without_a_driver_no_gpu_library_is_imported():
    code = (
        "import sys\nfrom tracker.commands import watch\n"
        f"assert watch.main([{str(DEMO)!r}, '--end', '0.1', '--quiet']) == 0\n"
        "print({'torch', 'tensorrt', 'tensorrt_rtx', 'cuda', 'onnx'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"


def test_auto_takes_the_next_engine_where_one_does_not_run(monkeypatch, caplog):
    """A driver, but neither TensorRT nor a GPU: the reasons are logged, then what runs."""
    if engines.has_driver():
        pytest.skip("there is a driver here")
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    caplog.set_level(logging.INFO, "tracker")
    reader, options = open_tracker(Options(), "auto", "auto")
    reader.close()
    assert (options.backend, options.device) == ("onnx", "cpu")
    *reasons, hint, chosen = caplog.messages
    assert [line.split(":")[0] for line in reasons] == [
        "tensorrt on cuda",
        "tensorrt_rtx on cuda",
        "onnx on cuda",
        "torch on cuda",
    ]
    assert chosen.startswith("reads with onnxruntime")
    assert hint.startswith("reads on the CPU, though an NVIDIA driver is installed")
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == [hint]


def test_who_asks_for_the_cpu_beside_a_gpu_is_told_nothing(monkeypatch, caplog):
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    open_tracker(Options(), "auto", "cpu")[0].close()
    assert caplog.messages == []


def test_if_nothing_runs_every_reason_is_given(monkeypatch):
    if engines.has_driver():
        pytest.skip("there is a driver here")
    monkeypatch.setattr(engines, "has_driver", lambda: True)
    with pytest.raises(engines.EngineError, match=r"tensorrt on cuda: .*torch on cuda: "):
        open_tracker(Options(), "auto", "cuda")


@without_driver
def test_the_list_of_engines_has_a_line_for_each_with_times_or_the_reason():
    ran = emotrack("engines")
    assert ran.returncode == 0
    lines = {tuple(line.split()[:3]): line for line in ran.stdout.splitlines()[2:]}
    rows = {(engine, device): line for (engine, _, device), line in lines.items()}
    assert set(rows) == {(n, d) for n, about in engines.BACKENDS.items() for d in about.devices}
    times = rows["onnx", "cpu"].split()[3:6]
    assert all(float(time) > 0 for time in times)
    assert NO_GPU in rows["tensorrt", "cuda"]


@without_driver
@pytest.mark.parametrize("words", [(), ("--engine", "tensorrt_rtx")], ids=["auto", "rtx"])
def test_plans_cannot_be_made_ahead_without_a_gpu(words):
    ran = emotrack("engines", "build", *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert NO_GPU in ran.stderr


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_network_with_an_unsupported_operator_is_one_line_that_names_it(
    tmp_path, monkeypatch, engine
):
    onnx = pytest.importorskip("onnx")
    if engine == "torch":
        pytest.importorskip("torch")
    shipped = open_shipped("face-s")
    graph = onnx.load(shipped.path)
    next(node for node in graph.graph.node if node.op_type == "Conv").op_type = "Conjure"
    (tmp_path / "face-s.onnx").write_bytes(graph.SerializeToString())
    card = {**shipped.card, "sha256": hash_file(tmp_path / "face-s.onnx")}
    (tmp_path / "face-s.json").write_text(json.dumps(card))
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    out = tmp_path / "out.csv"
    words = ("--face", "face-s", "--engine", engine, "--device", "cpu")
    ran = emotrack(DEMO, "--csv", out, *words)
    assert (ran.returncode, ran.stdout, out.exists()) == (2, "", False)
    (line,) = ran.stderr.splitlines()
    assert line.startswith("emotrack: face-s.onnx: ")
    assert "Conjure" in line


@pytest.mark.parametrize(
    "change, said",
    [
        ({"input": {"name": "face", "size": [112, 112]}}, r"'face' is \(1, 48, 48\), its card"),
        ({"input": {"name": "crop", "size": [48, 48]}}, "card has input 'crop', its graph has not"),
        ({"outputs": [{"name": "affect", "width": 3}]}, "'affect' has 2 values, its card 3"),
        ({"outputs": [{"name": "mood"}]}, "card has output 'mood', its graph has not"),
    ],
    ids=["size", "input", "width", "output"],
)
def test_a_card_that_disagrees_with_its_file_is_an_error(tmp_path, monkeypatch, change, said):
    model = open_shipped("face-s")
    (tmp_path / "face-s.onnx").write_bytes(model.path.read_bytes())
    (tmp_path / "face-s.json").write_text(json.dumps({**model.card, **change}))
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    found = open_shipped("face-s")
    assert found.path.parent == tmp_path
    engine = engines.load(found.path, "onnx")
    with pytest.raises(ModelError, match=rf"face-s\.onnx: .*{said}"):
        check_shapes(found, engine)
    ran = emotrack(DEMO, "--face", "face-s", "--csv", tmp_path / "out.csv")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1
