"""The face network in int8, as it ships: for films with many faces on a CPU."""

import shutil

import numpy as np
import onnx
import pytest

from conftest import DEMO
from tracker import Options, watch
from tracker.models import open_shipped

apart = pytest.importorskip("calibration.face.apart", reason="needs emotrack[train]")


def readings(face):
    """(n, 2): steadied valence and arousal of everyone in the demo."""
    people = [p for result in watch(DEMO, Options(face=face, scene=None)) for p in result.people]
    affects = [person.affect.smooth for person in people]
    return np.array([(affect.valence, affect.arousal) for affect in affects])


def test_it_is_made_from_the_face_network_that_ships():
    card = open_shipped("face-s-int8").card
    assert card["made_from"] == {"name": "face-s", "sha256": open_shipped("face-s").sha256}


def test_a_film_reads_nearly_the_same_with_it():
    exact, fast = readings("face-s"), readings("face-s-int8")
    assert exact.shape == fast.shape
    assert len(exact) > 50
    apart = np.abs(exact - fast)
    assert 0 < apart.mean() < 0.002
    assert apart.max() < 0.01


def test_its_first_block_and_its_shortcuts_are_those_of_the_face_network():
    was, now = (
        {t.name: t.raw_data for t in onnx.load(open_shipped(name).path).graph.initializer}
        for name in ("face-s", "face-s-int8")
    )
    same = {name for name in was if name.endswith(".weight") and was[name] == now.get(name)}
    assert {name for name in same if ".body.3." in name or ".around." in name} == {
        "network.body.3.first.weight",
        "network.body.3.second.weight",
        *(f"network.body.{block}.around.1.weight" for block in (4, 6, 8)),
    }
    assert "network.body.4.first.weight" not in same


def test_its_card_says_how_far_films_read_otherwise():
    scores = {score["metric"]: score for score in open_shipped("face-s-int8").card["scores"]}
    tail = scores["steadied readings, distance, 99 %"]
    assert tail["n"] > 2500
    assert 0 < tail["value"] < 0.01


def test_distances_are_those_of_every_face_in_every_clip_with_faces(tmp_path):
    shutil.copy(DEMO, tmp_path / "seen.mp4")
    rows = "file,has_faces\nseen.mp4,1\nnobody.mp4,0\nhard/other.mp4,1\n"
    (tmp_path / "manifest.csv").write_text(rows, encoding="utf-8")
    ((name, distances),) = apart.apart(tmp_path, "face-s", "face-s-int8")
    assert name == "seen.mp4"
    expected = np.abs(readings("face-s") - readings("face-s-int8"))
    np.testing.assert_array_equal(distances[:, :2], expected)
    summary = apart.summary(distances[:, :2])
    assert summary["mean"] == expected.mean()
    assert summary["most"] == expected.max()
    assert apart.summary(distances[:0]) == {}
