"""`emotrack eval faces`: scores of the shipped network, and what it refuses."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.labelled.labels import Label, LabelError, read_folder
from calibration.labelled.scores import Answer, farthest, score_faces, worst
from calibration.labelled.votes import read_votes
from calibration.traces.tables import TraceError
from conftest import DEMO
from tracker.api import watch
from tracker.sources import open_source
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
    assert (e.f1_mean, e.constant_f1_mean) == (pytest.approx(0.4), pytest.approx(0.4))
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


def test_a_set_without_contempt_is_also_scored_among_its_own_classes():
    torn = answer(0, "happiness", "contempt")
    shares = list(torn.shares)
    shares[EXPRESSIONS.index("happiness")] += 0.001
    answers = [replace(torn, shares=tuple(shares)), answer(1, "anger", "anger")]
    e = score_faces(answers, []).expression
    assert e.accuracy == 0.5
    assert [(a.what, a.n, a.ours, a.constant) for a in e.also] == [
        ("accuracy among its 2 classes", 2, 1.0, 0.5)
    ]


def test_the_readings_farthest_from_their_ratings_come_first():
    near, far = answer(0, None, "fear", 0.1, 0.0), answer(1, None, "fear", 0.9, -0.9)
    unrated = answer(2, None, "fear", 1.0)
    assert farthest(score_faces([near, far, unrated], [])) == [far, near]


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
    (clear,) = scores["also"]
    stated = [s for s in card["scores"] if s["metric"] == "accuracy" and s["n"] == clear["n"]]
    assert clear["accuracy"] == pytest.approx(stated[0]["value"], abs=0.002)


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
        ("file\n0.png\n", "none of the columns expression, valence, arousal"),
        ("file,expression\n", "no rows"),
        ("", "line 1: no header"),
        ("file,expression\n0.png,\n", "no label in any of its 1 rows"),
        ("file,expression\n0.png,happy\n1.png,hungry\n", "line 3: expression is 'hungry'"),
        ("file,expression\n\n0.png,happy\n\n1.png,7\n", "line 5: expression is '7'"),
        ("file,valence,arousal\n0.png,1.5,0\n", "line 2: valence is '1.5', outside"),
        ("file,valence,arousal\n0.png,0.1,high\n", "line 2: arousal is 'high', not a number"),
        ("file,expression\n9.png,happy\n", "line 2: no picture '9.png'"),
        ("file,expression\n,happy\n", "line 2: no picture ''"),
        ("expression,file\nhappy\n", "line 2: 1 cells, the header has 2"),
        ("file,expression\n0.png,happy,sad\n", "line 2: 3 cells, the header has 2"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line_with_its_row(folder, text, why):
    table = labelled(folder, text)
    with pytest.raises((LabelError, TraceError), match=why) as refused:
        read_folder(folder, table)
    assert str(table) in str(refused.value)


@pytest.mark.parametrize("rows", ["0.png,happy\n1.png,hungry\n", "0.png\n"])
def test_the_command_says_so_in_one_line_and_writes_nothing(folder, rows):
    table = labelled(folder, f"file,expression\n{rows}")
    ran = emotrack("eval", "faces", folder, "--labels", table, "--json", folder / "x.json")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "labels.csv, line" in ran.stderr
    assert not (folder / "x.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "Image Name;Emotion\n0.png;Happy\n1.png;FEARFUL\n2.png;Neutral\n",
        "emotion\tfilename\njoy\t0.png\nafraid\t1.png\nneutral\t2.png\n",
        "subDirectory_filePath,label,mode\n0.png,happiness,x\n1.png,fear,x\n2.png,neutral,x\n",
    ],
)
def test_other_sets_words_for_columns_and_classes_are_understood(folder, text):
    read = read_folder(folder, labelled(folder, text))
    said = [EXPRESSIONS[label.expression] for label in read.labels]
    assert said == ["happiness", "fear", "neutral"]


def test_a_table_made_on_windows_finds_its_pictures(folder):
    (folder / "sub").mkdir()
    (folder / "0.png").rename(folder / "sub" / "0.png")
    read = read_folder(folder, labelled(folder, "file,expression\nsub\\0.png,happy\n"))
    assert read.picture(read.labels[0]).shape == (48, 48, 3)


def test_a_picture_that_is_named_twice_counts_twice_and_is_told(folder):
    table = labelled(folder, "file,expression\n0.png,happy\n1.png,sad\n0.png,happy\n")
    ran = emotrack("eval", "faces", folder, "--labels", table)
    assert ran.returncode == 0
    told = "1 row names a picture that a row above names; each counts"
    assert ran.stderr == f"emotrack: {table}: {told}\n"
    assert "3 pictures, no face found in 0" in ran.stdout


def test_one_axis_alone_is_enough_and_a_decimal_comma_stands_beside_a_semicolon(folder):
    read = read_folder(folder, labelled(folder, "path;valence\n0.png;-0,25\n1.png;NaN\n"))
    rated = [(label.valence, label.arousal) for label in read.labels]
    assert rated == [(-0.25, None), (None, None)]


def test_a_picture_that_does_not_decode_is_named_with_its_line(folder):
    pytest.importorskip("matplotlib")
    (folder / "1.png").write_bytes(b"no picture")
    table = labelled(folder, "file,expression\n0.png,happy\n1.png,sad\n")
    page = folder / "page.html"
    ran = emotrack("eval", "faces", folder, "--labels", table, "--html", page)
    assert ran.returncode == 2
    assert "labels.csv, line 3: " in ran.stderr
    assert "1.png: not a readable picture" in ran.stderr
    assert not page.exists()


def test_an_output_that_cannot_be_written_is_said_before_anything_is_read(folder):
    table = labelled(folder, "file,expression\n0.png,happy\n")
    page, data = folder / "nowhere/page.html", folder / "scores.json"
    ran = emotrack("eval", "faces", folder, "--labels", table, "--json", data, "--html", page)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "nowhere/page.html: cannot write" in ran.stderr
    assert not data.exists()


def test_the_labels_are_never_overwritten(folder):
    table = labelled(folder, "file,expression\n0.png,happy\n")
    before = table.read_text()
    ran = emotrack("eval", "faces", folder, "--labels", table, "--json", table)
    assert ran.returncode == 2
    assert "it would be overwritten" in ran.stderr
    assert table.read_text() == before


@pytest.mark.parametrize("name", ["nowhere", "text.npz"])
def test_what_is_no_set_is_named(tmp_path, name):
    (tmp_path / "text.npz").write_text("no archive")
    words = () if name.endswith("npz") else ("--labels", tmp_path / "l.csv")
    ran = emotrack("eval", "faces", tmp_path / name, *words)
    assert ran.returncode == 2
    assert name in ran.stderr
    assert "Traceback" not in ran.stderr


def votes_of(*rows):
    """The archive's fields; ten votes each, in the order of FER+: the eight, unknown, no face."""
    return {"images": np.zeros((len(rows), 48, 48), np.uint8), "votes": np.array(rows, np.uint8)}


def test_votes_without_a_majority_and_twins_of_training_pictures_are_left_out(tmp_path):
    fields = votes_of(
        [9, 1, 0, 0, 0, 0, 0, 0, 0, 0],  # neutral, clear
        [0, 4, 1, 1, 1, 0, 0, 0, 3, 0],  # happiness: four of the seven that are no lone ones
        [0, 4, 0, 0, 0, 0, 0, 0, 6, 0],  # unknown
        [9, 1, 0, 0, 0, 0, 0, 0, 0, 0],  # a twin
    )
    leaks = np.array([0, 0, 0, 1], np.uint8)
    np.savez(tmp_path / "set.npz", **fields, leaks_from_train=leaks)
    read = read_votes(tmp_path / "set.npz")
    assert [(a.name, EXPRESSIONS[a.expression], a.clear) for a in read.labels] == [
        ("0", "neutral", True),
        ("1", "happiness", False),
    ]
    assert read.picture(read.labels[1]).shape == (48, 48, 3)


@pytest.mark.parametrize(
    "change, why",
    [
        ({"images": np.zeros((1, 2304), np.uint8)}, r"'images' is uint8 \(1, 2304\)"),
        ({"votes": np.zeros((1, 8), np.uint8)}, r"'votes' is uint8 \(1, 8\)"),
        ({"leaks_from_train": np.zeros(3, bool)}, r"'leaks_from_train' is \(3,\)"),
        ({"emotions": np.array(["anger"] * 10)}, "'emotions' is"),
        ({"votes": np.zeros((1, 10), np.uint8)}, "no picture has a majority"),
        ({"images": np.array([None])}, r"not an archive of FER\+ votes"),
    ],
)
def test_an_archive_that_cannot_be_used_is_named_with_its_field(tmp_path, change, why):
    path = tmp_path / "set.npz"
    np.savez(path, **votes_of([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]) | change)
    with pytest.raises(LabelError, match=rf"set\.npz: {why}"):
        read_votes(path)


def test_a_damaged_archive_is_named(tmp_path):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **votes_of(*[[10] + [0] * 9] * 50))
    data = bytearray(path.read_bytes())
    data[60:90] = b"x" * 30
    path.write_bytes(data)
    with pytest.raises(LabelError, match=r"set\.npz: not an archive"):
        read_votes(path)


def test_labels_beside_an_archive_are_refused(tmp_path):
    np.savez(tmp_path / "set.npz", **votes_of([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
    ran = emotrack("eval", "faces", tmp_path / "set.npz", "--labels", tmp_path / "labels.csv")
    assert ran.returncode == 2
    assert "leave out --labels" in ran.stderr


@pytest.fixture
def portraits(tmp_path):
    """The demo's first face as a crop, in its picture in grey and colour, twice, not at all."""
    first = next(iter(open_source(DEMO))).image
    (person,) = next(iter(watch(DEMO))).people
    box = person.face.box
    x, y, side = round(box.x0 - 0.1 * box.x1 + 0.1 * box.x0), round(box.y0), round(box.y1 - box.y0)
    crop = cv2.resize(first[y : y + side, x : x + side], (48, 48), interpolation=cv2.INTER_AREA)
    pictures = {
        "crop.png": crop,
        "grey.png": cv2.cvtColor(first, cv2.COLOR_RGB2GRAY),
        "colour.jpg": first,
        "two.png": np.hstack([first, first]),
        "none.png": np.full((300, 400, 3), 120, np.uint8),
    }
    for name, image in pictures.items():
        cv2.imwrite(str(tmp_path / name), image[..., ::-1] if image.ndim == 3 else image)
    rows = "".join(f"{name},happy\n" for name in pictures)
    (tmp_path / "labels.csv").write_text(f"file,expression\n{rows}")
    return tmp_path


def test_crops_are_read_whole_and_in_larger_pictures_the_face_is_found(portraits):
    ran = emotrack("eval", "faces", portraits, "--labels", portraits / "labels.csv", "--json", "-")
    assert ran.returncode == 0, ran.stderr
    scores = json.loads(ran.stdout)
    assert (scores["pictures"], scores["unseen"]) == (5, ["none.png"])
    assert (scores["expression"]["n"], scores["expression"]["accuracy"]) == (4, 1.0)


def test_files_are_written_although_nobody_reads_the_table(portraits):
    data = portraits / "x.json"
    words = ("eval", "faces", portraits, "--labels", portraits / "labels.csv", "--json", data)
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [sys.executable, "-u", "-m", "tracker", *map(str, words)], stdout=writer, timeout=300
    )
    os.close(writer)
    assert ran.returncode == 0
    assert json.loads(data.read_text())["pictures"] == 5


def test_a_set_without_any_face_is_said_and_writes_nothing(portraits):
    table = labelled(portraits, "file,expression\nnone.png,happy\n")
    data = portraits / "x.json"
    ran = emotrack("eval", "faces", portraits, "--labels", table, "--json", data)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no face found in any of 1 pictures" in ran.stderr
    assert not data.exists()


def test_every_engine_gives_the_same_numbers(portraits):
    pytest.importorskip("torch")
    words = ("eval", "faces", portraits, "--labels", portraits / "labels.csv", "--json", "-")
    one, other = (emotrack(*words, "--engine", name) for name in ("onnx", "torch"))
    assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
    a, b = (json.loads(ran.stdout)["expression"] for ran in (one, other))
    assert a.pop("calibration_error") == pytest.approx(b.pop("calibration_error"), abs=1e-4)
    assert a == b
