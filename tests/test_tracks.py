import numpy as np
import pytest

from tracker.appearance import appearances, unlike
from tracker.tracks import Tracks
from tracker.values import Box, Detection

ANA, BEN = np.zeros(48, np.float32), np.full(48, 0.5, np.float32)  # what they look like


class Alike(Tracks):
    """People who all look the same unless told otherwise: place and motion decide."""

    def __call__(self, pts, detections, looks=None):
        return super().__call__(pts, detections, looks or [ANA] * len(detections))


def at(x, y=100.0, size=40.0, score=0.9):
    return Detection(Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2), score)


def ids(faces):
    return [face.track for face in faces]


def test_a_face_that_moves_keeps_its_number():
    tracks = Alike(forget_after=2.0)
    assert {f.track for i in range(50) for f in tracks(i / 25, [at(50 + 6 * i)])} == {0}


def test_two_people_who_pass_each_other_keep_their_numbers():
    tracks = Alike(forget_after=2.0)
    for i in range(60):
        faces = tracks(i / 25, [at(100 + 5 * i, y=100), at(400 - 5 * i, y=125)])
    places = {face.track: (face.box.x0 + face.box.x1) / 2 for face in faces}
    assert places == {0: 395.0, 1: 105.0}


def test_a_short_absence_keeps_the_number_and_a_long_one_does_not():
    tracks = Alike(forget_after=2.0)
    tracks(0.0, [at(100)])
    tracks(1.0, [])
    assert ids(tracks(1.5, [at(105)])) == [0]
    assert ids(tracks(4.0, [at(105)])) == [1]


def test_numbers_are_never_used_twice_even_after_a_cut():
    tracks = Alike(forget_after=2.0)
    assert ids(tracks(0.0, [at(100), at(300)])) == [0, 1]
    tracks.begin()
    assert ids(tracks(0.04, [at(100), at(300)])) == [2, 3]


def test_a_crowd_has_no_limit():
    tracks = Alike(forget_after=2.0)
    crowd = [at(60 * i) for i in range(120)]
    assert ids(tracks(0.0, crowd)) == list(range(120))
    assert ids(tracks(0.04, crowd[::-1])) == list(range(120))


def test_a_face_elsewhere_or_of_another_size_is_somebody_else():
    tracks = Alike(forget_after=2.0)
    tracks(0.0, [at(100)])
    assert ids(tracks(0.04, [at(300)])) == [1]
    assert ids(tracks(0.08, [at(300, size=120)])) == [2]


def test_a_doubtful_face_begins_nothing_but_somebody_followed_is_kept():
    tracks = Alike(forget_after=2.0, begin_at=0.6)
    assert ids(tracks(0.0, [at(100, score=0.5)])) == []
    assert ids(tracks(0.04, [at(100, score=0.7)])) == [0]
    assert ids(tracks(0.08, [at(101, score=0.5), at(400, score=0.5)])) == [0]


def test_life_is_counted_in_seconds_not_frames():
    slow, fast = Alike(forget_after=2.0), Alike(forget_after=2.0)
    assert [ids(slow(t, [at(100)])) for t in (0.0, 1.9, 3.8)] == [[0]] * 3
    assert ids(fast(0.0, [at(100)])) == [0]
    for i in range(1, 60):
        fast(i / 25, [])
    assert ids(fast(60 / 25, [at(100)])) == [1]


def test_somebody_else_who_comes_to_the_same_place_is_somebody_new():
    tracks = Alike(forget_after=2.0)
    for i in range(50):
        tracks(i / 25, [at(100)], [ANA])
    assert ids(tracks(2.8, [at(100)], [BEN])) == [1]
    assert ids(tracks(3.6, [at(100)], [ANA])) == [0]


def test_a_light_that_is_switched_on_changes_nobody_who_is_in_view():
    tracks = Alike(forget_after=2.0)
    for i in range(25):
        tracks(i / 25, [at(100)], [ANA])
    bright = ANA + 1.5
    assert {ids(tracks(1 + i / 25, [at(100)], [bright]))[0] for i in range(25)} == {0}


def test_somebody_whose_looks_change_all_the_time_is_known_again_after_an_absence():
    tracks = Alike(forget_after=2.0)
    for i in range(100):
        tracks(i / 25, [at(100)], [ANA + 0.4 * (-1) ** (i // 5)])
    assert ids(tracks(5.0, [at(100)], [BEN])) == [0]


def test_two_who_hide_each_other_and_turn_back_are_told_apart_by_their_looks():
    tracks = Alike(forget_after=2.0)
    for i in range(20):
        tracks(i / 25, [at(150 + 2 * i), at(240 - 2 * i)], [ANA, BEN])
    back = tracks(1.3, [at(185), at(205)], [ANA, BEN])
    assert [(face.track, face.box.x0) for face in back] == [(0, 165.0), (1, 185.0)]


def test_looks_are_colours_of_the_face_and_what_surrounds_it():
    picture = np.full((100, 100, 3), 40, np.uint8)
    picture[:, 50:] = (200, 100, 50)
    left, right = appearances(picture, [Box(x, 20, x + 20, 60) for x in (10, 70)])
    assert left.shape == (48,)
    np.testing.assert_allclose(left, np.log(48.0), rtol=1e-6)
    np.testing.assert_allclose(right[:3], np.log([208.0, 108.0, 58.0]), rtol=1e-6)
    assert unlike(left, left) == 0
    assert unlike(left, right) == pytest.approx(np.sqrt(np.square(left - right).mean()))


@pytest.mark.parametrize("box", [Box(-50, -50, -10, -10), Box(90, 90, 130, 130), Box(5, 5, 5, 5)])
def test_a_face_at_or_beyond_the_edge_has_looks_too(box):
    picture = np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    assert np.isfinite(appearances(picture, [box])).all()
