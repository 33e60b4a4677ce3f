"""A film that somebody watches, without the window: paused, gone back in, marked, left."""

import json
import threading
import time
from contextlib import closing
from functools import partial

import numpy as np
import pytest

from conftest import stamp_of, write_film
from tracker.handoff import background
from tracker.playback import play
from tracker.remote import Remote
from tracker.sinks.once import Once
from tracker.sinks.rows import columns
from tracker.sinks.sidecar import Sidecar
from tracker.sinks.tables import csv_table
from tracker.sources import ALL, Report, Span, open_source
from tracker.values import Frame, FrameResult, Note, Step

TIMES = [i / 50 for i in range(50)]  # s


class Tracker:
    """Reads nothing, and remembers which frames it was given."""

    hears = False

    def __init__(self, take=0.0):
        self.taken, self.slow = [], take

    def look(self, frame):
        return []

    def take(self, frame, seen):
        time.sleep(self.slow)
        self.taken.append((frame.index, frame.pts))
        return FrameResult(frame.index, frame.pts, 0.0, False, (), frame.source)


class Viewing:
    """A run in its own thread; `until` gives the steps up to one."""

    def __init__(self, path, *, recording=True, take=0.0, span=ALL, stay=True):
        self.tracker, self.remote = Tracker(take), Remote(recording=recording)
        opened = partial(open_source, path)
        self.source = opened(span)
        self.steps = play(self.source, opened, self.tracker, self.remote, span, stay=stay)

    def __enter__(self):
        self._run = background(self.steps, capacity=1000, drop_oldest=False)
        self._queue = self._run.__enter__()
        self._coming = iter(self._queue)
        return self

    def __exit__(self, *error):
        self.remote.stop()
        self._run.__exit__(*error)

    def until(self, wanted):
        shown = []
        for step in self._coming:
            shown.append(step)
            if wanted(step):
                return shown
        raise AssertionError("the run ended")

    def waiting(self):
        """What is there after a while in which more could have come."""
        time.sleep(0.15)
        return self._queue.drain()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", TIMES)


def at(pts):
    return lambda step: step.result.pts >= pts - 1e-3


def ended():
    return [thread for thread in threading.enumerate() if thread.name == "source"] == []


def test_a_film_plays_at_its_own_pace_and_complete(film):
    with Viewing(film) as viewing:
        steps = viewing.until(at(TIMES[-1]))
    assert [stamp_of(step.frame.image) for step in steps] == list(range(50))
    first = steps[0].frame
    for step in steps:
        assert step.frame.arrived >= first.arrived + step.frame.pts - first.pts - 1e-3
    assert ended()


def test_a_slow_model_loses_no_frame_of_a_film(film):
    with Viewing(film, take=0.03) as viewing:
        assert len(viewing.until(at(0.5))) == 26


def test_nothing_is_read_or_shown_while_a_film_is_paused(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.2))
        viewing.remote.paused = True
        before = viewing.waiting()
        assert viewing.waiting() == []
        read = len(viewing.tracker.taken)
        assert viewing.waiting() == []
        assert len(viewing.tracker.taken) == read
        viewing.remote.paused = False
        after = viewing.until(at(TIMES[-1]))
    indices = [step.result.index for step in [*before, *after]]
    assert indices == list(range(indices[0], 50))


def test_going_back_shows_what_was_read_and_reads_nothing_twice(film):
    with Viewing(film) as viewing:
        first = {s.result.pts: s.result for s in viewing.until(at(0.6))}
        viewing.remote.move(0.3)
        again = viewing.until(lambda step: step.result.pts == pytest.approx(0.3))[-1:]
        again += viewing.until(at(TIMES[-1]))
    assert [stamp_of(step.frame.image) for step in again] == list(range(15, 50))
    for step in again[:16]:
        assert step.result is first[step.result.pts]
    assert [index for index, _ in viewing.tracker.taken] == list(range(50))
    assert ended()


def test_going_on_leaves_a_gap_in_the_numbers_and_going_back_fills_none_twice(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.1))
        viewing.remote.move(0.8)
        viewing.until(at(TIMES[-1]))
        viewing.remote.move(0.0)
        viewing.until(at(0.5))
    taken = viewing.tracker.taken
    assert len({index for index, _ in taken}) == len(taken) == len({pts for _, pts in taken})
    steps = np.diff([index for index, _ in taken])
    jumps = np.abs(np.diff([pts for _, pts in taken]) - 0.02) > 1e-3
    assert (steps[jumps] == 2).all()
    assert (steps[~jumps] == 1).all()
    assert "went to another time 2 times" in viewing.source.report.notes[0]


def test_whoever_moves_while_paused_sees_the_picture_there(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.1))
        viewing.remote.paused = True
        viewing.waiting()
        viewing.remote.move(0.7)
        (there,) = viewing.until(at(0.7))
        assert stamp_of(there.frame.image) == 35
        assert viewing.waiting() == []


def test_a_move_beyond_the_last_frame_is_told_and_the_film_goes_on_from_elsewhere(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.1))
        viewing.remote.move(5.0)
        deadline = time.monotonic() + 30
        while not viewing.remote.told and time.monotonic() < deadline:
            viewing.waiting()
        assert "no frame between" in viewing.remote.told.popleft()
        viewing.remote.move(0.5)
        viewing.until(at(TIMES[-1]))


def test_a_film_that_is_cut_off_is_told_to_its_viewer_once(tmp_path):
    path = write_film(tmp_path / "film.mkv", [*(i / 25 for i in range(30)), 9.0])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with Viewing(path) as viewing:
        for _ in range(2):  # the second time after going back
            deadline = time.monotonic() + 30
            while not viewing.remote.at_end and time.monotonic() < deadline:
                viewing.waiting()
            assert viewing.remote.at_end
            viewing.remote.move(0.2)
            viewing.until(at(0.2))
        told = [line for line in viewing.remote.told if "the film is cut off" in line]
        assert len(told) == 1


def test_the_end_of_a_film_waits_for_its_viewer(film):
    with Viewing(film) as viewing:
        viewing.until(at(TIMES[-1]))
        assert viewing.waiting() == []
        assert viewing.remote.at_end
        viewing.remote.move(0.9)
        viewing.until(at(TIMES[-1]))
    assert not viewing.source.report.left


def test_with_another_film_to_follow_the_end_is_the_end(film):
    with Viewing(film, stay=False) as viewing:
        with pytest.raises(AssertionError, match="the run ended"):
            viewing.until(lambda step: False)
        assert len(viewing.tracker.taken) == 50


def test_the_viewer_may_see_the_part_that_was_asked_for(film):
    with Viewing(film, span=Span(0.2, 0.6)) as viewing:
        viewing.until(at(0.58))
        assert viewing.remote.extent == pytest.approx((0.2, 0.6))
        viewing.remote.move(0.4)
        assert stamp_of(viewing.until(at(0.0))[-1].frame.image) == 20


def test_a_film_that_was_left_early_is_told_from_one_that_was_read_to_its_end(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.1))
        viewing.remote.paused = True  # however it waits
    assert viewing.source.report.left
    assert ended()


def test_a_note_stands_in_the_next_row_and_says_which_moment_it_is_of(film):
    with Viewing(film) as viewing:
        viewing.until(at(0.1))
        viewing.remote.mark(0.06, "smiles")
        steps = viewing.until(lambda step: step.result.note is not None)
    assert steps[-1].result.note == Note(0.06, "smiles")
    assert sum(step.result.note is not None for step in steps) == 1


def test_a_note_that_no_row_follows_is_kept_with_what_is_said_of_the_source(film):
    with Viewing(film) as viewing:
        viewing.until(at(TIMES[-1]))
        viewing.remote.mark(0.98, "the end")
    assert viewing.source.report.notes == [
        "film.mp4: a note on 0.980 s came after the last row: the end"
    ]


class Camera:
    """Gives a picture every 5 ms, or waits for ever; ends when it is told to."""

    live, expected = True, None

    def __init__(self, *, mute=False):
        self.report, self.mute, self.over = Report(), mute, threading.Event()

    def give_up(self):
        self.over.set()

    def __iter__(self):
        index = 0
        while not self.over.wait(60 if self.mute else 0.005):
            yield Frame(index, index / 200, time.monotonic(), np.zeros((4, 4, 3), np.uint8), "cam")
            index += 1


def watched(camera, remote):
    return play(camera, lambda span: camera, Tracker(), remote, stay=True)


def test_what_a_paused_camera_gives_is_not_read():
    remote = Remote(recording=True)
    with background(watched(Camera(), remote), capacity=1000, drop_oldest=True) as steps:
        coming = iter(steps)
        next(coming)
        remote.paused = True
        time.sleep(0.2)
        steps.drain()
        time.sleep(0.2)
        assert steps.drain() == []
        remote.paused = False
        before, after = next(coming).result, next(coming).result
        remote.stop()
    assert before.index > 10  # what came in between is left out
    assert after.index > before.index
    assert ended()


def test_a_camera_that_gives_nothing_can_be_left():
    remote, camera = Remote(recording=True), Camera(mute=True)
    begin = time.monotonic()
    with background(watched(camera, remote), capacity=1, drop_oldest=True):
        time.sleep(0.05)
        remote.stop()
    assert time.monotonic() - begin < 1.5
    assert ended()
    assert not camera.report.left  # a camera has no end to be reached


def test_a_table_is_written_while_the_viewer_records_each_frame_once(film, tmp_path):
    out = tmp_path / "out.csv"
    with Viewing(film, recording=False) as viewing:
        table = csv_table(str(out), columns(notes=True))
        sidecar = Sidecar(out, table, {}, [viewing.source], {})
        with Once(lambda: [table, sidecar], lambda: viewing.remote.recording) as once:
            for step in viewing.until(at(0.2)):
                once.write(step)
            assert not out.exists()
            viewing.remote.recording = True
            for step in viewing.until(at(0.4)):
                once.write(step)
            viewing.remote.move(0.0)
            for step in viewing.until(lambda s: s.result.pts == 0.0)[-1:] + viewing.until(at(0.3)):
                once.write(step)
    times = [line.split(",")[1] for line in out.read_text("utf-8").splitlines()[1:]]
    assert len(set(times)) == len(times)
    assert {float(t) for t in times} == {t for t in TIMES if t <= 0.4}
    run = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))["run"]
    assert (run["rows"], run["finished"]) == (len(times), True)


def test_another_input_counts_its_frames_anew():
    written = []

    class Kept:
        def write(self, step):
            written.append(step.result.pts)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def step(index, pts):
        return Step(None, FrameResult(index, pts, 0.0, False, ()))

    with Once(lambda: [Kept()], lambda: True) as once:
        for one in (step(0, 0.0), step(1, 0.1), step(0, 0.0)):
            once.write(one)
        once.begin()
        once.write(step(0, 7.0))
    assert written == [0.0, 0.1, 7.0]


def test_leaving_in_the_middle_of_a_sentence_closes_everything(film):
    viewing = Viewing(film)
    with closing(viewing.steps) as steps:
        next(steps)
        viewing.remote.stop()
    assert ended()
