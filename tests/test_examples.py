"""The programs in examples/ run, and give the numbers of the command line."""

import csv
import re
import subprocess
import sys

import pytest

from conftest import DEMO, ROOT

LINE = re.compile(
    r" *(?P<timestamp>[\d.]+) s  face (?P<face_id>\d+)"
    r"(?: at (?P<face_x>-?\d+), (?P<face_y>-?\d+))?"
    r"  valence (?P<valence>[+-][\d.]+)  arousal (?P<arousal>[+-][\d.]+)"
)


def ran(*words):
    done = subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """The rows of the demo that have a face, as the command writes them."""
    out = tmp_path_factory.mktemp("demo") / "out.csv"
    ran("-m", "tracker", DEMO, "--csv", out)
    rows = csv.DictReader(out.read_text("utf-8").splitlines())
    return [row for row in rows if row["success"] == "1"]


@pytest.mark.parametrize(
    "program, off",
    [
        ("pull.py", 0.0051),  # two decimals
        ("push.py", 0.03),  # and OpenCV's colours, which differ by a step or two
    ],
)
def test_an_example_prints_the_values_of_the_table(faces, program, off):
    lines = ran(ROOT / "examples" / program, DEMO).splitlines()
    for line, row in zip(lines, faces, strict=True):
        said = {k: v for k, v in LINE.fullmatch(line).groupdict().items() if v is not None}
        assert float(said.pop("timestamp")) == pytest.approx(float(row["timestamp"]), abs=0.0006)
        assert said.pop("face_id") == row["face_id"]
        for name in ("face_x", "face_y"):
            if name in said:
                assert float(said.pop(name)) == pytest.approx(float(row[name]), abs=4)
        assert len(said) == 2
        for name, value in said.items():
            assert float(value) == pytest.approx(float(row[name]), abs=off)


def test_an_example_without_a_film_it_can_open_says_so():
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "push.py", "nowhere.mp4"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "cannot open nowhere.mp4" in done.stderr
