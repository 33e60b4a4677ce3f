"""Programs that embed the engine get the numbers of the command line."""

import os
import subprocess
import sys
import threading

import av
import numpy as np
import pytest

import tracker
from conftest import DEMO
from tracker.sinks.rows import columns, rows, text
from tracker.sources import open_source
from tracker.sources.microphone import PushedSound

HEADER = columns(scene=True)


def lines(results):
    return [text(cells, HEADER) for result in results for cells in rows(result, HEADER)]


@pytest.fixture(scope="module")
def pulled():
    return list(tracker.watch(DEMO))


def test_watching_a_film_gives_the_rows_that_the_command_writes(pulled, tmp_path):
    from tracker.cli import main

    assert main([str(DEMO), "--csv", str(tmp_path / "out.csv")]) == 0
    written = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    assert [",".join(line) for line in lines(pulled)] == written


def test_pushing_the_frames_of_a_film_gives_what_watching_it_gives(pulled):
    with tracker.build(tracker.Options()) as reader:
        pushed = [reader.push(frame.picture, frame.pts) for frame in open_source(DEMO)]
    assert lines(pushed) == lines(pulled)


def test_two_trackers_in_two_threads_equal_two_serial_runs(pulled):
    found = {}

    def run(name):
        found[name] = lines(tracker.watch(DEMO))

    threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found["a"] == found["b"] == lines(pulled)


def test_no_future_frame_changes_a_past_value(pulled):
    frames = list(open_source(DEMO))[:60]
    noise = np.random.default_rng(1).integers(0, 256, frames[0].image.shape, np.uint8)
    with tracker.build() as reader:
        past = [reader.push(f.picture, f.pts) for f in frames[:40]]
        for f in frames[40:]:
            reader.push(noise, f.pts)
    assert lines(past) == lines(pulled[:40])


def test_raw_is_what_the_network_says_of_the_crop_alone(pulled):
    import engines
    from tracker.crops import Cropper
    from tracker.models import open_shipped

    model = open_shipped(tracker.Options().face_network)
    engine = engines.load(model.path, "onnx")
    cropper = Cropper(model.card["input"])
    names = [spec.name for spec in engine.outputs]
    checked = 0
    for frame, result in zip(open_source(DEMO), pulled, strict=True):
        for person in result.people:
            out = engine.infer(cropper.aligned(frame.picture, person.face)[None])
            valence, arousal = out[names.index("affect")][0]
            assert person.affect.raw.valence == pytest.approx(valence, abs=1e-5)
            assert person.affect.raw.arousal == pytest.approx(arousal, abs=1e-5)
            checked += 1
    assert checked > 50


def test_leaving_a_watch_early_stops_its_thread():
    for result in tracker.watch(DEMO):
        if result.index == 3:
            break
    assert not [t for t in threading.enumerate() if t.name == "source"]


@pytest.mark.parametrize("every", [0, -1, float("nan"), float("inf")])
def test_a_step_that_is_none_is_refused_at_once(every):
    with pytest.raises(ValueError, match=f"every {every:g} is no"):
        next(tracker.watch(DEMO, every=every))


def test_a_time_that_is_a_word_is_refused_by_its_name():
    with pytest.raises(ValueError, match="start '3' is no time in seconds"):
        next(tracker.watch(DEMO, start="3"))


@pytest.mark.parametrize("camera", [0, None, b"film.mp4"])
def test_what_is_no_name_is_refused_in_one_line(camera):
    with pytest.raises(tracker.SourceError, match=f"^{camera!r} is no film, photo or folder"):
        next(tracker.watch(camera))


def repacked(film):
    """The packets of the demo in another container."""
    with av.open(str(DEMO)) as given, av.open(str(film), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return film


def test_who_watches_a_damaged_film_is_told_of_it_once(tmp_path, caplog):
    film = repacked(tmp_path / "film.mkv")
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    seen = len(list(tracker.watch(film)))
    assert 10 < seen < 150
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{film}: the film is cut off: it announces 6")


def test_who_leaves_a_film_early_is_told_what_was_assumed_of_it(tmp_path, caplog):
    film = repacked(tmp_path / "raw.h264")
    for result in tracker.watch(film):
        if result.index == 3:
            break
    (record,) = caplog.records
    assert "carry no time; their timestamps assume 25 frames/s" in record.getMessage()


PICTURE = np.zeros((90, 160, 3), np.uint8)


@pytest.mark.parametrize(
    "image, what",
    [
        (None, "a NoneType"),
        (PICTURE.tolist(), "a list"),
        (PICTURE.astype(np.float32), "float32"),
        (PICTURE[..., 0], r"uint8 \(90, 160\)"),
        (PICTURE[:0], r"uint8 \(0, 160, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused_and_the_stream_goes_on(image, what):
    with tracker.build(tracker.Options(scene=None)) as reader:
        reader.push(PICTURE, 0.0)
        with pytest.raises(ValueError, match=f"image is {what}"):
            reader.push(image, 0.1)
        assert reader.push(PICTURE, 0.2).index == 1


def test_a_view_of_an_array_is_read_as_its_copy_is():
    """OpenCV programs push `bgr[..., ::-1]`."""
    image = next(iter(open_source(DEMO))).image
    wide = np.zeros((400, 700, 3), np.uint8)
    wide[:360, :640] = image
    views = (
        *(image[..., ::-1].copy()[..., ::-1], image[::-1].copy()[::-1]),
        *(np.asfortranarray(image), wide[:360, :640]),
    )
    for view in (image, *views):
        with tracker.build() as reader:
            result = reader.push(view, 0.0)
        if view is image:
            expected = lines([result])
        assert lines([result]) == expected


def test_a_result_keeps_the_time_and_not_the_callers_array_of_it():
    now = np.zeros(())
    with tracker.build() as reader:
        result = reader.push(PICTURE, now)
        now += 5
        assert reader.push(PICTURE, np.float32(0.5)).scene.pts == 0.5
    assert (result.pts, type(result.pts)) == (0.0, float)


@pytest.mark.parametrize("scene", ["scene-s", None])
def test_a_tracker_that_was_closed_says_so(scene):
    reader = tracker.build(tracker.Options(scene=scene))
    reader.push(PICTURE, 0.0)
    reader.close()
    reader.close()
    with pytest.raises(RuntimeError, match="this Tracker is closed"):
        reader.push(PICTURE, 0.1)


def test_a_tracker_that_reads_no_sound_says_so_to_whoever_brings_some():
    with tracker.build(tracker.Options(scene=None)) as reader:
        with pytest.raises(RuntimeError, match="reads no sound: build it with Options"):
            reader.listen(PushedSound(48_000))
        reader.listen(None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_that_uses_its_parents_tracker_is_told_so():
    """It has none of its threads, and would wait for one for ever."""
    code = """if True:
        import os, sys
        import numpy as np
        import tracker
        picture = np.zeros((90, 160, 3), np.uint8)
        reader = tracker.build()
        reader.push(picture, 0.0)
        if os.fork():
            os.wait()
            reader.push(picture, 0.1)
            sys.exit()
        try:
            reader.push(picture, 0.1)
        except RuntimeError as why:
            print(why, flush=True)
        os._exit(0)
    """
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "a Tracker belongs to one process; build one after the fork\n"


def test_a_thread_may_watch_on_when_the_main_one_has_come_to_its_end():
    """Python's own executors take no more work by then."""
    code = f"""if True:
        import threading, time
        import tracker
        def watch():
            threading.main_thread().join()
            print(sum(1 for _ in tracker.watch({str(DEMO)!r}, end=1)))
        threading.Thread(target=watch).start()
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("25\n", "")


def test_a_program_may_end_with_films_left_in_the_middle():
    """Python takes the ground from under their threads, and a network in use then aborts all."""
    code = f"""if True:
        import tracker
        opened = [tracker.watch({str(DEMO)!r}) for _ in range(4)]
        for results in opened:
            next(results)
    """
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "given, why",
    [
        ({"faces": "some"}, "faces is 'some'"),
        ({"min_confidence": 1.5}, "min_confidence is 1.5"),
        ({"detector_size": 32}, "detector_size is 32, expected 64..2048 px"),
        ({"forget_after": 0.0}, "forget_after is 0.0"),
        ({"max_batch": 0}, "max_batch is 0"),
        ({"max_batch": 2.5}, "max_batch is 2.5, expected a whole number"),
        ({"detector_size": "640"}, "detector_size is '640', expected a whole number"),
        ({"min_confidence": "0.5"}, "min_confidence is '0.5', expected a number"),
        ({"forget_after": None}, "forget_after is None, expected a number"),
        ({"person": "ana", "profile": "me.json"}, "person is 'ana', expected names"),
    ],
)
def test_options_out_of_range_are_refused(given, why):
    with pytest.raises(ValueError, match=why):
        tracker.Options(**given)
