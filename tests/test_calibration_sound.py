"""Teaching the sound networks: material, windows, a training that resumes, and the scores."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.sound import evaluate, loudness, made, train  # noqa: E402
from calibration.sound.batches import RECENT, Drawing, Loudness  # noqa: E402
from calibration.sound.evaluate import Score, _area  # noqa: E402
from calibration.sound.looks import look  # noqa: E402
from calibration.sound.loudness import Excerpts, Line, fitted, foretold  # noqa: E402
from calibration.sound.material import MEL, Acted, Clip, voiced  # noqa: E402
from calibration.sound.network import SoundNetwork  # noqa: E402
from calibration.sound.ship import Sound  # noqa: E402
from calibration.sound.targets import PLACES, arousal_of  # noqa: E402
from tracker.audio import AudioReader  # noqa: E402
from tracker.mel import LogMel  # noqa: E402
from tracker.models import SHIPPED, load_card  # noqa: E402
from tracker.sound import RATE  # noqa: E402
from tracker.sources.microphone import PushedSound  # noqa: E402
from tracker.values import Frame  # noqa: E402


def clip(frames, level, *, spoken, arousal=float("nan"), act=(0, "", "")):
    mel = np.full((frames, MEL.bands), level, np.float16)
    return Clip(mel, np.full(frames, spoken), arousal, act)


VOICES = [clip(150, -20, spoken=True, arousal=0.5), clip(90, -25, spoken=True, arousal=0.5)]
OTHERS = [clip(1200, -40, spoken=False)]


def tone(seconds, level=0.3):
    return (level * np.sin(np.arange(round(seconds * RATE)) * 0.3)).astype(np.float32)


# --- material ---


@pytest.mark.parametrize("maker", [made.noise, made.music])
def test_made_sounds_repeat_with_their_generator_and_keep_their_peak(maker):
    for seed in range(6):  # all kinds of noise
        one, again = (maker(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, again)
        assert len(one) == made.SECONDS * RATE
        assert np.abs(one).max() == pytest.approx(0.5, abs=1e-3)
        assert np.isfinite(one).all()


def test_made_speech_is_speech_for_its_labels():
    pytest.importorskip("espeakng_loader")
    from calibration.sound.espeak import Espeak, nonsense

    sentence = nonsense(np.random.default_rng(1))
    assert sentence.isascii()
    espeak = Espeak()
    low = espeak.say("bakoto lemi", "de+m3", 150, 20, 50)
    slow = espeak.say("bakoto lemi", "de+m3", 110, 20, 50)
    assert 0.5 * RATE < len(low) < len(slow)
    assert voiced(low).mean() > 0.6
    with pytest.raises(ValueError, match="xx\\+m3"):
        espeak.say("ba", "xx+m3", 150, 20, 50)


def test_a_voice_is_where_the_energy_is_and_short_pauses_belong_to_it():
    still = np.zeros(RATE // 2, np.float32)
    pause = np.zeros(RATE // 10, np.float32)
    sound = np.concatenate([still, tone(0.5), pause, tone(0.5), still, tone(0.2), still])
    there = voiced(sound)
    begins = np.flatnonzero(np.diff(there.astype(int)) == 1) / 100
    ends = np.flatnonzero(np.diff(there.astype(int)) == -1) / 100
    assert begins == pytest.approx([0.5, 2.1], abs=0.04)
    assert ends == pytest.approx([1.6, 2.3], abs=0.04)


def test_a_strong_emotion_is_more_aroused_but_strong_calm_is_calmer():
    for emotion in set(PLACES) - {"neutral", "calm"}:
        assert arousal_of(emotion, "strong") > PLACES[emotion] > arousal_of(emotion, "normal")
    assert (
        arousal_of("calm", "strong")
        < arousal_of("calm", "normal")
        < arousal_of("neutral", "normal")
    )
    assert all(-1 < arousal_of(e, "strong") < 1 for e in PLACES)


# --- windows ---


def test_a_window_holds_a_voice_at_its_end_where_its_label_says_so():
    rng = np.random.default_rng(3)
    drawing = Drawing(VOICES, OTHERS, Loudness(0, 0))
    drawn = [drawing._speech(rng) for _ in range(100)]
    assert {spoken for _, spoken, _ in drawn} == {0.0, 1.0}
    for power, spoken, _ in drawn:
        assert ((power[-RECENT:] > 1e-3).mean() >= 0.5) == bool(spoken)


def test_a_batch_is_decibels_of_whole_windows_and_half_of_it_is_spoken():
    batch = Drawing(VOICES, OTHERS, Loudness(0, 0)).draw(np.random.default_rng(3), 200)
    assert batch.mel.shape == (200, MEL.bands, MEL.frames)
    assert batch.mel.dtype == torch.float32
    assert -101 < batch.mel.min() < batch.mel.max() < 40
    assert 0.3 < batch.voice.mean() < 0.7


def test_arousal_is_known_only_where_enough_was_spoken():
    rng = np.random.default_rng(4)
    batch = Drawing(VOICES, OTHERS, Loudness(0, 0)).draw(rng, 200)
    known = torch.isfinite(batch.arousal)
    assert (batch.arousal[known] == 0.5).all()
    assert 0 < known.sum() < 200
    brief = [clip(20, -20, spoken=True, arousal=0.5)]
    gaps = Drawing(brief, OTHERS, Loudness(0, 0)).draw(rng, 200)
    assert torch.isfinite(gaps.arousal).sum() < known.sum()


def test_only_utterances_of_one_act_follow_each_other():
    calm = clip(60, -20, spoken=True, arousal=-0.5, act=(1, "calm", "normal"))
    angry = clip(60, 0, spoken=True, arousal=0.7, act=(1, "angry", "strong"))
    drawing = Drawing([calm, angry], [clip(1200, -95, spoken=False)], Loudness(0, 0))
    power, _, arousal = drawing._speech(np.random.default_rng(2))
    levels = set(np.round(10 * np.log10(power[power > 1e-6]), 0).tolist())
    assert levels == {-20.0} if arousal < 0 else levels == {0.0}


# --- training ---


def test_a_training_that_was_stopped_ends_like_one_that_was_not(tmp_path):
    recipe = replace(train.ACTED, epochs=3, batches=2, windows=16)
    whole = train.train(VOICES, OTHERS, recipe, tmp_path / "whole")

    class Stopped(Exception):
        pass

    class Breaking(train.Run):
        def save(self, row):
            super().save(row)
            if self.epoch == 2:
                raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "Run", Breaking)
        with pytest.raises(Stopped):
            train.train(VOICES, OTHERS, recipe, tmp_path / "parts")
    parts = train.train(VOICES, OTHERS, recipe, tmp_path / "parts")
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_arousal_of_sound_s_is_the_loudness_of_what_sounds():
    line = Line(slope=0.03, offset=1.0)
    graph = Sound(SoundNetwork().eval(), line)
    mel = torch.full((1, MEL.bands, MEL.frames), -40.0)
    steady, voice = graph(mel)
    assert steady.shape == voice.shape == (1, 1)
    assert steady.item() == pytest.approx(-0.2)
    mel[:, :, :150] = -100  # half of it is silent
    assert graph(mel)[0].item() == pytest.approx(-0.2)
    silent = torch.full_like(mel, -100.0)
    assert graph(silent)[0].item() == -1
    silent[:, :, 200:204] = -10  # a knock
    assert graph(silent)[0].item() < -0.9


# --- scores ---


def test_the_windows_of_the_scores_are_those_of_the_tracker():
    class Ends:
        """Arousal: a hundredth of the mean; voice: of the newest quarter second's."""

        def __init__(self):
            self.outputs = [Named("arousal"), Named("voice")]
            self.inputs, self.max_batch = [Named("mel")], 8

        def infer(self, mel):
            return mel.mean((1, 2))[:, None] / 100, mel[:, :, -25:].mean((1, 2))[:, None] / 100

        def close(self):
            pass

    class Named:
        def __init__(self, name):
            self.name, self.shape = name, (MEL.bands, MEL.frames)

    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(6 * RATE) * np.linspace(0.1, 1, 6 * RATE)
    samples = samples.astype(np.float32)
    seen = look(Ends(), samples)
    assert seen.pts[-1] == 6.0
    sound = PushedSound(RATE)
    reader = AudioReader(Ends(), LogMel(MEL))
    reader.listen(sound)
    sound.push(samples, 0.0)
    for pts in (4.0, 5.25, 6.0):
        reading = reader(Frame(0, pts, 0.0, np.zeros((1, 1, 3), np.uint8)))
        k = round(pts / 0.25) - 1
        assert reading.arousal_raw == pytest.approx(seen.arousal[k], abs=0.003)  # 2 ms apart
        assert reading.voice == pytest.approx(seen.voice[k], abs=0.01)


def test_the_area_under_the_curve_counts_ties_as_half():
    truth = np.array([True, True, False, False])
    assert _area(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 1
    assert _area(np.array([0.1, 0.2, 0.8, 0.9]), truth) == 0
    assert _area(np.array([0.5, 0.5, 0.5, 0.5]), truth) == 0.5
    assert _area(np.array([0.9, 0.4, 0.4, 0.1]), truth) == 0.875


def test_pairs_differ_in_intensity_only_and_calm_is_left_out(tmp_path):
    def spoken(emotion, intensity, take="a"):
        file = Acted(tmp_path / "x.opus", 17, emotion, intensity, take)
        return evaluate.Utterance(file, tone(1))

    acted = [spoken("angry", "strong"), spoken("angry", "normal"), spoken("angry", "normal", "b")]
    acted += [spoken("angry", "strong", "b"), spoken("calm", "strong"), spoken("calm", "normal")]
    right = evaluate._strong_over_normal(acted, np.array([0.5, 0.1, 0.4, 0.3, 0.9, 0.1]))
    assert right.tolist() == [True, False]


def test_the_line_is_least_squares_and_each_film_is_foretold_by_the_others():
    level = np.linspace(-50, -10, 40)
    music = Excerpts(level, 0.02 * level + 0.5, np.repeat([f"film {i}" for i in range(20)], 2))
    line = fitted(music)
    assert (line.slope, line.offset) == pytest.approx((0.02, 0.5))
    np.testing.assert_allclose(foretold(music), music.arousal, atol=1e-9)
    lying = replace(music, arousal=np.where(music.film == "film 3", 1.0, music.arousal))
    own = music.film == "film 3"
    np.testing.assert_allclose(foretold(lying)[own], music.arousal[own], atol=1e-9)


def test_the_shipped_line_is_the_one_that_the_ratings_give(shared):
    said = load_card(SHIPPED / "sound-s.json")["arousal"]
    line = loudness.shipped(shared)
    assert (said["slope"], said["offset"]) == pytest.approx((line.slope, line.offset), abs=1e-3)


def test_film_music_is_foretold_as_well_as_the_card_says(shared):
    card = load_card(SHIPPED / "sound-s.json")
    said = {s["metric"]: s["value"] for s in card["scores"] if "film music" in s["set"]}
    found = {score.metric: score.value for score in evaluate.film_scores(shared)}
    assert said == pytest.approx(found, abs=1e-3)


def test_a_score_stands_beside_the_constant_answer():
    said, truth = np.array([0.0, 0.2, 0.4]), np.array([0.1, 0.2, 0.3])
    rows = evaluate._agreement("arousal", said, truth, "somewhere")
    assert [row.constant for row in rows] == [0, 0, pytest.approx(truth.std())]
    assert rows[2] == Score(
        "arousal, RMSE", pytest.approx(0.0816, abs=1e-3), rows[2].constant, "somewhere", 3
    )
