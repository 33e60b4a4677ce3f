"""The neutral of a profile: what is measured of pushed readings, and the command that does it."""

import json
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.baseline import BaselineError, measure
from conftest import write_film
from tracker.cli import main
from tracker.models import hash_file, open_shipped
from tracker.profile import Networks, Origin
from tracker.profile_file import load_profile
from tracker.values import (
    EXPRESSIONS,
    Affect,
    Box,
    Face,
    FrameResult,
    PersonReading,
    Reading,
    Scores,
)

SHOWN = Scores(EXPRESSIONS, (1.0, *[0.0] * 7))
RATE = 25  # frames per second


def person(track, valence, *, arousal=0.0, score=0.9, side=40.0):
    face = Face(track, Box(0.0, 0.0, side, side), score)
    return PersonReading(face, Reading(Affect(0.9, 0.9), Affect(valence, arousal)), SHOWN)


def film(valences, *, track=0, source="a.mp4", **about):
    return [
        FrameResult(i, i / RATE, 0.0, False, (person(track, valence, **about),), source)
        for i, valence in enumerate(valences)
    ]


def photo(name, *people):
    return FrameResult(0, 0.0, 0.0, True, people, name)


def test_neutral_is_the_median_of_what_was_smooth():
    rest = measure(film([-0.2] * 60 + [0.8] * 40, arousal=0.1))
    assert (rest.neutral.valence, rest.neutral.arousal) == pytest.approx((-0.2, 0.1))
    assert (rest.frames, rest.others) == (100, 0)
    assert rest.seconds == pytest.approx(99 / RATE)


def test_the_range_leaves_out_the_rarest_tenth():
    rest = measure(film([0.0] * 96 + [1.0] * 4))
    assert (rest.range.valence, rest.range.arousal) == (0.0, 0.0)
    rest = measure(film(np.linspace(-0.1, 0.1, 101)))
    assert rest.range.valence == pytest.approx(0.18)


def test_readings_that_the_detector_doubts_do_not_count():
    doubted = film([0.9] * 100, score=0.69)
    sure = [
        FrameResult(100 + i, 4 + i / RATE, 0.0, False, (person(0, 0.1),), "a.mp4")
        for i in range(80)
    ]
    rest = measure(doubted + sure)
    assert (rest.neutral.valence, rest.frames) == (pytest.approx(0.1), 80)


def test_in_a_film_whoever_is_seen_longest_counts():
    frames = [
        FrameResult(
            i,
            i / RATE,
            0.0,
            False,
            (person(0, 0.3, side=10.0), *((person(1, -0.7, side=90.0),) if i < 50 else ())),
        )
        for i in range(100)
    ]
    rest = measure(frames)
    assert (rest.neutral.valence, rest.frames, rest.others) == (pytest.approx(0.3), 100, 1)


def test_in_each_photo_the_largest_face_counts():
    photos = [
        photo(f"{i}.png", person(2 * i, 0.9, side=20.0), person(2 * i + 1, 0.1 * i, side=60.0))
        for i in range(3)
    ]
    rest = measure(photos)
    assert (rest.neutral.valence, rest.seconds, rest.frames) == (pytest.approx(0.1), 0, 3)
    assert rest.others == 3


def test_films_add_up():
    rest = measure(film([0.1] * 50) + film([0.1] * 50, source="b.mp4", track=1))
    assert (rest.frames, rest.others) == (100, 0)
    assert rest.seconds == pytest.approx(98 / RATE)


@pytest.mark.parametrize(
    "results, found",
    [
        ([], "0.00 s (0 frames)"),
        (film([0.1] * 50), "1.96 s (50 frames)"),
        (film([0.1] * 200, score=0.5), "0.00 s (0 frames)"),
        ([photo("1.png", person(0, 0.1)), photo("2.png", person(1, 0.1))], "0.00 s (2 frames)"),
        ([photo("1.png"), photo("2.png"), photo("3.png")], "0.00 s (0 frames)"),
    ],
    ids=["nothing", "two seconds", "doubtful", "two photos", "nobody"],
)
def test_too_little_is_refused_with_what_was_found(results, found):
    with pytest.raises(BaselineError, match=re.escape(f"found {found} of one confident face")):
        measure(results)


@given(st.lists(st.floats(-1, 1), min_size=80, max_size=120), st.randoms())
def test_the_neutral_lies_among_what_was_shown_in_any_order(shown, random):
    rest = measure(film(shown))
    assert min(shown) <= rest.neutral.valence <= max(shown)
    assert 0 <= rest.range.valence <= max(shown) - min(shown) + 1e-12
    random.shuffle(shown)
    assert measure(film(shown)).neutral == rest.neutral


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=70), st.floats(-1, 1))
def test_what_happens_in_less_than_half_of_the_frames_does_not_move_it(did, rests):
    shown = [*did, *[rests] * (len(did) + 80)]
    assert measure(film(shown)).neutral.valence == pytest.approx(rests)


# The command, with the networks that ship


def draw(i):
    """A grey face-like blot that moves a little: the networks read anything."""
    picture = np.full((48, 48, 3), 120, np.uint8)
    cv2.ellipse(picture, (24, 24), (15, 20), 0, 0, 360, (190, 190, 190), -1)
    cv2.ellipse(picture, (24, 33), (6, 1 + i // 10 % 4), 0, 0, 360, (60, 60, 60), -1)
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """3.6 s of 10 pictures each."""
    path = tmp_path_factory.mktemp("rest") / "ana.mp4"
    return write_film(path, [i / 10 for i in range(36)], size_wh=(48, 48), picture=draw)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), draw(12 * i))
    return folder


def calibrate(*words):
    return main(["calibrate", "neutral", "--faces", "whole", *map(str, words)])


def test_a_clip_becomes_a_profile_that_says_when_and_from_what(clip, tmp_path, capsys):
    out = tmp_path / "me.json"
    assert calibrate(clip, "--person", "ana", "--out", out) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("me.json: ana at rest: valence ")
    profile = load_profile(out)
    assert profile.networks == Networks(*(open_shipped(n).sha256 for n in ("face-s", "memory-s")))
    ana = profile.people["ana"]
    assert (ana.frames, ana.seconds) == (36, 3.5)
    assert ana.made_from == (Origin("ana.mp4", hash_file(clip)),)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", ana.created)
    assert str(clip.parent) not in out.read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["me.json"]


def test_the_neutral_is_the_median_of_the_smooth_column(clip, tmp_path, capsys):
    out = tmp_path / "me.json"
    assert calibrate(clip, "--out", out) == 0
    capsys.readouterr()
    assert main([str(clip), "--faces", "whole", "--jsonl", "-"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    me = load_profile(out).people["me"]
    for axis in ("valence", "arousal"):
        shown = [row[axis] for row in rows]
        low, high = np.percentile(shown, (5, 95))
        assert getattr(me.neutral, axis) == pytest.approx(np.median(shown), abs=1e-4)
        assert getattr(me.range, axis) == pytest.approx(high - low, abs=2e-4)


def test_a_folder_of_photos_becomes_a_profile(photos, tmp_path):
    out = tmp_path / "me.json"
    assert calibrate(photos, "--out", out) == 0
    me = load_profile(out).people["me"]
    assert (me.frames, me.seconds) == (3, 0.0)
    assert [origin.name for origin in me.made_from] == ["0.png", "1.png", "2.png"]


def test_another_person_joins_a_profile_and_the_same_is_replaced(clip, photos, tmp_path):
    out = tmp_path / "me.json"
    assert calibrate(clip, "--person", "ana", "--out", out) == 0
    whole = json.loads(out.read_text("utf-8"))
    line = {"gain": 1.5, "offset": 0.0}
    whole["raters"]["ben"] = {"valence": line, "arousal": line, "delay": 1.0, "clips": 7}
    out.write_text(json.dumps(whole), "utf-8")
    assert calibrate(photos, "--person", "eve", "--out", out) == 0
    assert calibrate(photos, "--person", "ana", "--out", out) == 0
    after = json.loads(out.read_text("utf-8"))
    assert set(after["people"]) == {"ana", "eve"}
    assert (after["people"]["ana"]["frames"], after["people"]["eve"]["frames"]) == (3, 3)
    assert (after["raters"], after["created"]) == (whole["raters"], whole["created"])


def test_too_short_a_clip_is_one_line_exit_2_and_no_file(clip, tmp_path, capsys):
    out = tmp_path / "me.json"
    assert calibrate(clip, "--end", 1, "--out", out) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "ana.mp4: found 0.90 s (10 frames) of one confident face" in said.err
    assert (said.out, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize("role", ["face", "memory"])
def test_a_profile_of_another_model_is_left_alone(clip, role, tmp_path, capsys):
    out = tmp_path / "me.json"
    assert calibrate(clip, "--out", out) == 0
    ours = getattr(load_profile(out).networks, role)
    theirs = out.read_text("utf-8").replace(ours, "12" * 32)
    out.write_text(theirs, "utf-8")
    assert calibrate(clip, "--out", out) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "me.json" in said
    assert ours in said
    assert "12" * 32 in said
    assert out.read_text("utf-8") == theirs


def test_a_file_that_is_no_profile_is_not_overwritten(clip, tmp_path, capsys):
    out = tmp_path / "me.json"
    out.write_text("shopping list", "utf-8")
    assert calibrate(clip, "--out", out) == 2
    assert "me.json: not a calibration profile" in capsys.readouterr().err
    assert out.read_text("utf-8") == "shopping list"


def test_a_profile_that_cannot_be_written_is_said_before_anything_is_read(tmp_path, capsys):
    assert calibrate("nowhere.mp4", "--out", tmp_path / "nowhere" / "me.json") == 2
    assert "nowhere/me.json: cannot write" in capsys.readouterr().err


def test_an_input_that_cannot_be_read_leaves_nothing(clip, tmp_path, capsys):
    out = tmp_path / "me.json"
    assert calibrate(clip, "nowhere.mp4", "--out", out) == 2
    assert capsys.readouterr().err == "emotrack: nowhere.mp4: no such file or folder\n"
    assert not out.exists()


@pytest.mark.parametrize(
    "words, why",
    [
        (["--person", "a=b"], "'a=b' is no name"),
        (["--person", ""], "'' is no name"),
        (["--start", "3", "--end", "2"], "--end 2 is not after --start 3"),
        (["--start", "nan"], "--start nan is no time"),
    ],
)
def test_a_command_that_cannot_work_says_why(tmp_path, capsys, words, why):
    with pytest.raises(SystemExit, match="2"):
        calibrate("ana.mp4", "--out", tmp_path / "me.json", *words)
    assert why in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
