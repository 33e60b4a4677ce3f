import threading
import time

import numpy as np
import pytest

from tracker.handoff import background
from tracker.pipeline import Tracker
from tracker.run import follow, record
from tracker.sinks.base import SinkError
from tracker.sources import Report
from tracker.values import EXPRESSIONS, Affect, Box, Face, Frame, PersonReading, Reading, Scores

BLANK = np.zeros((4, 4, 3), np.uint8)
FLAT = Reading(Affect(0.5, -0.5), Affect(0.5, -0.5))
NEUTRAL = Scores(EXPRESSIONS, (1.0, *[0.0] * 7))


class Clip:
    expected = None

    def __init__(self, n, *, live=False, fps=1000.0, source=""):
        self.n, self.live, self.fps, self.source = n, live, fps, source
        self.report = Report()

    def __iter__(self):
        for i in range(self.n):
            if self.live:
                time.sleep(1 / self.fps)
            yield Frame(i, i / self.fps, time.monotonic(), BLANK, self.source)


class Part:
    """A part made of a function; counts how often it was told to begin anew."""

    def __init__(self, call):
        self.call, self.begun, self.closed = call, 0, 0

    def __call__(self, *args):
        return self.call(*args)

    def begin(self):
        self.begun += 1

    def close(self):
        self.closed += 1

    def look(self, image):
        return ["seen"]


def one_face(frame, cut, seen):
    assert seen == ["seen"]
    return [Face(0, Box(0, 0, 4, 4), 1.0)]


def flat(frame, faces):
    return [PersonReading(face, FLAT, NEUTRAL) for face in faces]


def a_tracker(faces=one_face, people=flat):
    return Tracker(Part(lambda frame: frame.index == 0), Part(faces), Part(people))


class Memory:
    """A sink that keeps the indices."""

    def __init__(self):
        self.indices, self.closed, self.opened = [], False, False

    def __enter__(self):
        self.opened = True
        return self

    def __exit__(self, *_):
        self.closed = True

    def write(self, step):
        self.indices.append(step.result.index)


def test_a_file_gives_one_result_per_frame_in_order():
    results = [step.result for step in follow(Clip(20), a_tracker())]
    assert [r.index for r in results] == list(range(20))
    assert [r.cut for r in results] == [True] + [False] * 19


def test_a_slow_model_on_a_live_source_drops_frames_but_stays_fresh():
    def slow(frame, faces):
        time.sleep(0.02)
        return flat(frame, faces)

    results = [s.result for s in follow(Clip(200, live=True), a_tracker(people=slow))]
    assert len(results) < 100
    assert results[-1].index == 199


def test_nobody_in_view_is_a_result_with_no_people():
    steps = follow(Clip(3), a_tracker(faces=lambda frame, cut, seen: []))
    assert [s.result.people for s in steps] == [(), (), ()]


def test_pushing_pictures_gives_what_following_a_file_gives():
    followed = [s.result for s in follow(Clip(5), a_tracker())]
    tracker = a_tracker()
    pushed = [tracker.push(BLANK, i / 1000.0) for i in range(5)]
    for one, other in zip(followed, pushed, strict=True):
        assert (one.index, one.pts, one.cut, one.people) == (
            other.index,
            other.pts,
            other.cut,
            other.people,
        )


def test_another_source_or_a_step_back_in_time_begins_a_new_stream():
    faces = Part(one_face)
    tracker = Tracker(Part(lambda frame: False), faces, Part(flat))
    begun = []
    for pts, source in [(0.0, "a"), (0.1, "a"), (0.1, "a"), (0.0, "b"), (0.5, "b"), (0.4, "b")]:
        tracker.take(Frame(0, pts, 0.0, BLANK, source))
        begun.append(faces.begun)
    assert [now - begun[0] for now in begun] == [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    "image", [BLANK.astype(float), BLANK[:, :, 0], np.zeros((0, 4, 3), np.uint8)]
)
def test_a_pushed_picture_of_another_kind_is_refused(image):
    with pytest.raises(ValueError, match="expected uint8"):
        a_tracker().push(image, 0.0)


def test_a_pushed_picture_needs_a_time():
    with pytest.raises(ValueError, match="pts is nan, expected seconds"):
        a_tracker().push(BLANK, float("nan"))


def test_a_second_thread_is_refused():
    tracker = a_tracker()
    tracker.push(BLANK, 0.0)
    with (
        pytest.raises(RuntimeError, match="one thread"),
        background((tracker.push(BLANK, t) for t in (1.0,)), capacity=1, drop_oldest=False) as out,
    ):
        list(out)


class Eye(Part):
    """A scene reader that sees every frame; steadied, it says which looks it was given."""

    def __init__(self):
        super().__init__(None)
        self.given = []

    def look(self, frame, cut):
        return frame.pts, cut

    def __call__(self, seen):
        self.given.append(seen)
        return seen


def test_the_scene_is_looked_at_ahead_and_steadied_in_order():
    eye = Eye()
    tracker = Tracker(Part(lambda frame: frame.index == 2), Part(one_face), Part(flat), scene=eye)
    results = [step.result for step in follow(Clip(4, fps=10.0), tracker)]
    assert eye.given == [(0.0, False), (0.1, False), (0.2, True), (0.3, False)]
    assert [r.scene for r in results] == eye.given


def test_a_cut_in_a_frame_that_was_lost_is_seen_in_the_next():
    tracker = Tracker(Part(lambda frame: frame.index == 2), Part(one_face), Part(flat))
    frames = [Frame(i, i / 10, 0.0, BLANK) for i in range(5)]
    seen = [tracker.look(frame) for frame in frames]
    taken = [tracker.take(frames[i], seen[i]).cut for i in (0, 1, 3, 4)]
    assert taken == [False, False, True, False]


def test_looking_ahead_into_the_next_film_takes_nothing_from_this_one():
    cuts, faces, eye = Part(lambda frame: frame.pts == 0.0), Part(one_face), Eye()
    tracker = Tracker(cuts, faces, Part(flat), scene=eye)
    frames = [Frame(i, pts, 0.0, BLANK, name) for name in "ab" for i, pts in enumerate((0.0, 0.1))]
    seen = [tracker.look(frame) for frame in frames]
    begun = []
    for frame, what in zip(frames, seen, strict=True):
        assert tracker.take(frame, what).cut == (frame.pts == 0.0)
        begun.append(faces.begun)
    assert [now - begun[0] for now in begun] == [0, 0, 1, 1]
    assert cuts.begun == 2


def test_leaving_the_tracker_closes_its_parts():
    parts = [Part(lambda frame: False), Part(one_face), Part(flat)]
    with Tracker(*parts):
        pass
    assert [part.closed for part in parts] == [1, 1, 1]


def test_a_source_without_frames_opens_no_sink():
    sink = Memory()
    assert list(record(follow(Clip(0), a_tracker()), [sink])) == []
    assert not sink.opened


def test_a_plot_may_miss_results_that_the_file_must_not():
    sink = Memory()
    everything = record(follow(Clip(500), a_tracker()), [sink])
    with background(everything, capacity=4, drop_oldest=True) as latest:
        drawn = []
        while not latest.ended:
            time.sleep(0.01)  # the GUI timer
            drawn += [step.result.index for step in latest.drain()]
    assert sink.indices == list(range(500))
    assert drawn[-1] == 499
    assert len(drawn) < 500
    assert sink.closed


class Endless(Clip):
    def __init__(self):
        super().__init__(10**9)
        self.released = threading.Event()

    def __iter__(self):
        try:
            yield from super().__iter__()
        finally:
            self.released.set()


def test_a_sink_that_fails_releases_the_source_while_its_error_is_still_held():
    class Full(Memory):
        def write(self, step):
            raise SinkError("no space left")

    source = Endless()
    with pytest.raises(SinkError) as held:
        list(record(follow(source, a_tracker()), [Full()]))
    assert str(held.value) == "no space left"
    assert source.released.is_set()
    assert not [t for t in threading.enumerate() if t.name == "source"]


def test_leaving_early_releases_the_source_and_closes_the_sinks():
    source = Endless()
    sink = Memory()
    steps = record(follow(source, a_tracker()), [sink])
    for step in steps:
        if step.result.index == 10:
            break
    steps.close()
    assert source.released.wait(1)
    assert sink.closed
    assert not [t for t in threading.enumerate() if t.name == "source"]
