"""The sound of films, on the clock of their frames."""

import struct
from itertools import pairwise

import numpy as np
import pytest

from conftest import SHARED, spoil_sound, write_film, write_film_with_sound
from tracker.sound import RATE, REACH, Pending, Piece, sample_at
from tracker.sources import Span, open_source

HARD = SHARED / "clips" / "hard"
EVENTS = [2.2, 3.0, 3.6]  # s
needs_clips = pytest.mark.skipif(
    not HARD.is_dir(), reason="needs the data folder shared/ beside the checkout"
)


def read(path):
    """The frames of a film and, beside each, the pieces of sound that it brought."""
    source = open_source(path)
    sound, steps = source.sound(), []
    for frame in source:
        if not steps:
            sound.begin(frame)
        steps.append((frame, sound.upto(frame.pts - REACH)))
    sound.close()
    return source, steps


def flashes(steps):
    return [frame.pts for frame, _ in steps if frame.image.mean() > 127]


def heard_clicks(steps):
    """s: where a click begins."""
    found = []
    for piece in (piece for _, pieces in steps for piece in pieces):
        for k in np.flatnonzero(np.abs(piece.samples) > 0.2):
            pts = (piece.first + k) / RATE
            if not found or pts - found[-1] > 0.1:
                found.append(pts)
    return found


@pytest.mark.parametrize("starts", [(0.0, 0.0), (0.84, 0.008), (0.0, 0.5), (2.0, 0.0)])
@pytest.mark.parametrize(
    "name, video, audio",
    [
        ("a.mp4", "libx264", "aac"),
        ("b.mp4", "libx264", "mp3"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.mkv", "libx264", "pcm_s16le"),
        ("b.mkv", "libx264", "libopus"),
        ("a.webm", "libvpx", "libopus"),
        ("a.ts", "libx264", "aac"),
    ],
)
def test_a_flash_and_a_click_of_one_moment_are_found_at_one_time(
    tmp_path, name, video, audio, starts
):
    path = write_film_with_sound(
        tmp_path / name, EVENTS, video=(video, starts[0]), audio=(audio, starts[1])
    )
    _, steps = read(path)
    seen, heard = flashes(steps), heard_clicks(steps)
    assert len(seen) == len(heard) == 3
    np.testing.assert_allclose(heard, seen, atol=0.003)  # 20 ms are asked for
    if not name.endswith(".ts"):  # a transport stream's clock has no zero of its own
        np.testing.assert_allclose(seen, EVENTS, atol=0.001)


def start_sound_of_avi(path, seconds):
    """Write the start into the header of the sound (dwStart of AVISTREAMHEADER), in blocks."""
    data = bytearray(path.read_bytes())
    header = data.find(b"auds")
    scale, rate = struct.unpack_from("<II", data, header + 20)
    struct.pack_into("<I", data, header + 28, round(seconds * rate / scale))
    path.write_bytes(data)


@pytest.mark.parametrize("start", [0.0, 0.5, 2.0])
def test_sound_that_starts_late_in_an_avi_is_heard_in_time_if_its_header_says_so(tmp_path, start):
    path = write_film_with_sound(
        tmp_path / "a.avi", EVENTS, video=("mjpeg", 0.0), audio=("pcm_s16le", start)
    )
    start_sound_of_avi(path, start)  # FFmpeg leaves it at 0
    _, steps = read(path)
    assert flashes(steps) == pytest.approx(EVENTS, abs=0.001)
    assert heard_clicks(steps) == pytest.approx(EVENTS, abs=0.003)


def test_sound_comes_once_in_order_and_never_before_its_frame(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", EVENTS)
    _, steps = read(path)
    end = 0
    for frame, pieces in steps:
        for piece in pieces:
            assert piece.first == end
            end = piece.first + len(piece.samples)
        assert end <= frame.pts * RATE
    assert end == sample_at(steps[-1][0].pts - REACH)


def test_a_hole_in_the_sound_stays_a_hole_and_what_follows_keeps_its_time(tmp_path):
    path = write_film_with_sound(
        tmp_path / "a.mkv", EVENTS, audio=("pcm_s16le", 0.0), silent=(0.5, 1.8)
    )
    _, steps = read(path)
    assert np.allclose(heard_clicks(steps), EVENTS, atol=0.001)
    pieces = [piece for _, found in steps for piece in found]
    holes = [
        (a.first + len(a.samples), b.first)
        for a, b in pairwise(pieces)
        if b.first > a.first + len(a.samples)
    ]
    ((begin, end),) = holes
    assert begin / RATE == pytest.approx(0.5, abs=0.03)  # packets are 21 ms long
    assert end / RATE == pytest.approx(1.8, abs=0.03)


@pytest.mark.parametrize(
    "rate, layout, codec",
    [(8_000, "mono", "pcm_s16le"), (48_000, "5.1", "aac"), (22_050, "stereo", "pcm_f32le")],
)
def test_any_rate_and_number_of_channels_is_heard_at_its_own_loudness(
    tmp_path, rate, layout, codec
):
    path = write_film_with_sound(
        tmp_path / "a.mkv", EVENTS, audio=(codec, 0.0), rate=rate, layout=layout
    )
    _, steps = read(path)
    assert np.allclose(heard_clicks(steps), EVENTS, atol=0.003)
    loudest = max(np.abs(p.samples).max() for _, pieces in steps for p in pieces)
    assert 0.5 < loudest < 1


def test_a_film_begun_in_its_middle_has_the_sound_of_that_time(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", [30.0, 39.0], seconds=40.0)
    source = open_source(path, Span(start=35.0))
    sound = source.sound()
    steps = []
    for frame in source:
        if not steps:
            sound.begin(frame)
        steps.append((frame, sound.upto(frame.pts)))
    sound.close()
    assert heard_clicks(steps) == pytest.approx([30.0, 39.0], abs=0.001)  # ten seconds before, too
    assert steps[0][1][0].first > 20 * RATE


def test_a_film_played_again_is_heard_again(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", EVENTS)
    source = open_source(path)
    sound, frames = source.sound(), list(source)
    for _ in range(2):
        sound.begin(frames[0])
        pieces = [(frame, sound.upto(frame.pts)) for frame in frames]
        assert heard_clicks(pieces) == pytest.approx(EVENTS, abs=0.001)
    sound.close()


def test_a_film_without_a_sound_track_says_so_once_and_gives_its_frames(tmp_path):
    path = write_film(tmp_path / "mute.mp4", [0.0, 0.04, 0.08])
    source, steps = read(path)
    assert [pieces for _, pieces in steps] == [[], [], []]
    assert source.report.notes == [f"{path}: no sound track; the audio columns stay empty"]
    assert (source.report.errors, source.report.sound_errors) == (0, 0)
    assert source.report.about[0]["audio_codec"] is None


def test_the_sidecar_knows_where_the_sound_starts(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mov", EVENTS, audio=("pcm_s16le", 0.5))
    about = open_source(path).report.about[0]
    assert about["audio_start"] == pytest.approx(0.5)
    assert (about["audio_codec"], about["audio_rate"], about["audio_channels"]) == (
        "pcm_s16le",
        48_000,
        2,
    )


def test_a_sound_track_with_nothing_in_it_is_told_from_a_missing_one(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mkv", [], audio=("pcm_s16le", 0.0), silent=(-1, 9))
    source, steps = read(path)
    assert len(steps) == 100
    said = f"{path}: no sound in its sound track; the audio columns stay empty"
    assert source.report.notes == [said]


def test_damage_in_the_middle_of_the_sound_leaves_what_comes_after_it(tmp_path):
    path = write_film_with_sound(tmp_path / "a.mp4", EVENTS)
    spoil_sound(path, 1.0, 1.5)
    source, steps = read(path)
    assert len(steps) == 100
    assert heard_clicks(steps)[-3:] == pytest.approx(EVENTS, abs=0.001)
    assert source.report.errors == 0
    assert source.report.sound_errors > 0
    (note,) = source.report.notes
    assert "its sound is damaged at" in note


@needs_clips
def test_a_real_film_with_damaged_sound_gives_all_its_frames():
    source, steps = read(HARD / "failing_audio.mp4")
    assert len(steps) == 280
    assert len(source.report.notes) <= 1


@needs_clips
def test_the_first_of_two_sound_tracks_is_heard():
    source, steps = read(HARD / "nasa_13013.mp4")
    assert sum(len(p.samples) for _, pieces in steps for p in pieces) > 12 * RATE
    (note,) = source.report.notes
    assert "2 video streams" in note


def test_pieces_wait_until_their_time_has_come():
    waiting = Pending()
    waiting.add([Piece(10, np.arange(5, dtype=np.float32)), Piece(20, np.zeros(2, np.float32))])
    (first,) = waiting.upto(12)
    assert (first.first, first.samples.tolist()) == (10, [0, 1])
    second, third = waiting.upto(21)
    assert (second.first, second.samples.tolist()) == (12, [2, 3, 4])
    assert (third.first, len(third.samples)) == (20, 1)
    assert [piece.first for piece in waiting.upto(100)] == [21]
