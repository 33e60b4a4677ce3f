"""The running neutral: causal, robust, and each track's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.rolling import WARM_UP, WIDTH, RollingBaseline
from tracker.values import Affect

RATE = 10  # readings per second
EXACT = WIDTH  # the median is known to the width of a bin

series = st.lists(st.floats(-1, 1), min_size=1, max_size=80)


def follow(valences, baseline=None, *, start=0.0, rate=RATE, key=0):
    """The calibrated valences of one face that shows these smooth ones."""
    baseline = baseline or RollingBaseline()
    out = [
        baseline(start + i / rate, [key], [Affect(valence, 0.0)])[0]
        for i, valence in enumerate(valences)
    ]
    return [a if a is None else a.valence for a in out]


def test_nothing_is_said_during_the_warm_up():
    said = follow([0.3] * 50)
    warm = round(WARM_UP * RATE)
    assert said[:warm] == [None] * warm
    assert None not in said[warm:]


def test_a_face_at_rest_reads_zero_whatever_its_rest_looks_like():
    for rest in (-1.0, -0.37, 0.0, 0.4, 1.0):
        assert follow([rest] * 60)[-1] == pytest.approx(0, abs=EXACT)


def test_an_expression_reads_as_its_distance_from_rest_and_does_not_move_it():
    said = follow([-0.2] * 100 + [0.6] * 40 + [-0.2] * 10)
    assert said[100:140] == pytest.approx([0.8] * 40, abs=EXACT)
    assert said[-1] == pytest.approx(0, abs=EXACT)


def test_a_face_that_changes_for_good_is_the_new_neutral_after_42_seconds():
    """Half of an exponential memory of 60 s is younger than 60 ln 2 = 41.6 s."""
    said = follow([0.0] * 6000 + [0.5] * 1000)
    old = [i for i, value in enumerate(said[6000:]) if value > 0.25]
    assert len(old) / RATE == pytest.approx(41.6, abs=0.2)
    assert said[-1] == pytest.approx(0, abs=EXACT)


def test_the_estimate_does_not_depend_on_the_frame_rate():
    slow = follow([0.1] * 80 + [0.7] * 40, rate=10)
    fast = follow([0.1] * 400 + [0.7] * 200, rate=50)
    assert slow[-1] == pytest.approx(fast[-1], abs=EXACT)


def test_each_track_has_its_own_neutral():
    baseline = RollingBaseline()
    for i in range(50):
        said = baseline(i / RATE, [4, 7], [Affect(0.5, 0.1), Affect(-0.5, -0.1)])
    for affect in said:
        assert (affect.valence, affect.arousal) == pytest.approx((0, 0), abs=EXACT)


def test_a_new_track_starts_its_own_warm_up():
    baseline = RollingBaseline()
    follow([0.5] * 60, baseline, key=0)
    assert follow([-0.5] * 31, baseline, start=6.0, key=1) == [
        *[None] * 30,
        pytest.approx(0, abs=EXACT),
    ]


@pytest.mark.parametrize("later", [9.0, 0.0])
def test_a_track_gone_too_long_or_from_the_future_starts_afresh(later):
    baseline = RollingBaseline(forget_after=2.0)
    assert follow([0.5] * 60, baseline)[-1] is not None
    assert follow([0.5], baseline, start=later) == [None]


def test_a_new_stream_starts_afresh():
    baseline = RollingBaseline()
    follow([0.5] * 60, baseline)
    baseline.begin()
    assert follow([0.5], baseline, start=6.0) == [None]


def test_equal_timestamps_are_harmless():
    baseline = RollingBaseline()
    for i in range(50):
        said = [baseline(i / RATE, [0], [Affect(0.2, 0.0)])[0] for _ in range(2)]
    assert said[0] == said[1]
    assert said[0].valence == pytest.approx(0, abs=EXACT)


def test_two_futures_after_one_past_give_the_same_past():
    past = [0.1, -0.2, 0.3, 0.2] * 20
    one, other = (follow(past + future) for future in ([1.0] * 50, [-1.0] * 50))
    assert one[:80] == other[:80]
    assert one[80:] != other[80:]


@given(series)
def test_a_prefix_of_a_series_reads_as_it_does_in_the_whole(shown):
    assert follow(shown[: len(shown) // 2]) == follow(shown)[: len(shown) // 2]


@given(series)
def test_what_is_said_is_on_the_scale_and_its_neutral_among_what_was_shown(shown):
    said = follow([*shown, *[shown[-1]] * 31])
    assert all(-1 <= value <= 1 for value in said[30:])
    neutral = shown[-1] - said[-1]
    assert min(shown) - EXACT <= neutral <= max(shown) + EXACT or abs(said[-1]) == 1


@given(series, st.floats(-1, 1))
def test_whatever_a_face_did_for_the_lesser_part_its_rest_reads_zero(did, rest):
    said = follow([*did, *[rest] * (len(did) + 31)])
    assert said[-1] == pytest.approx(0, abs=EXACT)
