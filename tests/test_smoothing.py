"""The memory: its bookkeeping with test doubles, its promises with the network that ships."""

import math

import numpy as np
import pytest

from engines import TensorSpec, load
from tracker.models import open_shipped
from tracker.smoothing import LstmSmoother
from tracker.values import Affect


class Averager:
    """Stands in for the LSTM: h holds the running sum, c the count, the output is the mean."""

    inputs = (
        TensorSpec("x", (4,), "float32"),
        TensorSpec("h", (2,), "float32"),
        TensorSpec("c", (2,), "float32"),
    )
    outputs = (
        TensorSpec("affect", (2,), "float32"),
        TensorSpec("spread", (2,), "float32"),
        TensorSpec("h_out", (2,), "float32"),
        TensorSpec("c_out", (2,), "float32"),
    )
    max_batch = 2
    description = "test double"
    closed = False

    def infer(self, x, h, c):
        h, c = h + x[:, :2], c + 1
        return h / c, np.ones_like(h), h, c

    def close(self):
        self.closed = True


class Clock(Averager):
    """Says what it was told beside valence: as valence the seconds, as arousal the confidence."""

    def infer(self, x, h, c):
        return x[:, [3, 2]], np.ones_like(h), h, c


def feed(smoother, pts, **valences):
    """The smooth valences of tracks t1, t2, ... that read as given."""
    readings = np.array([(v, 0.0, 0.9) for v in valences.values()], np.float32).reshape(-1, 3)
    out = smoother(pts, [int(key[1:]) for key in valences], readings)
    return [round(affect.valence, 3) for affect in out]


def test_each_track_remembers_only_itself_whoever_else_is_in_view():
    s = LstmSmoother(Averager())
    assert feed(s, 0.0, t1=1.0) == [1.0]
    assert feed(s, 0.1, t2=0.0, t1=0.0, t3=-1.0) == [0.0, 0.5, -1.0]
    assert feed(s, 0.2) == []
    assert feed(s, 0.3, t3=0.0, t1=-1.0) == [-0.5, 0.0]


def test_a_track_gone_too_long_starts_afresh():
    s = LstmSmoother(Averager(), forget_after=1.0)
    feed(s, 0.0, t1=1.0)
    assert feed(s, 0.9, t1=0.0) == [0.5]
    assert feed(s, 2.0, t1=0.0) == [0.0]


def test_a_track_need_never_be_forgotten():
    s = LstmSmoother(Averager(), forget_after=math.inf)
    feed(s, 0.0, t0=1.0)
    assert feed(s, 3600.0, t0=0.0) == [0.5]


def test_a_stream_that_steps_back_in_time_starts_afresh():
    s = LstmSmoother(Averager())
    feed(s, 10.0, t1=1.0)
    assert feed(s, 0.0, t1=0.0) == [0.0]


def test_a_new_stream_remembers_nobody():
    s = LstmSmoother(Averager())
    feed(s, 0.0, t1=1.0)
    s.begin()
    assert feed(s, 0.1, t1=0.0) == [0.0]


def test_the_network_is_told_the_seconds_since_each_track_was_last_read():
    s = LstmSmoother(Clock())
    assert feed(s, 0.0, t1=0.0) == [0.0]
    assert feed(s, 0.25, t1=0.0, t2=0.0) == [0.25, 0.0]
    assert feed(s, 1.25, t2=0.0, t1=0.0) == [1.0, 1.0]


def test_the_network_is_told_the_confidence():
    (affect,) = LstmSmoother(Clock())(0.0, [1], np.array([[0.1, 0.2, 0.3]], np.float32))
    assert affect.arousal == pytest.approx(0.3)


def test_the_spread_comes_with_the_value_it_belongs_to():
    class Doubtful(Averager):
        def infer(self, x, h, c):
            return x[:, :2], 0.1 + np.abs(x[:, :2]), h, c

    readings = np.array([[0.5, -0.25, 1], [-0.125, 0.75, 1]], np.float32)
    first, second = LstmSmoother(Doubtful()).steady(0.0, [4, 2], readings)
    assert (first.spread.valence, first.spread.arousal) == pytest.approx((0.6, 0.35))
    assert (second.spread.valence, second.spread.arousal) == pytest.approx((0.225, 0.85))
    assert second.affect == Affect(-0.125, 0.75)


def test_closing_closes_the_engine():
    engine = Averager()
    LstmSmoother(engine).close()
    assert engine.closed


# From here on: the network that ships.


@pytest.fixture(scope="module")
def engine():
    with_card = open_shipped("memory-s")
    assert with_card.card["input"]["holds"] == ["valence", "arousal", "confidence", "elapsed"]
    return load(with_card.path, "onnx", max_batch=8)


def walk(engine, pts, readings, key=1):
    """(n, 2): one track, read at `pts`; readings (n, 2) or (n, 3)."""
    readings = np.asarray(readings, np.float32)
    if readings.shape[1] == 2:
        readings = np.column_stack([readings, np.full(len(readings), 0.9, np.float32)])
    s = LstmSmoother(engine, forget_after=math.inf)
    rows = [s(float(t), [key], row[None])[0] for t, row in zip(pts, readings, strict=True)]
    return np.array([(affect.valence, affect.arousal) for affect in rows])


def clock(seconds, rate):
    return np.arange(int(seconds * rate)) / rate


def constant(pts, level):
    return np.full((len(pts), 2), level)


def trembling(pts, seed=0, size=0.15):
    """A slow wave and, around it, readings that tremble."""
    slow = np.column_stack([0.5 * np.sin(0.5 * pts), 0.4 * np.cos(0.3 * pts)])
    return slow, slow + np.random.default_rng(seed).normal(0, size, slow.shape)


def test_no_later_reading_changes_what_was_said(engine):
    pts = clock(20, 25)
    _, one = trembling(pts, seed=1)
    other = one.copy()
    other[250:] = -1
    assert np.array_equal(walk(engine, pts, one)[:250], walk(engine, pts, other)[:250])


def test_two_runs_say_the_same(engine):
    pts = clock(5, 25)
    _, noisy = trembling(pts)
    assert np.array_equal(walk(engine, pts, noisy), walk(engine, pts, noisy))


def test_whoever_else_is_in_view_changes_nothing(engine):
    """But for the last bit or two: a matrix product may add in another order for more rows."""
    pts = clock(4, 10)
    series = [trembling(pts, seed)[1] for seed in range(11)]  # more than a batch
    alone = np.stack([walk(engine, pts, one) for one in series], axis=1)
    crowd = LstmSmoother(engine)
    for i, t in enumerate(pts):
        keys = np.random.default_rng(i).permutation(len(series))
        rows = np.array([(*series[key][i], 0.9) for key in keys], np.float32)
        for key, affect in zip(keys, crowd(float(t), keys.tolist(), rows), strict=True):
            assert (affect.valence, affect.arousal) == pytest.approx(alone[i, key], abs=2e-6)


@pytest.mark.parametrize("reading", [(0.7, -0.9, 0.2), (-1, 1, 1), (0, 0, 0), (0.33, -0.4, 0.9)])
def test_a_first_reading_comes_back_as_it_is(engine, reading):
    (affect,) = LstmSmoother(engine)(5.0, [3], np.array([reading], np.float32))
    assert (affect.valence, affect.arousal) == pytest.approx(reading[:2], abs=1e-5)


@pytest.mark.parametrize("level", [-1.0, -0.5, 0.0, 0.3, 1.0])
@pytest.mark.parametrize("rate", [2, 5, 25, 60])
def test_a_constant_is_reached_from_anywhere(engine, level, rate):
    pts = clock(10, rate)
    readings = constant(pts, level)
    readings[0] = -1 if level > 0 else 1
    assert walk(engine, pts, readings)[-1] == pytest.approx((level, level), abs=0.02)


@pytest.mark.parametrize("rate", [5, 25, 60])
def test_a_constant_that_was_reached_is_kept(engine, rate):
    """However long the level before it lasted, and however long ago that was."""
    pts = clock(40, rate)
    readings = constant(pts, 0.6)
    readings[pts < 10] = -0.8
    said = walk(engine, pts, readings)[pts >= 15]
    assert said == pytest.approx(np.full_like(said, 0.6), abs=0.02)


@pytest.mark.parametrize("level", [-1.0, 0.42, 1.0])
def test_a_constant_from_the_start_never_moves(engine, level):
    pts = clock(60, 10)
    assert np.abs(walk(engine, pts, constant(pts, level)) - level).max() < 1e-5


def test_it_never_leaves_the_range_of_what_it_read(engine):
    rng = np.random.default_rng(3)
    pts = np.cumsum(np.exp(rng.normal(-2, 2, 500)))  # steps from 1 ms to a minute
    readings = rng.choice([-1.0, -0.2, 0.6, 1.0], (500, 2))
    confidence = rng.random((500, 1))
    said = walk(engine, pts, np.hstack([readings, confidence]))
    assert np.isfinite(said).all()
    assert np.abs(said).max() <= 1 + 1e-5
    readings = np.clip(readings, -0.2, 0.6)
    said = walk(engine, pts, np.hstack([readings, confidence]))
    assert -0.2 - 1e-5 <= said.min() <= said.max() <= 0.6 + 1e-5


def test_after_a_long_gap_it_believes_the_reading_again(engine):
    pts = np.append(clock(4, 25), 20.0)
    readings = constant(pts, -0.8)
    readings[-1] = 0.8
    assert walk(engine, pts, readings)[-1] == pytest.approx((0.8, 0.8), abs=0.05)


def test_equal_times_are_allowed(engine):
    said = walk(engine, [0.0, 0.1, 0.1, 0.2], [(0, 0), (0.5, 0.5), (-0.5, 0.5), (0.5, 0.5)])
    assert np.isfinite(said).all()


@pytest.mark.parametrize(("rate", "left"), [(5, 0.6), (10, 0.5), (25, 0.5), (60, 0.5)])
def test_trembling_is_reduced_and_the_wave_is_kept(engine, rate, left):
    """left: share of the steps from reading to reading; few readings a second allow less."""
    pts = clock(30, rate)
    slow, noisy = trembling(pts, seed=4)
    said = walk(engine, pts, noisy)
    assert np.std(said - slow) < 0.75 * np.std(noisy - slow)
    assert np.std(np.diff(said, axis=0)) < left * np.std(np.diff(noisy, axis=0))


def test_a_step_takes_about_as_long_at_every_rate(engine):
    """Time is seconds: the half-way point of a step lies within a fraction of a second."""
    arrivals = []
    for rate in (5, 10, 25, 60):
        pts = clock(8, rate)
        readings = constant(pts, -0.5)
        readings[pts >= 4] = 0.5
        above = walk(engine, pts, readings)[:, 0] >= 0
        assert above.any()
        arrivals.append(pts[above.argmax()] - 4)
    assert max(arrivals) < 0.6
    assert max(arrivals) - min(arrivals) < 0.4


def test_one_wild_reading_is_hardly_believed(engine):
    pts = clock(8, 25)
    readings = constant(pts, 0.2)
    readings[100] = (-1.0, -1.0)
    assert walk(engine, pts, readings).min() > -0.35
