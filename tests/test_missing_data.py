"""Every command under calibration/ whose data are not there says so, and does nothing else."""

import re
import runpy
import sys

import cv2
import pytest

torch = pytest.importorskip("torch")

import engines  # noqa: E402, F401  # torch first, or skip
from calibration.samples import run  # noqa: E402
from conftest import ROOT  # noqa: E402

SHARED = "--shared {data}"
RECIPE = "--shared {data} --runs {out} --out {out}"
COMMANDS = {
    "detector.evaluate": SHARED,
    "detector.train": RECIPE,
    "emotic.evaluate": "--data {data} --model {data}/context-emotic.json",
    "emotic.train": f"--data {{data}} {RECIPE}",
    "evoked.evaluate": "deepemotion --table {data}/t.csv --pictures {data} --model {data}/m.json",
    "evoked.train": f"learningtofeel --table {{data}} --pictures {{data}} {RECIPE}",
    "face.apart": f"{SHARED} face-s face-s-int8",
    "face.evaluate": SHARED,
    "face.quantized": "--shared {data} --out {out}",
    "face.train": RECIPE,
    "films.train": "--data {data} --runs {out}",
    "memory.evaluate": SHARED,
    "memory.measure": SHARED,
    "memory.train": RECIPE,
    "poster.raters": "{data} --network {data} --out {out}",
    "poster.train": "--shared {data} --runs {out}",
    "scene.bars": SHARED,
    "scene.emotions": SHARED,
    "scene.evaluate": "--shared {data} --runs {out}",
    "scene.explain": "{data}/photo.jpg --out {out}",
    "scene.nested": "--shared {data} --runs {out}",
    "scene.train": RECIPE,
    "sound.evaluate": SHARED,
    "sound.loudness": SHARED,
    "sound.train": RECIPE,
}


@pytest.fixture
def as_before(monkeypatch):
    """Commands start in the checkout, and settle how many threads the whole process has."""
    monkeypatch.chdir(ROOT)
    threads = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])


def test_no_command_is_left_out_here():
    folder = ROOT / "calibration"
    found = [p for p in folder.rglob("*.py") if '__name__ == "__main__"' in p.read_text("utf-8")]
    assert COMMANDS.keys() == {f"{path.parent.name}.{path.stem}" for path in found}


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("there", [False, True], ids=["no folder", "an empty folder"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_data_names_the_path_in_one_line(
    as_before, tmp_path, monkeypatch, capsys, command, there
):
    data, out = tmp_path / "data", tmp_path / "out"
    if there:
        data.mkdir()
    words = COMMANDS[command].format(data=data, out=out).split()
    monkeypatch.setattr("sys.argv", [command, *words])
    with pytest.raises(SystemExit) as left:
        runpy.run_module(f"calibration.{command}", run_name="__main__")
    said = capsys.readouterr()
    assert left.value.code == 2
    assert said.out == ""
    assert said.err.startswith("emotrack: ")
    assert said.err.count("\n") == 1
    assert re.search(rf"{re.escape(str(data))}[/:]\S* ", said.err)
    assert not out.exists()


def test_a_package_that_made_speech_needs_is_named(monkeypatch, tmp_path, capsys):
    from calibration.sound.espeak import Espeak

    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(SystemExit) as left:
        run(Espeak)
    assert left.value.code == 2
    assert "pip install 'emotrack[train]'" in capsys.readouterr().err
