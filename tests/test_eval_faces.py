"""`emotrack eval faces`: scores of the shipped network, and what it refuses."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from calibration.labelled.labels import Label, LabelError, read_labels
from calibration.labelled.scores import Answer, score_faces, worst
from tracker.values import EXPRESSIONS

SURE = 0.93


def emotrack(*words):
    return subprocess.run(
        [sys.executable, "-m", "tracker", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def answer(i, truth, said, valence=0.0, label=None):
    shares = [(1 - SURE) / 7] * 8
    shares[EXPRESSIONS.index(said)] = SURE
    marked = None if truth is None else EXPRESSIONS.index(truth)
    return Answer(Label(i, f"{i}.png", marked, label, None), tuple(shares), valence, 0.0)


@pytest.fixture
def folder(tmp_path):
    """Three grey pictures, and a table to be written beside them."""
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((48, 48), 50 + 60 * i, np.uint8))
    return tmp_path


def labelled(folder, text):
    table = folder / "labels.csv"
    table.write_text(text)
    return table


def test_scores_stand_beside_the_constant_answer():
    happy, angry = "happiness", "anger"
    answers = [answer(0, happy, happy), answer(1, happy, happy), answer(2, angry, happy)]
    scores = score_faces(answers, ["3.png"])
    assert (scores.pictures, scores.unseen) == (4, ("3.png",))
    e = scores.expression
    assert (e.accuracy, e.constant, e.constant_accuracy) == (2 / 3, happy, 2 / 3)
    assert e.f1[EXPRESSIONS.index(happy)] == pytest.approx(0.8)
    assert e.f1[EXPRESSIONS.index(angry)] == 0
    assert e.calibration_error == pytest.approx(SURE - 2 / 3)
    assert [a.label.name for a in worst(scores)] == ["2.png"]


def test_affect_is_scored_where_it_was_rated():
    answers = [answer(i, None, "fear", v, v) for i, v in enumerate((-0.5, 0.0, 0.8))]
    scores = score_faces([*answers, answer(3, "fear", "fear", 0.9)], [])
    (valence,) = scores.affect
    assert (valence.axis, valence.n) == ("valence", 3)
    assert valence.ours["CCC"] == pytest.approx(1)
    assert valence.constant["CCC"] == 0
    assert scores.expression.n == 1


def test_the_shipped_network_scores_the_validation_set_the_same_as_its_card(shared):
    ran = emotrack("eval", "faces", shared / "data/faces/ferplus_valid.npz", "--json", "-")
    assert ran.returncode == 0, ran.stderr
    scores = json.loads(ran.stdout)["expression"]
    listed = subprocess.run(
        [sys.executable, "-m", "tracker", "models", "path", "face-s"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with open(listed.removesuffix(".onnx") + ".json", encoding="utf-8") as file:
        card = json.load(file)
    stated = [s for s in card["scores"] if s["metric"] == "accuracy" and s["n"] == scores["n"]]
    assert stated, "the card states the accuracy on these pictures"
    assert scores["accuracy"] == pytest.approx(stated[0]["value"], abs=0.002)
    assert scores["constant"]["accuracy"] < 0.4


def test_a_folder_gives_a_table_json_and_a_page(folder):
    pytest.importorskip("matplotlib")
    table = labelled(
        folder,
        "file,expression,valence,arousal\n"
        "0.png,happy,0.5,0.1\n1.png,sad,-0.5,-0.2\n2.png,disgust,-0.4,0.3\n",
    )
    page, data = folder / "page.html", folder / "scores.json"
    ran = emotrack("eval", "faces", folder, "--labels", table, "--html", page, "--json", data)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "constant" in ran.stdout
    assert json.loads(data.read_text())["affect"]["valence"]["n"] == 3
    text = page.read_text("utf-8")
    assert text.count("<svg") == 2
    assert "data:image/jpeg;base64" in text


@pytest.mark.parametrize(
    "text, why",
    [
        ("name\n0.png\n", "no column 'file'"),
        ("file\n0.png\n", "neither 'expression' nor"),
        ("file,expression\n", "no rows"),
        ("file,expression\n0.png,happy\n1.png,hungry\n", "row 3: unknown expression 'hungry'"),
        ("file,valence,arousal\n0.png,1.5,0\n", "row 2: valence is 1.5, outside"),
        ("file,valence,arousal\n0.png,0.1,high\n", "row 2: arousal is 'high', not a number"),
        ("file,expression\n9.png,happy\n", "row 2: no picture 9.png"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line_with_its_row(folder, text, why):
    table = labelled(folder, text)
    with pytest.raises(LabelError, match=why):
        read_labels(folder, table)
    ran = emotrack("eval", "faces", folder, "--labels", table, "--json", folder / "x.json")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "labels.csv" in ran.stderr
    assert not (folder / "x.json").exists()


def test_a_picture_that_does_not_decode_is_named(folder):
    (folder / "1.png").write_bytes(b"no picture")
    table = labelled(folder, "file,expression\n0.png,happy\n1.png,sad\n")
    ran = emotrack("eval", "faces", folder, "--labels", table)
    assert ran.returncode == 2
    assert "1.png: not a readable picture" in ran.stderr


@pytest.mark.parametrize("name", ["nowhere", "text.npz"])
def test_what_is_no_set_is_named(tmp_path, name):
    (tmp_path / "text.npz").write_text("no archive")
    ran = emotrack("eval", "faces", tmp_path / name, "--labels", tmp_path / "l.csv")
    assert ran.returncode == 2
    assert name in ran.stderr
    assert "Traceback" not in ran.stderr
