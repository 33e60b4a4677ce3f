"""Teaching the memory: readers, noise, filters, and a training that survives an interruption."""

import gzip
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.memory import doubt, filters, ship, traces  # noqa: E402
from calibration.memory import train as teaching  # noqa: E402
from calibration.memory.batches import draw_batch  # noqa: E402
from calibration.memory.evaluate import Row, Score, lag_of, score  # noqa: E402
from calibration.memory.measure import as_text, blur_of, lasts, track_of, white_of  # noqa: E402
from calibration.memory.network import Memory  # noqa: E402
from calibration.memory.noise import Noise, disturb, draw_times  # noqa: E402
from calibration.memory.seen import BLURS, Sighting  # noqa: E402
from calibration.memory.train import (  # noqa: E402
    Recipe,
    agreement_of,
    loss_of,
    train,
)
from calibration.memory.trials import Trial, make_trial  # noqa: E402
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


def test_the_less_sure_a_series_is_the_more_it_trembles_and_both_axes_together():
    alike = replace(STILL, white=(0.02, 0.0201), together=(0.8, 0.8001), confidence_mute=0.0)
    pts = draw_times(np.random.default_rng(0), alike, 32, 400, rate=25)
    sure, unsure = (
        disturb(np.zeros((32, 400, 2), np.float32), pts, np.random.default_rng(1), noise).x
        for noise in (
            replace(alike, confidence=(0.95, 0.951)),
            replace(alike, confidence=(0.6, 0.601)),
        )
    )
    grows = np.exp(alike.doubtful * 0.35)
    assert unsure[..., 0].std() / sure[..., 0].std() == pytest.approx(grows, rel=0.05)
    assert np.corrcoef(sure[..., 0].ravel(), sure[..., 1].ravel())[0, 1] == pytest.approx(
        0.8, abs=0.05
    )


def test_a_blurred_face_is_read_as_something_of_its_own():
    blind = replace(
        STILL,
        blur_every=(1e-3, 2e-3),
        blur_lasts=(1e9, 2e9),
        blur_depth=(1, 1),
        blur_size=(1e-9, 2e-9),
    )
    pts = draw_times(np.random.default_rng(0), blind, 400, 20, rate=25)
    x = disturb(np.full((400, 20, 2), 0.9, np.float32), pts, np.random.default_rng(1), blind).x
    read = x[:, -1, 0]
    assert abs(read.mean()) < 0.03
    assert read.std() == pytest.approx(blind.blur_place, rel=0.1)


def test_expressions_that_come_and_go_are_among_the_series():
    still = traces.Trace("still", np.arange(40.0), np.zeros((40, 2), np.float32), False)
    batch = draw_batch(np.random.default_rng(0), [still], STILL, 400, 400)
    moves = (np.ptp(batch.truth.numpy(), axis=1).max(1) > 0.1).mean()
    assert 0.07 < moves < 0.16  # an eighth, but for those that had none yet


def test_beneath_half_of_the_series_lies_a_slower_movement(monkeypatch):
    pts = np.arange(400.0)
    saw = traces.Trace("saw", pts, np.stack([pts % 2] * 2, axis=1).astype(np.float32), False)

    def slow_ones():
        """Those whose mean over 10 s moves: at the raters' pace, a tooth is over in three."""
        batch = draw_batch(np.random.default_rng(0), [saw], STILL, 200, 400)
        means = batch.truth.unfold(1, 100, 1).mean(-1)
        return ((means.amax(1) - means.amin(1)).amax(1) > 0.15).float().mean()

    monkeypatch.setattr("calibration.memory.batches.BURSTS", 0)
    assert 0.15 < slow_ones() < 0.4  # about half of them are slow enough to be seen so
    monkeypatch.setattr("calibration.memory.batches.BENEATH", 0)
    assert slow_ones() == 0


# --- measuring ---


def seen(affect, score=None, blurred=None):
    n = len(affect)
    blank = np.full((len(BLURS), n), np.nan)
    blank[:, ::5] = 0.5
    return Sighting(
        "a.mp4",
        np.arange(n) / 25,
        np.full(n, 0.8) if score is None else score,
        affect,
        np.abs(np.sin(np.arange(n) / 90)),
        np.stack([affect] * len(BLURS)) if blurred is None else blurred,
        blank,
    )


def noisy(n=500, white=0.03, seed=0):
    t = np.arange(n) / 25
    slow = np.column_stack([np.sin(t / 3), np.cos(t / 3)]) * 0.2
    return slow + np.random.default_rng(seed).normal(0, white, (n, 2))


def test_a_track_tells_its_noise_gaps_and_outliers():
    one = seen(noisy())
    track = track_of(one)
    assert track.white == pytest.approx((0.03, 0.03), rel=0.15)
    assert track.quick == pytest.approx((0.03, 0.03), rel=0.15)
    assert track.gaps == ()
    assert track.outliers == 0
    assert abs(track.together) < 0.2
    wild = noisy()
    wild[100::100] = 0.9
    late = replace(seen(wild), pts=np.where(np.arange(500) < 250, 0, 0.5) + np.arange(500) / 25)
    track = track_of(late)
    assert track.outliers == pytest.approx(4 / 500)
    assert track.gaps == pytest.approx((0.5,))


def test_a_blur_that_shrinks_and_shifts_is_measured_as_such():
    affect = noisy(white=0.0)
    blurred = np.stack([affect * 0.25 + 0.1] * len(BLURS))
    blur = blur_of([seen(affect, blurred=blurred)], 0)
    assert blur.depth == pytest.approx((0.75, 0.75))
    assert blur.rough == pytest.approx((0, 0), abs=1e-9)
    assert (blur.found, blur.drop) == pytest.approx((1, 0.3))


def test_what_was_measured_is_printed_for_every_field_of_the_noise():
    low, high = seen(noisy(white=0.05), np.full(500, 0.6)), seen(noisy(seed=1), np.full(500, 0.9))
    gone = replace(high, pts=high.pts + (np.arange(500) > 400))
    tracks = [track_of(one) for one in (low, gone)]
    text = "\n".join(as_text(tracks, [blur_of([low, high], i) for i in range(len(BLURS))]))
    assert "1 losses in 41 s: median 1.00 s" in text
    assert "log of white per unit of confidence that is missing: 1." in text
    for name in ("gap_every", "confidence_lasts", "together", "jitter", "outlier", "talk_size"):
        assert f"\n{name}" in text


@pytest.mark.slow
def test_the_shipped_networks_are_measured_on_a_clip(shared):
    from calibration.memory.seen import sightings

    (one,) = sightings(shared / "clips" / "single_face.mp4")
    assert one.affect.shape == (72, 2)
    assert one.blurred.shape == (len(BLURS), 72, 2)
    assert np.isfinite(one.blurred_score[0]).sum() == 15  # every fifth frame
    assert track_of(one).confidence > 0.9


# --- doubt ---


def test_the_doubt_of_a_normal_error_holds_and_of_a_wrong_one_is_set_right():
    rng = np.random.default_rng(0)
    truth = np.zeros((50, 400, 2), np.float32)
    trial = Trial(np.tile(np.arange(400) / 25, (50, 1)), np.zeros((50, 400, 4), np.float32), truth)
    affect = rng.normal(0, 0.1, truth.shape).astype(np.float32)
    right = doubt.doubt_of(trial, affect, np.full_like(truth, 0.1))
    assert (right.one, right.two) == pytest.approx((0.683, 0.954), abs=0.01)

    def follow(x):
        return x[..., :2], np.full_like(x[..., :2], 0.02)

    half = replace(STILL, white=(0.05, 0.0501), confidence=(1, 1), confidence_mute=1.0)
    found = doubt.fitted(follow, [wave()], half)
    assert 1.5 < found < 4.5  # deviations of 0.025, 0.05 and 0.1 are taken for 0.02
    off = [abs(rng.normal(0, size)) / 0.02 for size in (0.025, 0.05, 0.1) for _ in range(4000)]
    assert found == pytest.approx(np.quantile(off, doubt.ONE), rel=0.1)


def test_a_level_of_noise_scales_its_sizes_and_nothing_else():
    double = doubt.scaled(Noise(), 2.0)
    assert double.jitter == tuple(2 * size for size in Noise().jitter)
    assert replace(double, **{name: getattr(Noise(), name) for name in doubt.SIZES}) == Noise()


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
    assert white_of(noisy) == pytest.approx(0.05, rel=0.15)
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


TINY = Recipe(units=8, epochs=10, batches=3, series=8, chunk=48, chunks=2, learning_rate=1e-2)


def test_a_short_training_learns(tmp_path):
    taught, _ = train([wave()], TINY, tmp_path)
    batch = draw_batch(np.random.default_rng(9), [wave()], TINY.noise, 64, 96)
    before, after = (
        loss_of(*network.follow(batch.x, network.new_state(64))[:2], batch.truth).item()
        for network in (Memory(TINY.units), taught)
    )
    assert after < before / 2
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
    unsure = doubt.Row("made", 1.0, 5.0, 1.0, doubt.Doubt(0.7, 0.9, 0.1))
    monkeypatch.setattr(ship.doubt, "table", lambda *given: [unsure])
    path = tmp_path / "tiny.onnx"
    torch.manual_seed(0)
    network = Memory(8).eval()
    torch.nn.init.normal_(network.head.weight)
    network.doubt.fill_(1.5)
    said = ship.ship(network, tmp_path, path, [{"epoch": 0.0, "loss": 1.0, "ccc": 0.1}])
    assert said.startswith("tiny.onnx: ")
    card = open_card(path.with_suffix(".json")).card
    assert card["input"]["holds"] == ["valence", "arousal", "confidence", "elapsed"]
    assert card["spread"]["multiplied_by"] == 1.5
    assert card["spread"]["within"]["all"] == [0.7, 0.9]
    (found,) = card["scores"]
    assert found["value"] == 0.9
    assert found["compared"]["memory"]["lag"] is None
    assert found["compared"]["Kalman"]["lag"] == 0.3
    assert str(ship.__file__).encode() not in path.read_bytes()  # nobody's folders are shipped
