"""Teaching the memory: readers, noise, filters, and a training that survives an interruption."""

import gzip
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.memory import filters, ship, traces  # noqa: E402
from calibration.memory import train as teaching  # noqa: E402
from calibration.memory.batches import draw_batch  # noqa: E402
from calibration.memory.evaluate import Row, Score, Trial, lag_of, make_trial, score  # noqa: E402
from calibration.memory.measure import lasts, trembling  # noqa: E402
from calibration.memory.network import Memory  # noqa: E402
from calibration.memory.noise import Noise, disturb, draw_times  # noqa: E402
from calibration.memory.train import Recipe, agreement_of, loss_of, train  # noqa: E402
from tracker.models import open_card  # noqa: E402

STILL = Noise(  # next to nothing happens
    rate=(10, 10.001),
    uneven=0,
    gap_every=(1e9, 2e9),
    white=(1e-9, 2e-9),
    jitter=(1e-9, 2e-9),
    drift=(1e-9, 2e-9),
    talk_every=(1e9, 2e9),
    blur_every=(1e9, 2e9),
    outlier=(1e-12, 2e-12),
    switch_every=(1e9, 2e9),
)


def wave(held_out=False, seconds=40):
    pts = np.arange(seconds, dtype=np.float64)
    values = np.column_stack([np.sin(pts / 3), np.cos(pts / 5)]).astype(np.float32)
    return traces.Trace("wave", pts, values, held_out)


# --- readers ---


def test_forrest_gump_fills_silent_seconds_with_zeros_and_splits_by_scene(tmp_path):
    (tmp_path / "scenes.csv").write_text("start_s,place\n0,A\n100,B\n200,C\n300,D\n", "utf-8")
    with gzip.open(tmp_path / "agreement_1s_av_by_character.csv.gz", "wt") as file:
        file.write("character,t_s,arousal,valence,fear\n")
        file.write("jenny,10,0.5,-0.25,0\njenny,22,1,0.75,0\n")  # scene 1
        file.write("jenny,305,0.1,0.2,0\njenny,330,0.1,0.2,0\n")  # scene 4: held out
        file.write("dan,10,0.5,0.5,0\ndan,12,0.5,0.5,0\n")  # too short
    first, second = traces.read_forrest_gump(tmp_path)
    assert (first.name, first.held_out, second.name, second.held_out) == (
        "jenny/1",
        False,
        "jenny/4",
        True,
    )
    assert first.pts.tolist() == list(range(13))
    assert first.values[[0, 5, 12]].tolist() == [[-0.25, 0.5], [0, 0], [0.75, 1]]


def test_news_valence_leaves_out_the_beginning_and_knows_no_arousal(tmp_path):
    lines = [f"4,{t / 2},{9 if t >= 10 else 5}" for t in range(40)]
    text = "video,t_s,valence\n" + "\n".join(lines) + "\n"
    (tmp_path / "valence_0.5s.csv").write_text(text, "utf-8")
    (clip,) = traces.read_news_valence(tmp_path)
    assert clip.held_out
    assert clip.pts[:3].tolist() == [0, 0.5, 1]
    assert set(clip.values[:, 0].tolist()) == {1.0}
    assert np.isnan(clip.values[:, 1]).all()


def test_ceap_is_one_trace_per_viewer_and_video_and_never_for_training(tmp_path):
    n = 60
    np.savez(
        tmp_path / "annotations.npz",
        participant=np.repeat([1, 2], n),
        video=np.full(2 * n, 3),
        t_s=np.tile(np.arange(n) / 4, 2),
        valence=np.repeat([1.0, 9.0], n),
        arousal=np.full(2 * n, 5.0),
    )
    first, second = traces.read_ceap_360vr(tmp_path)
    assert first.name == "1/3"
    assert first.values[0].tolist() == [-1, 0]
    assert second.values[-1].tolist() == [1, 0]
    assert first.held_out
    assert second.held_out


def test_liris_is_for_evaluation_only(tmp_path):
    t = np.arange(30.0)
    np.savez(tmp_path / "Film.npz", t_s=t, valence_mean=t / 60, arousal_mean=-t / 60)
    (film,) = traces.read_liris_continuous(tmp_path)
    assert film.held_out
    assert film.values[-1].tolist() == pytest.approx([29 / 60, -29 / 60])
    assert "liris_continuous" not in traces.MAY_TRAIN
    assert "ceap_360vr" not in traces.MAY_TRAIN


def test_no_held_out_trace_is_trained_on(shared):
    train_names = {trace.name for trace in traces.training_traces(shared)}
    held_out = traces.held_out_traces(shared)
    assert len(train_names) > 300
    for name in traces.MAY_TRAIN:
        assert held_out[name]
        assert not train_names & {trace.name for trace in held_out[name]}
    assert {name: len(found) for name, found in held_out.items()}["liris_continuous"] == 20


# --- noise ---


def test_without_noise_readings_are_the_truth():
    pts = draw_times(np.random.default_rng(0), STILL, 2, 50)
    truth = np.full((2, 50, 2), 0.25, np.float32)
    x = disturb(truth, pts, np.random.default_rng(1), STILL).x
    assert np.allclose(x[..., :2], truth, atol=1e-6)
    assert np.allclose(x[:, 1:, 3], 0.1, atol=1e-4)
    assert (x[:, 0, 3] == 0).all()


def test_the_same_seed_makes_the_same_noise_and_stays_in_range():
    one, two = (
        draw_batch(np.random.default_rng(4), [wave()], Noise(), 16, 200).x for _ in range(2)
    )
    assert torch.equal(one, two)
    assert one[..., :2].abs().max() <= 1
    assert 0 <= one[..., 2].min() <= one[..., 2].max() <= 1
    assert one[..., 3].min() >= 0


def test_confidence_falls_when_the_picture_is_bad():
    blurry = Noise(blur_every=(0.5, 1), blur_size=(0.4, 0.5), confidence_mute=0)
    pts = draw_times(np.random.default_rng(0), blurry, 64, 400, rate=25)
    readings = disturb(
        np.full((64, 400, 2), 0.5, np.float32), pts, np.random.default_rng(1), blurry
    )
    error = np.abs(readings.x[..., 0] - 0.5)
    sure = readings.x[..., 2] > np.median(readings.x[..., 2], axis=1, keepdims=True)
    assert error[~sure].mean() > 1.2 * error[sure].mean()


# --- filters, against hand values ---


def series(*valences, elapsed=1.0, confidence=1.0):
    rows = [(v, -v, confidence, elapsed if i else 0.0) for i, v in enumerate(valences)]
    return np.array([rows], np.float32)


def test_the_exponential_average_moves_by_its_time_constant():
    out = filters.exponential(series(0.0, 1.0, 1.0), tau=1.0)
    assert out[0, :, 0].tolist() == pytest.approx([0, 1 - math.exp(-1), 1 - math.exp(-2)])
    assert out[0, :, 1].tolist() == pytest.approx((-out[0, :, 0]).tolist())


def test_one_euro_opens_with_the_speed():
    at_rest = 1 / (1 + 1 / (2 * math.pi))  # 1 Hz, steps of 1 s
    out = filters.one_euro(series(0.0, 1.0), lowest=1.0, beta=0.0)
    assert out[0, 1, 0] == pytest.approx(at_rest)
    cutoff = 1 + 2 * at_rest  # the speed is smoothed by the same share of the way
    out = filters.one_euro(series(0.0, 1.0), lowest=1.0, beta=2.0)
    assert out[0, 1, 0] == pytest.approx(1 / (1 + 1 / (2 * math.pi * cutoff)))


def test_kalman_weighs_the_walk_against_the_reading():
    out = filters.kalman(series(0.0, 1.0, 1.0), noise=1.0)
    # variance 1, a step adds 1: gain 2/3, left 2/3; then 5/3 over 8/3
    assert out[0, :, 0].tolist() == pytest.approx([0, 2 / 3, 2 / 3 + 5 / 8 * 1 / 3])
    doubted = filters.kalman(series(0.0, 1.0, confidence=0.5), noise=1.0, trust=1.0)
    assert doubted[0, 1, 0] == pytest.approx(3 / 5)  # variances 2: 3 over 5


# --- scoring ---


def test_lag_is_found_to_a_few_hundredths_of_a_second():
    pts = np.tile(np.arange(0, 30, 0.04), (1, 1))
    truth = np.stack([np.sin(2 * pts), np.cos(1.7 * pts)], axis=2).astype(np.float32)
    late = np.stack([np.sin(2 * (pts - 0.3)), np.cos(1.7 * (pts - 0.3))], axis=2)
    trial = Trial(pts, np.zeros((1, pts.shape[1], 4), np.float32), truth)
    # an answer holds until the next: half a step later on average
    assert lag_of(trial, late.astype(np.float32)) == pytest.approx(0.32, abs=0.02)
    assert score(trial, truth).ccc == pytest.approx(1)


def test_an_axis_that_nobody_rated_does_not_count():
    half = wave()
    half.values[:, 1] = np.nan
    trial = make_trial([half], 5.0, 1.0, STILL, seed=0)
    assert score(trial, trial.x[..., :2]).rmse < 1e-5
    truth = torch.from_numpy(trial.truth)
    said = torch.from_numpy(trial.x[..., :2].copy())
    assert agreement_of(said, truth).item() == pytest.approx(1, abs=1e-4)
    assert torch.isfinite(loss_of(said, torch.ones_like(said), truth))


def test_the_training_sees_a_late_answer_as_late():
    t = torch.arange(0, 20, 0.05)
    truth = torch.sin(t)[None, :, None].expand(1, -1, 2)
    late = torch.sin(t - 0.2)[None, :, None].expand(1, -1, 2)
    lag = teaching.lag_of(late, truth, torch.full((1, len(t)), 0.05))
    assert lag.item() == pytest.approx(0.2, abs=0.03)


def test_white_noise_is_told_from_movement():
    t = np.arange(0, 20, 0.04)
    noisy = np.sin(t) + np.random.default_rng(0).normal(0, 0.05, len(t))
    white, _, kept = trembling(noisy, 0.04)
    assert white == pytest.approx(0.05, rel=0.15)
    assert kept < 0.3
    assert lasts(np.sin(t), 0.04) == pytest.approx(1.2, abs=0.1)  # cos(1.2) is about 1/e


# --- network and training ---


def test_one_step_at_a_time_says_the_same_as_the_whole_series():
    torch.manual_seed(0)
    network = Memory(8).eval()
    torch.nn.init.normal_(network.head.weight)
    x = draw_batch(np.random.default_rng(2), [wave()], Noise(), 5, 120).x
    with torch.no_grad():
        affect, spread, _ = network.follow(x, network.new_state(5))
        h, c = network.new_state(5)
        for t in range(x.shape[1]):
            said, doubt, h, c = network(x[:, t], h, c)
            assert torch.allclose(said, affect[:, t], atol=1e-6)
            assert torch.allclose(doubt, spread[:, t], atol=1e-6)
    assert (spread > 0).all()


TINY = Recipe(units=8, epochs=4, batches=3, series=8, chunk=48, chunks=2, learning_rate=1e-2)


def test_a_short_training_learns(tmp_path):
    _, run = train([wave()], TINY, tmp_path)
    assert run.rows[-1]["loss"] < run.rows[0]["loss"]
    assert (tmp_path / "log.csv").read_text("utf-8").count("\n") == 1 + TINY.epochs


def test_an_interrupted_training_ends_as_a_whole_one(tmp_path, monkeypatch):
    whole, _ = train([wave()], TINY, tmp_path / "whole")
    drawn = 0

    def pull_the_plug(*given):
        nonlocal drawn
        drawn += 1
        if drawn == 8:  # in the middle of the third epoch
            raise KeyboardInterrupt
        return draw_batch(*given)

    monkeypatch.setattr("calibration.memory.train.draw_batch", pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        train([wave()], TINY, tmp_path / "cut")
    monkeypatch.undo()
    resumed, run = train([wave()], TINY, tmp_path / "cut")
    assert len(run.rows) == TINY.epochs
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # torch's exporter
def test_the_shipped_file_says_what_torch_says_and_has_a_card(tmp_path, monkeypatch):
    monkeypatch.setattr(ship, "training_traces", lambda shared: [wave()])
    row = Row("made", 1.0, 5.0, "LSTM", "", 1, Score(0.9, 0.1, float("nan")))
    others = [replace(row, method=name, score=Score(0.5, 0.2, 0.3)) for name in ("raw", "Kalman")]
    monkeypatch.setattr(ship, "table", lambda *given: [row, *others])
    path = tmp_path / "tiny.onnx"
    torch.manual_seed(0)
    network = Memory(8).eval()
    torch.nn.init.normal_(network.head.weight)
    said = ship.ship(network, tmp_path, path, [{"epoch": 0.0, "loss": 1.0, "ccc": 0.1}])
    assert said.startswith("tiny.onnx: ")
    card = open_card(path.with_suffix(".json")).card
    assert card["input"]["holds"] == ["valence", "arousal", "confidence", "elapsed"]
    (found,) = card["scores"]
    assert found["value"] == 0.9
    assert found["compared"]["memory"]["lag"] is None
    assert found["compared"]["Kalman"]["lag"] == 0.3
    assert str(ship.__file__).encode() not in path.read_bytes()  # nobody's folders are shipped
