"""What a summary says, and which moments it names."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.commands.summary import APART, BIN, MOMENTS, Summary, _Moment, _Strongest
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

CALIBRATED = ("valence_cal", "arousal_cal")
FILMS = st.lists(st.lists(st.floats(0, 1), max_size=200), min_size=1, max_size=2)


def moments(*films):
    """One in each bin."""
    return [
        _Moment(strength, f"{name}.mp4", (i + 0.5) * BIN, "")
        for name, film in enumerate(films)
        for i, strength in enumerate(film)
    ]


def strongest(offered):
    kept = _Strongest()
    for moment in offered:
        kept.offer(moment)
    return kept.moments()


def test_moments_on_the_way_to_a_stronger_one_are_not_lost_with_their_neighbours():
    """Each is stronger than the one before it, so each hides what is close behind it."""
    rising = moments([i / 200 for i in range(200)])
    times = [m.pts for m in strongest(rising)]
    assert times == pytest.approx([19.95, 17.95, 15.95, 13.95, 11.95], abs=BIN)
    assert all(a - b >= APART for a, b in pairwise(times))


@given(FILMS)
def test_they_are_those_that_one_would_choose_from_all(films):
    left, chosen = moments(*films), []
    while left and len(chosen) < MOMENTS:
        best = max(left, key=lambda m: m.strength)
        chosen.append(best)
        left = [m for m in left if m.source != best.source or abs(m.pts - best.pts) >= APART]
    found = strongest(moments(*films))
    assert [m.strength for m in found] == [m.strength for m in chosen]


def test_of_one_moment_and_its_neighbours_the_strongest_counts():
    close = [_Moment(s, "a.mp4", t, "") for s, t in ((0.5, 1.0), (0.9, 1.04), (0.7, 1.08))]
    assert strongest(close) == [close[1]]


def test_of_a_calibrated_run_the_summary_gives_both_scales_and_none_where_nobody_was_named():
    seen, mostly = Affect(0.5, 0.2), Scores(EXPRESSIONS, (1.0, *[0.0] * 7))
    people = [
        PersonReading(Face(track, Box(0, 0, 9, 9), 0.9), Reading(seen, seen, calibrated), mostly)
        for track, calibrated in ((0, Affect(0.1, -0.3)), (1, None))
    ]
    summary = Summary()
    summary.add(FrameResult(0, 0.0, 0.0, True, tuple(people)))
    _, _, head, ana, other, *_ = summary.text().splitlines()
    assert head.split() == ["face", "seen", "valence", "arousal", *CALIBRATED, "mostly"]
    assert [f"{v:+.2f} [{v:+.2f}, {v:+.2f}]" in ana for v in (0.5, 0.2, 0.1, -0.3)] == [True] * 4
    assert other.split()[-3:] == ["none", "none", "neutral"]


def test_of_a_run_without_calibration_it_gives_one():
    seen, mostly = Affect(0.5, 0.2), Scores(EXPRESSIONS, (1.0, *[0.0] * 7))
    summary = Summary()
    face = Face(0, Box(0, 0, 9, 9), 0.9)
    people = (PersonReading(face, Reading(seen, seen), mostly),)
    summary.add(FrameResult(0, 0.0, 0.0, True, people))
    assert "_cal" not in summary.text()
