"""What is read of sound: level, voice and arousal, causal, by the frames' clock."""

import csv
import json
import math

import numpy as np
import pytest

import tracker
from conftest import spoil_sound, write_film, write_film_with_sound
from tracker.audio import EVERY, LATE, AudioReader, level_of, steadied
from tracker.cli import main
from tracker.mel import FLOOR, LogMel, MelShape, filterbank
from tracker.models import SHIPPED
from tracker.sound import RATE, Piece, sample_at
from tracker.sources.microphone import PushedSound
from tracker.values import Frame

BLANK = np.zeros((4, 4, 3), np.uint8)
DARK = np.zeros((48, 64, 3), np.uint8)
SHAPE = MelShape(rate=RATE, window=400, hop=160, bands=64, frames=298)
NETWORKS = ["sound-s", "speech-s"]


def frame_at(pts, arrived=0.0):
    return Frame(0, pts, arrived, BLANK)


class Spec:
    def __init__(self, name):
        self.name = name


class MeanOfTheWindow:
    """An engine: arousal is a hundredth of the mean log-mel, voice is certain."""

    outputs = (Spec("arousal"), Spec("voice"))

    def __init__(self):
        self.closed = False
        self.calls = 0

    def infer(self, mel):
        self.calls += 1
        return mel.mean((1, 2))[:, None] / 100, np.ones((len(mel), 1), np.float32)

    def close(self):
        self.closed = True


class Given:
    """Sound that is all there, from sample 0, but for a hole between two times in s."""

    def __init__(self, samples, hole=(0, 0)):
        self.samples, self.given, self.closed = samples, 0, False
        self.hole = [sample_at(pts) for pts in hole]

    def begin(self, frame):
        self.given = max(0, sample_at(frame.pts) - 10 * RATE)

    def upto(self, pts):
        end = min(len(self.samples), sample_at(pts))
        if end <= self.given:
            return []
        parts = (self.given, min(end, self.hole[0])), (max(self.given, self.hole[1]), end)
        self.given = end
        return [Piece(a, self.samples[a:b]) for a, b in parts if a < b]

    def close(self):
        self.closed = True


def noise(seconds, level=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def readings(samples, times, engine=None, hole=(0, 0), **options):
    reader = AudioReader(engine or MeanOfTheWindow(), LogMel(SHAPE), **options)
    reader.listen(Given(samples, hole))
    return [reader(frame_at(pts)) for pts in times]


def frames_of(seconds, rate=25):
    return [i / rate for i in range(round(seconds * rate))]


def test_log_mel_frames_are_those_of_librosa():
    """librosa 0.11.0: melspectrogram(n_fft=512, win_length=400, hop_length=160, n_mels=64,
    center=False) of this signal after 56 zeros, for it centres the window; power_to_db."""
    t = np.arange(8000) / RATE
    sweep = 0.4 * np.sin(2 * np.pi * (200 * t + 1500 * t * t))
    buzz = 0.05 * np.sign(np.sin(2 * np.pi * 90 * t))
    mel = LogMel(MelShape(RATE, 400, 160, 64, 30))((sweep + buzz).astype(np.float32))
    assert mel.shape == (64, 48)
    for (band, frame), theirs in {
        (5, 0): 12.179657,
        (20, 20): -14.703180,
        (40, 40): -33.156975,
        (63, 45): -38.680023,
    }.items():
        assert mel[band, frame] == pytest.approx(theirs, abs=1e-3)


def test_the_filterbank_is_that_of_librosa():
    bank = filterbank(RATE, 512, 64)
    assert bank.max() == pytest.approx(0.021113267, abs=1e-8)
    areas = bank.sum(1) * RATE / 512
    np.testing.assert_allclose(areas[20:], 1, atol=0.15)  # the low ones are narrower than a bin


def test_silence_is_the_floor_and_a_window_has_as_many_frames_as_its_shape_says():
    mel = LogMel(SHAPE)(np.zeros(SHAPE.samples, np.float32))
    assert mel.shape == (64, 298)
    np.testing.assert_allclose(mel, FLOOR, atol=1e-4)


@pytest.mark.parametrize("amplitude, level", [(1.0, -3.01), (0.1, -23.01), (0.0, -100.0)])
def test_the_level_of_a_sine_is_its_power_against_full_scale(amplitude, level):
    sine = amplitude * np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)
    assert level_of(sine.astype(np.float32)) == pytest.approx(level, abs=0.01)


def test_nothing_heard_is_no_reading_and_not_silence():
    assert level_of(np.full(10, np.nan, np.float32)) is None
    reader = AudioReader(MeanOfTheWindow(), LogMel(SHAPE))
    assert reader(frame_at(0.0)) is None  # no sound was given
    assert readings(noise(0), [0.0, 1.0]) == [None, None]


def test_the_level_belongs_to_the_frame_and_the_rest_to_the_grid():
    samples = np.concatenate([noise(2.0, 0.001), noise(2.0, 0.5)])
    found = dict(zip(frames_of(4), readings(samples, frames_of(4)), strict=True))
    assert found[2.0].level == pytest.approx(-60, abs=1)
    assert found[2.16].level == pytest.approx(-6, abs=1)
    assert 2.16 - 0.003 < found[2.16].pts <= 2.16
    held = {found[pts].arousal_raw for pts in (3.0, 3.04, 3.2)}
    assert len(held) == 1  # between two looks
    assert found[3.24].arousal_raw != found[3.28].arousal_raw


def test_arousal_waits_until_its_window_was_heard():
    found = readings(noise(6), [1.0, 2.0, 2.8, 3.25, 5.0])
    assert [reading.arousal is None for reading in found] == [True, True, True, False, False]
    assert all(reading.voice == 1 for reading in found)


def test_a_network_that_needs_a_voice_says_nothing_without_one():
    class Mute(MeanOfTheWindow):
        def infer(self, mel):
            arousal, voice = super().infer(mel)
            return arousal, 0 * voice

    (reading,) = readings(noise(6), [5.0], Mute(), needs_voice=0.5)
    assert (reading.voice, reading.arousal, reading.arousal_raw) == (0, None, None)
    (reading,) = readings(noise(6), [5.0], Mute())
    assert reading.arousal_raw is not None


@pytest.mark.parametrize("hole", [(0, 0), (5.1, 5.4), (6.2, 8.9)])
def test_readings_do_not_depend_on_which_frames_were_taken(hole):
    samples = noise(12) * np.linspace(0.01, 1, 12 * RATE, dtype=np.float32)
    every = dict(zip(frames_of(12), readings(samples, frames_of(12), hole=hole), strict=True))
    for sparse in ([0.0, 4.0, 11.0], [7.0, 9.0], [5.2, 5.6], [11.0]):
        assert readings(samples, sparse, hole=hole)[-1] == every[sparse[-1]]


def test_a_hole_in_the_sound_is_empty_after_half_a_second_and_then_fills_again():
    found = dict(
        zip(frames_of(12), readings(noise(12), frames_of(12), hole=(6.0, 8.0)), strict=True)
    )
    assert found[6.4].pts == pytest.approx(6.0)
    assert [found[pts] for pts in (6.6, 7.0, 7.96)] == [None, None, None]
    assert found[8.6].voice == 1
    assert found[8.6].arousal_raw is None  # of its three seconds one and a half are missing
    assert found[11.6].arousal_raw is not None


def test_a_network_is_asked_four_times_a_second_whatever_the_frame_rate():
    engine = MeanOfTheWindow()
    readings(noise(10), frames_of(10, rate=60), engine)
    assert engine.calls == pytest.approx(10 / EVERY, abs=1)


def test_the_smooth_value_is_a_mean_that_forgets():
    assert steadied(np.array([0.0]), np.array([0.4])) == pytest.approx(0.4)
    assert steadied(np.array([1.5, 0.0]), np.array([1.0, 0.0])) == pytest.approx(1 / (1 + np.e))


def test_sound_that_ends_before_the_film_leaves_later_frames_empty():
    found = readings(noise(4), [3.9, 4.1, 4.0 + LATE + 0.1, 6.0])
    assert [reading is None for reading in found] == [False, False, True, True]
    assert found[1].pts == pytest.approx(4.0)


def test_a_step_back_in_time_begins_the_sound_anew():
    samples = noise(8) * np.linspace(0.01, 1, 8 * RATE, dtype=np.float32)
    reader = AudioReader(MeanOfTheWindow(), LogMel(SHAPE))
    reader.listen(Given(samples))
    first = [reader(frame_at(pts)) for pts in frames_of(8)]
    reader.begin()
    assert [reader(frame_at(pts)) for pts in frames_of(8)] == first


def test_leaving_closes_the_sound_and_the_engine():
    engine, sound = MeanOfTheWindow(), Given(noise(1))
    reader = AudioReader(engine, LogMel(SHAPE))
    reader.listen(sound)
    reader.close()
    assert sound.closed
    assert engine.closed


def test_pushed_sound_of_any_rate_is_read_like_the_same_sound_at_hand():
    sine = 0.3 * np.sin(np.arange(6 * 48_000) * 2 * np.pi * 500 / 48_000)
    sound = PushedSound(48_000)
    reader = AudioReader(MeanOfTheWindow(), LogMel(SHAPE))
    reader.listen(sound)
    found = []
    for i in range(6 * 25):  # 40 ms of sound arrive before their frame
        sound.push(sine[i * 1920 : (i + 1) * 1920].astype(np.float32), i / 25)
        found.append(reader(frame_at((i + 1) / 25)))
    assert found[-1].level == pytest.approx(20 * np.log10(0.3) - 3.01, abs=0.05)
    again = 0.3 * np.sin(np.arange(6 * RATE) * 2 * np.pi * 500 / RATE).astype(np.float32)
    (at_hand,) = readings(again, [6.0])
    assert found[-1].arousal_raw == pytest.approx(at_hand.arousal_raw, abs=0.02)


def test_sound_that_comes_a_little_late_is_waited_for_and_still_read():
    late = 3  # frames
    samples = noise(6)
    sound = PushedSound(RATE)
    reader = AudioReader(MeanOfTheWindow(), LogMel(SHAPE))
    reader.listen(sound)
    found = []
    for i in range(6 * 25):
        if i >= late:
            block = slice((i - late) * 640, (i - late + 1) * 640)
            sound.push(samples[block], (i - late) / 25)
        found.append(reader(frame_at(i / 25)))
    behind = [i / 25 - reading.pts for i, reading in enumerate(found) if reading is not None]
    assert max(behind) < (late + 1) / 25
    (at_hand,) = readings(samples, [5.5])
    assert found[-1].arousal_raw == pytest.approx(at_hand.arousal_raw, abs=0.02)


SILENCE = np.zeros(4, np.float32)


@pytest.mark.parametrize(
    "samples, pts, why",
    [
        (np.zeros((4, 2)), 0.0, r"float64 \(4, 2\)"),
        ([0.0, 0.0], 0.0, "sound is a list"),
        (SILENCE, math.nan, "pts is nan"),
        (SILENCE + np.float32(math.nan), 0.0, "no numbers"),
    ],
)
def test_what_is_no_mono_sound_is_refused_when_it_is_pushed(samples, pts, why):
    with pytest.raises(ValueError, match=why):
        PushedSound(RATE).push(samples, pts)


@pytest.mark.parametrize("rate", [0, -1, math.nan, 22050.5])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="expected whole samples a second"):
        PushedSound(rate)


def test_sound_in_a_buffer_that_is_used_again_is_what_it_was_when_it_was_pushed():
    """As a callback of PortAudio has it: its array is valid during the call only."""
    sound, both = PushedSound(RATE), np.zeros((RATE, 2), np.float32)
    both[:, 0] = noise(1)
    sound.push(both[:, 0], 0.0)
    heard = both[:, 0].copy()
    both[:] = 0.0
    reader = AudioReader(MeanOfTheWindow(), LogMel(SHAPE))
    reader.listen(sound)
    level = reader(frame_at(1.0)).level
    assert level == pytest.approx(20 * np.log10(np.std(heard[-RATE // 8 :])), abs=0.1)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_later_sound_changes_an_earlier_reading(name):
    """With the committed networks, over every frame before the sounds part."""
    past, parting = noise(6, 0.05), 6.0
    futures = [np.concatenate([past, noise(3, level, seed=9)]) for level in (0.0, 0.9)]
    found = []
    for samples in futures:
        with tracker.build(tracker.Options(sound=name, scene=None)) as reader:
            reader.listen(Given(samples))
            found.append([reader.push(DARK, pts).audio for pts in frames_of(9, rate=5)])
    before = sum(pts <= parting for pts in frames_of(9, rate=5))
    assert found[0][:before] == found[1][:before]
    assert found[0] != found[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_committed_networks_know_silence_from_sound(name):
    with tracker.build(tracker.Options(sound=name, scene=None)) as reader:
        reader.listen(Given(np.zeros(6 * RATE, np.float32)))
        silent = reader.push(DARK, 5.0).audio
    assert silent.level == -100
    assert silent.voice < 0.2


def test_the_default_network_is_free_and_the_other_is_marked(caplog):
    from tracker.models import open_card

    free, bound = (open_card(SHIPPED / f"{name}.json") for name in NETWORKS)
    assert (free.licence, free.card["non_commercial"]) == ("Apache-2.0", False)
    assert bound.licence.startswith("CC BY-NC-SA 4.0")
    assert bound.card["non_commercial"] is True
    assert all(
        "RAVDESS" not in d["name"] or d["used_for"] == "scores only" for d in free.card["data"]
    )
    tracker.build(tracker.Options(sound="speech-s", scene=None)).close()
    assert "speech-s is not for commercial use" in caplog.text


def test_a_network_for_something_else_is_refused_by_name():
    from tracker.models import ModelError

    with pytest.raises(ModelError, match=r"face-s\.onnx: its role is 'face', expected 'audio'"):
        tracker.build(tracker.Options(sound="face-s", scene=None))


def test_a_film_with_sound_has_its_columns_filled(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", [2.2, 3.0], seconds=4.0)
    options = tracker.Options(sound="sound-s", scene=None)
    found = {round(r.pts, 2): r.audio for r in tracker.watch(path, options)}
    assert found[2.16].level < -55
    assert found[2.24].level > -35  # a click of 2 ms within 125 ms
    assert found[3.96].arousal is not None
    assert all(pts - 0.1 < reading.pts <= pts for pts, reading in found.items() if reading)


def test_films_that_part_later_have_the_same_readings_before(tmp_path):
    """The real reading path: two files, one container, one sample rate other than ours."""
    films = [
        write_film_with_sound(
            tmp_path / f"{i}.mkv", events, audio=("pcm_s16le", 0.0), seconds=6.0, rate=44_100
        )
        for i, events in enumerate([[1.0, 4.2], [1.0, 5.0, 5.4]])
    ]
    options = tracker.Options(sound="sound-s", scene=None)
    one, other = ([(r.pts, r.audio) for r in tracker.watch(film, options)] for film in films)
    parted = [a[0] for a, b in zip(one, other, strict=True) if a[1] != b[1]]
    assert parted[0] == pytest.approx(4.24)


def table_of(path, *words):
    out = path.with_suffix(".csv")
    code = main([str(path), "--csv", str(out), "--scene", "none", *words])
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    return code, rows, json.loads(out.with_suffix(".meta.json").read_text("utf-8"))


AUDIO = [f"audio_{name}" for name in ("timestamp", "level", "voice", "arousal", "arousal_raw")]


def test_the_command_reads_sound_only_when_asked(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", [2.2], seconds=3.6)
    code, rows, about = table_of(path)
    assert code == 0
    assert not set(AUDIO) & set(rows[0])
    code, rows, about = table_of(path, "--sound")
    assert (code, list(rows[0])[-5:]) == (0, AUDIO)
    assert {row["audio_arousal"] == "" for row in rows[:70]} == {True}
    assert float(rows[80]["audio_level"]) < -50
    (model,) = (model for model in about["models"] if model["role"] == "audio")
    assert (model["name"], model["licence"]) == ("sound-s", "Apache-2.0")
    assert about["inputs"][0]["audio_codec"] == "aac"
    assert about["options"]["sound"] == "sound-s"


def test_without_a_table_the_summary_has_a_line_of_the_sound(tmp_path, capsys):
    path = write_film_with_sound(tmp_path / "a.mp4", [2.2], seconds=4.0)
    assert main([str(path), "--sound", "--scene", "none"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "sound: " in line)
    assert line.startswith("sound: somebody speaks in 0% of the frames, arousal -")


def test_a_mute_film_has_empty_columns_one_line_and_a_note_in_the_sidecar(tmp_path, capsys):
    path = write_film(tmp_path / "mute.mp4", [0.0, 0.04, 0.08])
    code, rows, about = table_of(path, "--sound")
    assert (code, len(rows)) == (0, 3)
    assert {row[name] for row in rows for name in AUDIO} == {""}
    said = f"{path}: no sound track; the audio columns stay empty"
    assert capsys.readouterr().err == f"emotrack: {said}\n"
    assert about["run"]["notes"] == [said]


def test_damaged_sound_is_three_and_counted_apart_from_the_pictures(tmp_path, capsys):
    path = write_film_with_sound(tmp_path / "a.mp4", [2.2], seconds=3.0)
    spoil_sound(path, 1.0, 1.5)
    code, rows, about = table_of(path, "--sound")
    assert (code, len(rows)) == (3, 75)
    assert about["run"]["errors"] == 0
    assert about["run"]["sound_errors"] > 0
    assert capsys.readouterr().err.count("its sound is damaged at") == 1
    assert table_of(path)[0] == 0  # nobody asked for it


def test_photos_have_empty_columns_and_one_line(tmp_path, capsys):
    import cv2

    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((40, 40, 3), np.uint8))
    code, rows, _ = table_of(path, "--sound")
    assert code == 0
    assert rows[0]["audio_level"] == ""
    assert capsys.readouterr().err.count("photos have no sound") == 1


def test_a_film_played_live_is_heard_too(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", [1.0], seconds=1.6)
    code, rows, _ = table_of(path, "--live", "--sound")
    assert code == 0
    loud = [float(row["timestamp"]) for row in rows if float(row["audio_level"] or -99) > -35]
    assert loud
    assert 1.0 < loud[0] < 1.2
