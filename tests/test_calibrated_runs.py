"""A profile or a running neutral in the command line, in `watch` and in `push`: equal numbers."""

import csv
import json

import cv2
import numpy as np
import pytest

import tracker
from conftest import write_film
from tracker.cli import main
from tracker.models import hash_file, open_shipped
from tracker.profile import Networks, Origin, Person, ProfileError, Range
from tracker.profile_file import new_file, with_person
from tracker.sinks.rows import columns, rows, text
from tracker.sources import open_source
from tracker.values import Affect

WHEN = "2026-01-02T03:04:05+00:00"
OURS = tuple(open_shipped(name).sha256 for name in ("face-s", "memory-s"))
HEADER = columns()
WHOLE = ["--faces", "whole"]
CAL = ("valence_cal", "arousal_cal")


def draw(i):
    """A blot with a mouth that opens and closes."""
    picture = np.full((48, 48, 3), 120, np.uint8)
    cv2.ellipse(picture, (24, 24), (15, 20), 0, 0, 360, (190, 190, 190), -1)
    cv2.ellipse(picture, (24, 33), (6, 1 + i // 8 % 5), 0, 0, 360, (60, 60, 60), -1)
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """4.9 s at ten frames per second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_film(path, [i / 10 for i in range(50)], size_wh=(48, 48), picture=draw)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = tmp_path_factory.mktemp("profile") / "me.json"
    ana = Person(
        Affect(-0.2, 0.1), Range(0.1, 0.1), 10.0, 250, WHEN, (Origin("ana.mp4", "ab" * 32),)
    )
    whole = with_person(new_file(Networks(*OURS), WHEN), "ana", ana)
    rater = {"valence": {"gain": 1.5, "offset": 0.1}, "arousal": {"gain": 0.5, "offset": 0.0}}
    path.write_text(json.dumps({**whole, "raters": {"ben": {**rater, "delay": 0.5}}}), "utf-8")
    return path


def command(clip, out, *words):
    """The table that the command line writes."""
    assert main([str(clip), "--csv", str(out), *WHOLE, *map(str, words)]) == 0
    return list(csv.DictReader(out.read_text("utf-8").splitlines()))


def lines(results):
    names = [column.name for column in HEADER]
    return [
        dict(zip(names, text(cells, HEADER), strict=True))
        for result in results
        for cells in rows(result, HEADER)
    ]


@pytest.fixture(scope="module")
def plain(clip, tmp_path_factory):
    return command(clip, tmp_path_factory.mktemp("plain") / "out.csv")


CHOICES = [
    (["--person", "ana"], {"person": ("ana",)}),
    (["--person", "0=ana", "--rater", "ben"], {"person": ("0=ana",), "rater": "ben"}),
    (["--rater", "ben"], {"rater": "ben"}),
    ([], {}),
]


@pytest.mark.parametrize("words, options", CHOICES)
def test_command_line_watch_and_push_give_equal_numbers(clip, profile, tmp_path, words, options):
    written = command(clip, tmp_path / "out.csv", "--profile", profile, *words)
    options = tracker.Options(faces="whole", profile=str(profile), **options)
    assert lines(tracker.watch(clip, options)) == written
    with tracker.build(options) as reader:
        pushed = [reader.push(frame.picture, frame.pts) for frame in open_source(clip)]
    assert lines(pushed) == written
    assert any(row["valence_cal"] for row in written)


def test_a_running_neutral_is_the_same_in_command_line_watch_and_push(clip, tmp_path):
    written = command(clip, tmp_path / "out.csv", "--baseline", "rolling")
    options = tracker.Options(faces="whole", baseline="rolling")
    assert lines(tracker.watch(clip, options)) == written
    with tracker.build(options) as reader:
        pushed = [reader.push(frame.picture, frame.pts) for frame in open_source(clip)]
    assert lines(pushed) == written


@pytest.mark.parametrize("words", [["--profile", "PROFILE"], ["--baseline", "rolling"]])
def test_the_uncalibrated_columns_stay_as_they_are(clip, profile, plain, tmp_path, words):
    words = [profile if word == "PROFILE" else word for word in words]
    calibrated = command(clip, tmp_path / "out.csv", *words)
    assert any(row["valence_cal"] for row in calibrated)
    assert [{**row, **dict.fromkeys(CAL, "")} for row in calibrated] == plain


def test_the_calibrated_columns_are_what_the_profile_says(clip, profile, plain, tmp_path):
    person = command(clip, tmp_path / "a.csv", "--profile", profile)
    both = command(
        clip, tmp_path / "b.csv", "--profile", profile, "--person", "ana", "--rater", "ben"
    )
    for i, row in enumerate(plain):
        valence = float(row["valence"]) + 0.2
        assert float(person[i]["valence_cal"]) == pytest.approx(min(1, valence), abs=1e-4)
        if i < 5:  # 0.5 s at ten frames per second
            assert (both[i]["valence_cal"], both[i]["arousal_cal"]) == ("", "")
        else:
            then = plain[i - 5]
            wanted = 1.5 * (float(then["valence"]) + 0.2) + 0.1
            assert float(both[i]["valence_cal"]) == pytest.approx(max(-1, min(1, wanted)), abs=2e-4)
            wanted = 0.5 * (float(then["arousal"]) - 0.1)
            assert float(both[i]["arousal_cal"]) == pytest.approx(wanted, abs=2e-4)


def test_a_track_that_nobody_named_has_empty_calibrated_columns(clip, profile, tmp_path):
    rows = command(clip, tmp_path / "out.csv", "--profile", profile, "--person", "7=ana")
    assert {row["valence_cal"] for row in rows} == {""}


def test_a_number_that_no_face_had_is_told(clip, profile, tmp_path, capsys):
    words = ["--profile", profile, "--person", "0=ana", "--person", "3=ana"]
    command(clip, tmp_path / "out.csv", *words)
    told = "no face had the number 3: ana was not in view"
    assert capsys.readouterr().err == f"emotrack: {told}\n"
    assert json.loads((tmp_path / "out.meta.json").read_text())["run"]["notes"] == [told]


def test_a_running_neutral_owes_nothing_to_the_future(clip):
    frames = list(open_source(clip))
    with tracker.build(tracker.Options(faces="whole", baseline="rolling")) as reader:
        past = [reader.push(f.picture, f.pts) for f in frames[:40]]
        for f in frames[40:]:
            reader.push(255 - f.image, f.pts)
    whole = list(tracker.watch(clip, tracker.Options(faces="whole", baseline="rolling")))
    assert lines(past) == lines(whole[:40])
    said = [row["valence_cal"] != "" for row in lines(past)]
    assert said == [False] * 30 + [True] * 10  # the warm-up


@pytest.mark.parametrize("given", [{"baseline": "rolling"}, {"rater": "ben"}])
def test_another_film_starts_afresh(clip, profile, given):
    options = tracker.Options(
        faces="whole", profile=str(profile) if "rater" in given else None, **given
    )
    frames = list(open_source(clip))
    with tracker.build(options) as reader:
        first, second = ([reader.push(f.picture, f.pts) for f in frames] for _ in range(2))
    cal = [[row["valence_cal"] for row in lines(results)] for results in (first, second)]
    assert cal[0] == cal[1]


def test_the_sidecar_names_the_profile_but_not_where_it_lies(clip, profile, tmp_path):
    command(clip, tmp_path / "out.csv", "--profile", profile, "--person", "0=ana", "--rater", "ben")
    about = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))
    assert about["profile"] == {
        "sha256": hash_file(profile),
        "people": ["0=ana"],
        "rater": "ben",
    }
    assert about["options"]["profile"] == "me.json"
    assert str(profile.parent) not in json.dumps({**about, "command": None})


def test_the_sidecar_of_a_run_without_a_profile_says_so(clip, tmp_path):
    command(clip, tmp_path / "out.csv", "--baseline", "rolling")
    about = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))
    assert about["profile"] is None
    assert (about["options"]["profile"], about["options"]["baseline"]) == (None, "rolling")


@pytest.mark.parametrize("ours, role", [(OURS[0], "face model"), (OURS[1], "memory")])
def test_a_profile_of_another_network_is_refused_with_both_sums(
    clip, profile, ours, role, tmp_path, capsys
):
    other = tmp_path / "other.json"
    other.write_text(profile.read_text("utf-8").replace(ours, "12" * 32), "utf-8")
    with pytest.raises(ProfileError, match="12" * 32):
        tracker.build(tracker.Options(faces="whole", profile=str(other)))
    assert main([str(clip), *WHOLE, "--csv", str(tmp_path / "o.csv"), "--profile", str(other)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"emotrack: other.json: measured with another {role}: sha256 ")
    assert said.count("\n") == 1
    assert ours in said
    assert "12" * 32 in said
    assert not list(tmp_path.glob("o.*"))


@pytest.mark.parametrize(
    "words, why",
    [
        (["--person", "eve"], "me.json: no person is named 'eve'; known: ana"),
        (["--rater", "eve"], "me.json: no rater is named 'eve'; known: ben"),
    ],
)
def test_an_unknown_name_is_one_line_exit_2_and_no_file(
    clip, profile, tmp_path, capsys, words, why
):
    out = tmp_path / "out.csv"
    assert main([str(clip), *WHOLE, "--csv", str(out), "--profile", str(profile), *words]) == 2
    assert capsys.readouterr().err == f"emotrack: {why}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given, why",
    [
        ({"baseline": "fixed"}, "baseline is 'fixed'"),
        (
            {"baseline": "rolling", "profile": "a/me.json"},
            "'rolling' and profile 'me.json' exclude",
        ),
        ({"person": ("ana",)}, r"person is \('ana',\), but there is no profile"),
        ({"rater": "ben"}, "rater is 'ben', but there is no profile"),
        ({"person": ("x=ana",), "profile": "me.json"}, "person is 'x=ana'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given, why):
    with pytest.raises(ValueError, match=why):
        tracker.Options(**given)


def test_the_command_line_refuses_them_too(clip, profile, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(clip), "--profile", str(profile), "--baseline", "rolling"])
    assert "exclude each other" in capsys.readouterr().err


def test_a_table_is_not_written_over_the_profile(clip, profile, capsys):
    before = profile.read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main([str(clip), "--jsonl", str(profile), "--profile", str(profile)])
    assert "me.json is an input" in capsys.readouterr().err
    assert profile.read_bytes() == before
