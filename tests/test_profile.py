"""Profiles: who is chosen from one, how it is applied, and what is refused."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.profile import (
    Calibrator,
    Line,
    Networks,
    Origin,
    People,
    Person,
    Profile,
    ProfileError,
    ProfileUse,
    Range,
    Rater,
    check_networks,
    choose,
)
from tracker.profile_file import load_profile, new_file, with_person
from tracker.values import Affect

NONE = Affect(0.0, 0.0)
WHEN = "2026-01-02T03:04:05+00:00"
ANA = Person(Affect(-0.2, 0.1), Range(0.1, 0.05), 9.96, 250, WHEN, (Origin("ana.mp4", "ab" * 32),))
BEN = Person(Affect(0.3, 0.0), Range(0.2, 0.2), 0.0, 3, WHEN, (Origin("a camera", None),))
OURS = Networks(face="11" * 32, memory="22" * 32)
SLOW = Rater(Line(2.0, 0.1), Line(), 0.2)
BOTH = Profile("me.json", "00" * 32, OURS, WHEN, {"ana": ANA, "ben": BEN}, {"slow": SLOW})

on_scale = st.floats(-1, 1)
affects = st.builds(Affect, on_scale, on_scale)
lines = st.builds(Line, st.floats(-5, 5), st.floats(-2, 2))


def content(**changes):
    line = {"gain": 2.0, "offset": 0.1}
    rater = {"valence": line, "arousal": {"gain": 1, "offset": 0}, "delay": 0.2, "clips": 12}
    file = with_person(new_file(OURS, WHEN), "ana", ANA)
    return {**with_person(file, "ben", BEN), "raters": {"slow": rater}, **changes}


def write(path, data):
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return path


def feed(calibrator, pts, **valences):
    """The calibrated valences of tracks t1, t2, ... whose smooth ones are given."""
    smooth = [Affect(v, 0.0) for v in valences.values()]
    out = calibrator(pts, [int(key[1:]) for key in valences], smooth)
    return [a if a is None else round(a.valence, 3) for a in out]


def test_neutral_is_taken_off_then_the_rater_scales_and_shifts():
    rater = Rater(valence=Line(gain=2.0, offset=0.1))
    c = Calibrator({1: Affect(-0.2, 0.0)}, rater, other=NONE)
    assert feed(c, 0.0, t1=0.1, t2=0.1) == [0.7, 0.3]


def test_the_two_axes_have_their_own_neutral_and_line():
    rater = Rater(Line(2.0, 0.1), Line(0.5, -0.1))
    c = Calibrator({}, rater, other=Affect(0.1, -0.3))
    (a,) = c(0.0, [1], [Affect(0.2, 0.5)])
    assert (a.valence, a.arousal) == pytest.approx((0.3, 0.3))


def test_the_result_stays_on_the_scale():
    c = Calibrator({}, Rater(valence=Line(gain=5.0)), other=NONE)
    assert feed(c, 0.0, t1=0.9, t2=-0.9) == [1.0, -1.0]


def test_a_face_whose_neutral_is_unknown_has_no_calibrated_value():
    c = Calibrator({1: NONE}, Rater(), other=None)
    assert feed(c, 0.0, t1=0.1, t2=0.1) == [0.1, None]


def test_a_slow_rater_is_answered_with_the_past_and_with_nothing_before_it():
    c = Calibrator({}, Rater(delay=0.2), other=NONE)
    seen = [feed(c, pts, t1=v) for pts, v in [(0.0, 0.1), (0.1, 0.2), (0.25, 0.3), (0.45, 0.4)]]
    assert seen == [[None], [None], [0.1], [0.3]]


def test_a_slow_rater_is_answered_at_any_frame_rate():
    c = Calibrator({}, Rater(delay=0.2), other=NONE)
    assert [feed(c, pts, t1=pts / 10) for pts in (0.0, 1.0, 2.0)] == [[None], [0.0], [0.1]]


def test_a_delay_of_whole_frames_reaches_exactly_that_many_back():
    c = Calibrator({}, Rater(delay=0.2), other=NONE)
    seen = [feed(c, i / 10, t1=i / 100)[0] for i in range(60)]
    assert seen == [None, None, *(round(i / 100, 3) for i in range(58))]


@pytest.mark.parametrize("later", [9.0, -1.0])
def test_a_key_gone_too_long_or_from_the_future_starts_afresh(later):
    c = Calibrator({}, Rater(delay=0.2), other=NONE, forget_after=2.0)
    for pts in (0.0, 0.1):
        feed(c, pts, t1=0.1)
    assert feed(c, later, t1=0.3) == [None]
    assert feed(c, later + 0.5, t1=0.4) == [0.3]


def test_a_new_stream_owes_nothing_to_the_last():
    c = Calibrator({}, Rater(delay=0.2), other=NONE)
    feed(c, 0.0, t1=0.1)
    c.begin()
    assert feed(c, 0.3, t1=0.2) == [None]


@given(st.lists(affects, min_size=1, max_size=20), affects, lines, lines)
def test_whatever_the_profile_says_the_result_is_on_the_scale(shown, neutral, valence, arousal):
    c = Calibrator({}, Rater(valence, arousal), other=neutral)
    for i, affect in enumerate(shown):
        (a,) = c(i / 25, [0], [affect])
        assert -1 <= a.valence <= 1
        assert -1 <= a.arousal <= 1


@given(affects)
def test_without_neutral_and_rater_nothing_changes(shown):
    assert Calibrator({}, Rater(), other=NONE)(0.0, [0], [shown]) == [shown]


@given(on_scale, on_scale, st.floats(-0.5, 0.5), lines)
def test_a_face_and_its_neutral_moved_alike_read_the_same(shown, neutral, shift, line):
    def read(by):
        c = Calibrator({}, Rater(line), other=Affect(neutral + by, 0.0))
        return c(0.0, [0], [Affect(shown + by, 0.0)])[0].valence

    assert math.isclose(read(shift), read(0.0), abs_tol=1e-9)


@given(st.lists(st.tuples(affects, affects), min_size=1, max_size=20), st.floats(0, 1))
def test_who_else_is_in_view_changes_nobody(pairs, delay):
    alone, together = (Calibrator({}, Rater(delay=delay), other=NONE) for _ in range(2))
    for i, (one, other) in enumerate(pairs):
        mine = alone(i / 10, [1], [one])[0]
        assert together(i / 10, [2, 1], [other, one])[1] == mine


# Whom a run asks for


@pytest.mark.parametrize(
    "words, everyone, by_track",
    [
        ((), None, {}),
        (("ana",), "ana", {}),
        (("0=ana", "12=ben"), None, {0: "ana", 12: "ben"}),
        (("3=ben", "ana"), "ana", {3: "ben"}),
    ],
)
def test_people_are_named_for_every_face_or_by_track(words, everyone, by_track):
    people = People.parse(words)
    assert (people.everyone, dict(people.by_track)) == (everyone, by_track)
    assert sorted(people.words()) == sorted(words)


@pytest.mark.parametrize(
    "words, why",
    [
        ([""], "person is ''"),
        (["0="], "person is '0='"),
        (["x=ana"], "person is 'x=ana'"),
        (["-1=ana"], "person is '-1=ana'"),
        (["ana", "ben"], "person is 'ben', but that face is 'ana' already"),
        (["0=ana", "0=ben"], "person is '0=ben', but that face is 'ana' already"),
    ],
)
def test_words_that_name_nobody_or_one_face_twice_are_refused(words, why):
    with pytest.raises(ValueError, match=why):
        People.parse(words)


def test_every_face_gets_the_neutral_of_the_person_named():
    calibrator, used = choose(BOTH, ["ana"], None)
    assert feed(calibrator, 0.0, t1=0.1, t2=-0.2) == [0.3, 0.0]
    assert used == ProfileUse("00" * 32, ("ana",), None)


def test_people_named_by_track_leave_the_other_faces_uncalibrated():
    calibrator, used = choose(BOTH, ["0=ana", "2=ben"], None)
    assert feed(calibrator, 0.0, t0=0.1, t1=0.1, t2=0.1) == [0.3, None, -0.2]
    assert used.people == ("0=ana", "2=ben")


def test_a_name_without_a_track_is_for_the_faces_that_have_none():
    calibrator, _ = choose(BOTH, ["2=ben", "ana"], None)
    assert feed(calibrator, 0.0, t1=0.1, t2=0.1) == [0.3, -0.2]


def test_a_rater_alone_judges_faces_as_they_are():
    calibrator, used = choose(BOTH, [], "slow")
    feed(calibrator, 0.0, t1=0.2)
    assert feed(calibrator, 0.2, t1=0.0) == [0.5]
    assert used == ProfileUse("00" * 32, (), "slow")


def test_the_only_person_of_a_profile_need_not_be_named():
    alone = Profile("me.json", "00" * 32, OURS, WHEN, {"ana": ANA}, {"slow": SLOW})
    calibrator, used = choose(alone, [], None)
    assert feed(calibrator, 0.0, t1=0.1) == [0.3]
    assert used.people == ("ana",)


@pytest.mark.parametrize(
    "person, rater, why",
    [
        ([], None, r"me\.json: say which person or rater: people ana, ben; raters slow"),
        (["eve"], None, r"me\.json: no person is named 'eve'; known: ana, ben"),
        (["0=ana", "1=eve"], None, r"me\.json: no person is named 'eve'; known: ana, ben"),
        (["ana"], "fast", r"me\.json: no rater is named 'fast'; known: slow"),
    ],
)
def test_somebody_the_profile_does_not_know_is_refused_naming_whom_it_knows(person, rater, why):
    with pytest.raises(ProfileError, match=why):
        choose(BOTH, person, rater)


def test_a_profile_of_another_model_is_refused_with_both_sums():
    check_networks(BOTH, OURS)
    with pytest.raises(ProfileError, match=rf"another face model: .*{'11' * 32}.*{'33' * 32}"):
        check_networks(BOTH, Networks("33" * 32, OURS.memory))
    with pytest.raises(ProfileError, match=rf"another memory: .*{'22' * 32}.*{'33' * 32}"):
        check_networks(BOTH, Networks(OURS.face, "33" * 32))


# The file


def test_a_profile_is_read_back_whole(tmp_path):
    file = write(tmp_path / "me.json", content())
    profile = load_profile(file)
    assert (profile.name, profile.networks, profile.created) == ("me.json", OURS, WHEN)
    assert profile.people == {"ana": ANA, "ben": BEN}
    assert profile.raters == {"slow": SLOW}


def test_another_person_replaces_nobody_and_keeps_what_others_wrote():
    before = content()
    after = with_person(before, "eve", BEN)
    assert list(after["people"]) == ["ana", "ben", "eve"]
    assert after["raters"] == before["raters"]
    assert with_person(after, "eve", ANA)["people"]["eve"] == after["people"]["ana"]
    assert "eve" not in before["people"]


def changed(path, value):
    """The file with one field replaced, or left out if `value` is ...: path is "people.ana"."""
    whole = json.loads(json.dumps(content()))
    *folders, last = path.split(".")
    table = whole
    for folder in folders:
        table = table[int(folder) if folder.isdigit() else folder]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return whole


@pytest.mark.parametrize(
    "data, why",
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "the file is \\[\\]"),
        ("{}", "format is missing"),
        (changed("format", 9), "format is 9, expected 1"),
        (changed("format", "1"), "format is '1'"),
        (changed("model", ...), "model is missing"),
        (changed("model", ""), "model is ''"),
        (changed("memory", ...), "memory is missing"),
        (changed("memory", None), "memory is None, expected text"),
        (changed("people", ...), "people is missing"),
        (changed("people", ["ana"]), "people is \\['ana'\\]"),
        (changed("people.ana", None), "people.ana is None"),
        (changed("people.ana.neutral", ...), "people.ana.neutral is missing"),
        (changed("people.ana.neutral.valence", ...), "people.ana.neutral.valence is missing"),
        (changed("people.ana.neutral.valence", 3), "people.ana.neutral.valence is 3"),
        (changed("people.ana.neutral.arousal", True), "people.ana.neutral.arousal is True"),
        (changed("people.ana.range.valence", -0.1), "people.ana.range.valence is -0.1"),
        (changed("people.ana.from", "ana.mp4"), "people.ana.from is 'ana.mp4'"),
        (changed("people.ana.from.0.sha256", ...), "people.ana.from\\[0\\].sha256 is missing"),
        (changed("people.ana.created", ...), "people.ana.created is missing"),
        (changed("model", None), "model is null: its raters were fitted to readings without"),
        (changed("raters", ...), "raters is missing"),
        (changed("raters.slow.valence.gain", math.nan), "raters.slow.valence.gain is nan"),
        (changed("raters.slow.delay", -1), "raters.slow.delay is -1"),
        (changed("raters.slow.arousal", ...), "raters.slow.arousal is missing"),
    ],
)
def test_anything_else_is_refused_by_name_and_field(tmp_path, data, why):
    file = write(tmp_path / "me.json", data)
    with pytest.raises(ProfileError, match=rf"^me\.json: not a calibration profile \({why}"):
        load_profile(file)


def test_bytes_that_are_no_text_are_refused_by_name(tmp_path):
    (tmp_path / "me.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match=r"me\.json"):
        load_profile(tmp_path / "me.json")


def test_a_profile_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ProfileError, match=r"^me\.json: cannot read \(No such file"):
        load_profile(tmp_path / "me.json")
