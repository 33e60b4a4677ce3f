"""The face network in int8, as it ships: for films with many faces on a CPU."""

import numpy as np
import onnx

from conftest import DEMO
from tracker import Options, watch
from tracker.models import open_shipped


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
