from tracker.tracks import Tracks
from tracker.values import Box, Detection


def at(x, y=100.0, size=40.0, score=0.9):
    return Detection(Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2), score)


def ids(faces):
    return [face.track for face in faces]


def test_a_face_that_moves_keeps_its_number():
    tracks = Tracks(forget_after=2.0)
    assert {f.track for i in range(50) for f in tracks(i / 25, [at(50 + 6 * i)])} == {0}


def test_two_people_who_pass_each_other_keep_their_numbers():
    tracks = Tracks(forget_after=2.0)
    for i in range(60):
        faces = tracks(i / 25, [at(100 + 5 * i, y=100), at(400 - 5 * i, y=125)])
    places = {face.track: (face.box.x0 + face.box.x1) / 2 for face in faces}
    assert places == {0: 395.0, 1: 105.0}


def test_a_short_absence_keeps_the_number_and_a_long_one_does_not():
    tracks = Tracks(forget_after=2.0)
    tracks(0.0, [at(100)])
    tracks(1.0, [])
    assert ids(tracks(1.5, [at(105)])) == [0]
    assert ids(tracks(4.0, [at(105)])) == [1]


def test_numbers_are_never_used_twice_even_after_a_cut():
    tracks = Tracks(forget_after=2.0)
    assert ids(tracks(0.0, [at(100), at(300)])) == [0, 1]
    tracks.begin()
    assert ids(tracks(0.04, [at(100), at(300)])) == [2, 3]


def test_a_crowd_has_no_limit():
    tracks = Tracks(forget_after=2.0)
    crowd = [at(60 * i) for i in range(120)]
    assert ids(tracks(0.0, crowd)) == list(range(120))
    assert ids(tracks(0.04, crowd[::-1])) == list(range(120))


def test_a_face_elsewhere_or_of_another_size_is_somebody_else():
    tracks = Tracks(forget_after=2.0)
    tracks(0.0, [at(100)])
    assert ids(tracks(0.04, [at(300)])) == [1]
    assert ids(tracks(0.08, [at(300, size=120)])) == [2]


def test_a_doubtful_face_begins_nothing_but_somebody_followed_is_kept():
    tracks = Tracks(forget_after=2.0, begin_at=0.6)
    assert ids(tracks(0.0, [at(100, score=0.5)])) == []
    assert ids(tracks(0.04, [at(100, score=0.7)])) == [0]
    assert ids(tracks(0.08, [at(101, score=0.5), at(400, score=0.5)])) == [0]


def test_life_is_counted_in_seconds_not_frames():
    slow, fast = Tracks(forget_after=2.0), Tracks(forget_after=2.0)
    assert [ids(slow(t, [at(100)])) for t in (0.0, 1.9, 3.8)] == [[0]] * 3
    assert ids(fast(0.0, [at(100)])) == [0]
    for i in range(1, 60):
        fast(i / 25, [])
    assert ids(fast(60 / 25, [at(100)])) == [1]
