"""The installed package: its names, its weight, and that README and CI say the same."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions

import pytest

from conftest import ROOT

HEAVY = {"torch", "tensorrt", "onnxruntime", "cv2", "av", "PySide6", "mediapipe", "tqdm"}
HEAVY |= {"sounddevice"}


@pytest.mark.parametrize("name", ["tracker", "engines", "calibration"])
def test_no_other_distribution_owns_our_package_names(name):
    if '"editable": true' in (distribution("emotrack").read_text("direct_url.json") or ""):
        pytest.skip("an editable install lists no packages")
    assert set(packages_distributions()[name]) == {"emotrack"}


def test_importing_the_packages_does_not_import_the_heavy_ones():
    code = f"import sys, engines, tracker; print({HEAVY!r} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def as_module(module, without, folder, *words):
    """What `python -m module` does where a package is not installed."""
    absent = f"raise ModuleNotFoundError('No module named {without}', name={without!r})\n"
    (folder / f"{without}.py").write_text(absent)
    path = f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    words = (sys.executable, "-m", module, *words)
    return subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}
    )


@pytest.mark.parametrize(
    "recipe, package", [("face.train", "torch"), ("scene.evaluate", "torch"), ("export", "onnx")]
)
def test_a_recipe_without_its_packages_says_in_one_line_what_to_install(recipe, package, tmp_path):
    ran = as_module(f"calibration.{recipe}", package, tmp_path, "--help")
    assert ran.stderr == f"emotrack: this needs {package}: pip install 'emotrack[train]'\n"
    assert (ran.returncode, ran.stdout) == (2, "")


def test_evaluations_that_need_no_torch_do_without_it(tmp_path):
    for module in ("calibration.memory.measure", "calibration.sound.loudness"):
        ran = as_module(module, "torch", tmp_path, "--help")
        assert (ran.returncode, ran.stderr) == (0, "")
    ran = as_module("tracker", "torch", tmp_path, "calibrate", "raters", "--help")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_package_that_no_extra_brings_keeps_its_traceback(tmp_path):
    ran = as_module("calibration.sound.loudness", "numpy", tmp_path)
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr


def test_ci_runs_the_commands_that_the_readme_tells():
    readme = (ROOT / "README.md").read_text("utf-8")
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    told = re.findall(r"```sh\n(.*?)```", readme, re.S)
    commands = [line.split("  #")[0].strip() for block in told for line in block.splitlines()]
    main = next(line for line in commands if "demo.mp4 --csv" in line)
    assert main in ci
    assert "pip install ." in commands
    assert any("pytest" in line for line in commands)


def test_no_file_of_the_repository_holds_a_third_party_picture_or_clip():
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    media = re.compile(r"\.(jpe?g|png|mp4|mov|mkv|webm|wav|npz|tflite|task)$")
    found = {name for name in listed.stdout.splitlines() if media.search(name)}
    assert found <= {"examples/demo.mp4", "docs/demo.png", "docs/window.png"}
