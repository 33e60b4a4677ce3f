"""Which moments a summary names."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.commands.summary import APART, BIN, MOMENTS, _Moment, _Strongest

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
