"""The benchmarks run and say what they promise. How fast anything is, no test asks."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from conftest import DEMO, ROOT

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_every_stage_is_a_function_of_the_program():
    stages = import_module("stages")
    was = stages.engines.load
    with stages.Stages() as clocks:
        assert stages.engines.load is not was
        assert dict(clocks.seconds) == {}
    assert stages.engines.load is was


def test_a_stage_inside_another_is_counted_once():
    stages = import_module("stages").Stages()
    spin = stages._clocked("inner", lambda: sum(range(300_000)))
    stages._clocked("outer", lambda: [spin(), spin()])()
    assert stages.seconds["inner"] > 5 * stages.seconds["outer"] > 0


@pytest.mark.slow
def test_the_figures_of_a_film_without_its_scene_are_in_table_and_file_and_compare(tmp_path):
    out, old = tmp_path / "bench.json", tmp_path / "old.json"
    old.write_text(json.dumps({"figures": {DEMO.name: {"faces per frame": 0.4}}}))
    words = ["--film", DEMO, "--scene", "none", "--rounds", "1", "--out", out, "--compare", old]
    ran = subprocess.run(
        [sys.executable, BENCHMARKS / "film.py", *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    figures = json.loads(out.read_text("utf-8"))["figures"]
    film = figures[DEMO.name]
    assert film["share of decoding alone"] > 0
    assert film["faces per frame"] == pytest.approx(0.8, abs=0.05)
    for stage in ("decode to RGB", "detect", "align", "face net", "memory", "write", "rest"):
        assert film[f"ms per frame: {stage}"] >= 0
        assert stage in ran.stdout
    assert "scene" not in ran.stdout
    assert {"first row after start, s", "peak memory, MiB"} <= set(figures["program"])
    assert ran.stdout.splitlines()[-2:] == ["new / old", ratio_line("faces per frame", "2.00")]


def ratio_line(figure, ratio):
    return f"{DEMO.name:<12}{figure:<48}{ratio:>8}"


def test_ratios_are_new_over_old_and_leave_out_what_one_of_them_lacks():
    film = import_module("film")
    new = {"a": {"x": 2.0, "y": 1.0}, "b": {"x": 1.0}}
    old = {"a": {"x": 4.0, "z": 1.0}, "c": {"x": 1.0}}
    assert film.ratios(new, old) == {"a": {"x": 0.5}}


def test_a_film_is_made_once_with_its_size_and_its_faces(shared, tmp_path, monkeypatch):
    import av

    films = import_module("films")
    monkeypatch.setattr(films, "FRAMES", 6)
    path = films.film("360p-6", shared / "clips", tmp_path)
    made = path.stat().st_mtime_ns
    assert films.film("360p-6", shared / "clips", tmp_path).stat().st_mtime_ns == made
    assert [p.name for p in tmp_path.iterdir()] == ["360p-6.mp4"]
    with av.open(str(path)) as box:
        frames = [frame.to_ndarray(format="rgb24") for frame in box.decode(video=0)]
    assert [frame.shape for frame in frames] == [(360, 640, 3)] * 6
    assert (frames[0] != frames[1]).any()  # it moves, and has grain


def test_the_gpu_benchmark_runs_where_there_is_no_gpu(tmp_path):
    pytest.importorskip("onnxruntime.quantization", reason="needs emotrack[train]")
    words = ["--engine", "onnx", "--device", "cpu", "--seconds", "0.02"]
    out = tmp_path / "gpu.json"
    subprocess.run(
        [sys.executable, str(BENCHMARKS / "gpu.py"), *words, "--out", str(out)],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    figures = json.loads(out.read_text("utf-8"))["figures"]
    assert figures["face net, fp32, largest distance from the CPU"] < 1e-5
    assert figures["face net, fp16, batch 64, crops/s"] > 0


def test_the_lag_of_noisy_human_traces_leans_to_0_by_less_than_half_a_second(shared):
    lag = import_module("lag")
    stretches = list(lag._stretches(shared / "data/traces/liris_continuous"))
    without, _ = lag._missed(stretches[::4], 0.0, 1.0, lag._as_it_is)
    noisy, rms = lag._missed(stretches, 0.5, 1.0, lag._as_it_is)
    assert without == 0
    assert -0.5 < noisy < 0
    assert rms < lag._missed(stretches, 0.5, 1.0, lag._same_moments)[1]
    mean, rms = lag._delayed(stretches[::2], 0.5, 3.0)
    assert abs(mean) < rms < 2


def test_intervals_hold_the_true_score_in_most_films():
    shares = import_module("intervals").held(gold=10, noise=3, minutes=5, films=100)
    assert min(shares.values()) >= 0.88
    assert max(shares.values()) < 1
