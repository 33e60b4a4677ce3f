"""The installed package: its names, its weight, and that README and CI say the same."""

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
