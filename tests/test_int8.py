"""The face network in int8, as it ships: for films with many faces on a CPU."""

import numpy as np

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
    assert 0 < apart.mean() < 0.003
    assert apart.max() < 0.01
