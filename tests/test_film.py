from fractions import Fraction

import av
import numpy as np
import pytest

from conftest import SHARED, manifest, stamp_of, write_film, write_film_with_sound
from tracker.sources import SourceError, Span, open_source

CLIPS = SHARED / "clips"
MANIFEST = manifest()
JUMPY = [0.0, 0.04, 0.3, 0.31, 1.2, 1.21, 1.25, 3.0, 3.9, 4.0]  # s, nothing like a rate


def frames(path, **span):
    return list(open_source(path, Span(**span)))


@pytest.mark.parametrize(
    "name, codec", [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")]
)
def test_a_variable_rate_film_keeps_the_time_that_is_stamped_on_each_frame(tmp_path, name, codec):
    path = write_film(tmp_path / name, JUMPY, codec=codec)
    found = frames(path)
    assert [stamp_of(f.image) for f in found] == list(range(10))
    exact = 5e-4 if name != "a.mp4" else 1e-6  # Matroska counts milliseconds
    np.testing.assert_allclose([f.pts for f in found], JUMPY, atol=exact)
    assert [f.index for f in found] == list(range(10))


def test_a_film_that_starts_late_keeps_its_start(tmp_path):
    path = write_film(tmp_path / "late.mkv", [0.0, 0.04, 0.08], start=0.852)
    np.testing.assert_allclose([f.pts for f in frames(path)], [0.852, 0.892, 0.932], atol=5e-4)


@pytest.mark.skipif(not MANIFEST, reason="needs the data folder shared/ beside the checkout")
@pytest.mark.parametrize("row", MANIFEST, ids=lambda row: row["file"])
def test_every_clip_has_the_frames_times_and_size_of_the_manifest(row):
    name = str(CLIPS / row["file"])
    if row["decoded_frames"] == "0":
        with pytest.raises(SourceError, match=row["file"].split("/")[-1]):
            list(open_source(name))
        return
    source = open_source(name)
    count, first, last, shape = 0, None, None, None
    for frame in source:
        count += 1
        first = frame.pts if first is None else first
        last, shape = frame.pts, shape or frame.image.shape
    assert count == int(row["decoded_frames"]) == source.report.frames
    assert shape == (int(row["height"]), int(row["width"]), 3)
    if row["first_pts_s"]:
        assert (f"{first:.6f}", f"{last:.6f}") == (row["first_pts_s"], row["last_pts_s"])
    else:
        assert any("carry no time" in note for note in source.report.notes)
        assert source.report.about[0]["assumed_rate"] == 25


@pytest.mark.parametrize("turned", ["90", "180", "270"])
def test_rotated_films_come_out_upright(shared, turned):
    straight = frames(shared / "clips/hard/rotation_0.mov")[0].image.astype(int)
    found = frames(shared / f"clips/hard/rotation_{turned}.mov")[0].image.astype(int)
    assert found.shape == (straight.shape if turned == "180" else (568, 320, 3))
    reference = np.rot90(straight, {"90": -1, "180": 2, "270": 1}[turned])
    assert np.abs(found - reference).mean() < 60  # each file is a film of its own, same scene


def test_a_turned_film_is_described_as_it_is_seen(shared):
    source = open_source(shared / "clips/hard/rotation_90.mov")
    image = next(iter(source)).image
    about = source.report.about[0]
    assert (about["width"], about["height"]) == (image.shape[1], image.shape[0]) == (320, 568)


@pytest.mark.parametrize(
    "aspect, shown",
    [
        (Fraction(64, 45), (48, 91, 3)),
        (Fraction(8, 9), (48, 57, 3)),
        (Fraction(100, 101), (48, 64, 3)),  # rounding, not a wide picture
        (Fraction(1, 100), (48, 64, 3)),  # nonsense
    ],
)
def test_a_film_with_pixels_that_are_not_square_is_seen_as_it_is_shown(tmp_path, aspect, shown):
    stored = np.repeat(np.linspace(0, 255, 64)[None, :, None], 48, 0).repeat(3, 2).astype(np.uint8)
    path = write_film(
        tmp_path / "a.mp4", [0.0, 0.04], picture=lambda i: stored, pixel_aspect=aspect
    )
    source = open_source(path)
    image = next(iter(source)).image
    assert image.shape == shown
    about = source.report.about[0]
    assert (about["height"], about["width"]) == shown[:2]
    assert about["pixel_aspect"] == pytest.approx(float(aspect) if shown[1] != 64 else 1)
    left, right = image[:, : shown[1] // 2].mean(), image[:, shown[1] // 2 :].mean()
    assert (left, right) == pytest.approx((63, 192), abs=4)  # all of it, from left to right


def test_a_broadcast_whose_pixels_change_their_shape_is_seen_as_it_is_shown(tmp_path):
    parts = [
        write_film(
            tmp_path / f"{i}.ts", [k / 25 for k in range(25)], start=float(i), pixel_aspect=aspect
        )
        for i, aspect in enumerate((Fraction(16, 15), Fraction(64, 45)))
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = open_source(path)
    shapes = {(frame.pts >= 1.0, frame.image.shape) for frame in source}
    assert shapes == {(False, (48, 68, 3)), (True, (48, 91, 3))}
    assert source.report.about[0]["pixel_aspect"] == pytest.approx(16 / 15)
    note = "from 1.000 s on its pictures are 91 x 48 px"
    assert any(note in line for line in source.report.notes)
    later = [frame.image.shape for frame in open_source(path, Span(start=1.2))]
    assert set(later) == {(48, 91, 3)}


@pytest.mark.parametrize(
    "settings, doubt",
    [
        ({"transfer": "smpte2084"}, "its colours are HDR (PQ), read as if they were not"),
        ({"transfer": "arib-std-b67"}, "its colours are HDR (HLG), read as if they were not"),
        ({"tff": "1"}, "it is interlaced; moving edges are read with their combs"),
        ({"colormatrix": "YCgCo"}, "its colours are of a rare kind (matrix 8), read as ITU601"),
        ({"colormatrix": "bt2020c"}, "its colours are of a rare kind (matrix 10), read as BT2020"),
        ({"transfer": "bt709"}, None),
    ],
    ids=["PQ", "HLG", "interlaced", "YCgCo", "constant luminance", "ordinary"],
)
def test_a_film_that_is_not_read_as_it_is_meant_says_so(tmp_path, settings, doubt):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": ":".join(f"{k}={v}" for k, v in settings.items())}
        for _ in range(3):
            box.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        box.mux(stream.encode(None))
    source = open_source(path)
    assert [frame.image.shape for frame in source] == [(48, 64, 3)] * 3
    assert source.report.notes == ([f"{path}: {doubt}"] if doubt else [])


def test_a_time_that_steps_back_is_kept_and_said(tmp_path):
    once = write_film(tmp_path / "once.ts", [i / 25 for i in range(10)])
    (tmp_path / "twice.ts").write_bytes(once.read_bytes() * 2)
    source = open_source(tmp_path / "twice.ts")
    times = [frame.pts for frame in source]
    assert len(times) == 20
    assert times[10:] == times[:10] == sorted(times[:10])
    (note,) = source.report.notes
    assert "its time steps back, 1 time; the rows are in the order of the frames" in note


@pytest.mark.parametrize(
    "name, kind, codec",
    [
        ("hard/testsrc2_av1_10bit.mp4", "codec", "av1"),
        ("single_face.mp4", "audio_codec", "mp3"),
    ],
)
def test_a_codec_is_named_and_not_its_decoder(shared, name, kind, codec):
    assert open_source(shared / "clips" / name).report.about[0][kind] == codec


def test_start_and_end_are_seconds_of_the_films_own_clock(tmp_path):
    path = write_film(tmp_path / "a.mp4", [i / 25 for i in range(100)])
    found = frames(path, start=1.0, end=2.0)
    assert [stamp_of(f.image) for f in found] == list(range(25, 50))
    np.testing.assert_allclose([f.pts for f in found], [i / 25 for i in range(25, 50)], atol=1e-6)


@pytest.mark.parametrize(
    "name, codec",
    [
        ("a.mkv", "libx264"),
        ("a.ts", "libx264"),
        ("a.flv", "libx264"),
        ("a.h264", "libx264"),
        ("a.mpg", "libx264"),
        ("a.webm", "libvpx"),
    ],
)
def test_a_part_has_the_frames_and_times_that_it_has_in_the_whole(tmp_path, name, codec):
    """Also where the container has no index to find it by."""
    path = write_film(tmp_path / name, [i / 25 for i in range(120)], codec=codec)
    whole = [(f.pts, stamp_of(f.image)) for f in frames(path)]
    assert len(whole) == 120
    for start, end in ((0.5, 1.0), (2.6, 9.0), (4.0, 4.2), (whole[-1][0], 9.0)):
        source = open_source(path, Span(start, end))
        found = [(f.pts, stamp_of(f.image)) for f in source]
        assert found == [row for row in whole if start <= row[0] + 1e-6 and row[0] < end - 1e-6]
        assert source.report.errors == 0


def test_every_samples_stream_time_not_frames(tmp_path):
    path = write_film(tmp_path / "a.mp4", JUMPY)
    assert [stamp_of(f.image) for f in frames(path, every=1.0)] == [0, 4, 7, 9]
    assert [f.index for f in frames(path, every=1.0)] == [0, 4, 7, 9]


def test_every_goes_on_where_time_steps_back(tmp_path):
    once = write_film(tmp_path / "once.ts", [i / 25 for i in range(50)])
    (tmp_path / "twice.ts").write_bytes(once.read_bytes() * 2)
    found = [stamp_of(f.image) for f in frames(tmp_path / "twice.ts", every=0.4)]
    assert found == [0, 10, 20, 30, 40] * 2


def test_every_may_be_far_less_than_a_frame(tmp_path):
    path = write_film(tmp_path / "a.mp4", [0.0, 0.04, 10_000.0])
    assert len(frames(path, every=1e-6)) == 3


def test_who_leaves_early_has_the_damage_and_the_assumed_times_on_record(shared):
    source = open_source(shared / "clips/hard/raw_lost_slices.264")
    reading = iter(source)
    for _ in range(5):
        next(reading)
    reading.close()
    assert source.report.about[0]["assumed_rate"] == 25
    times, damage = source.report.notes[-2:]
    assert "frames carry no time; their timestamps assume 25 frames/s" in times + damage
    assert "damaged packets or frames" in times + damage


def test_a_span_without_frames_is_said(tmp_path):
    path = write_film(tmp_path / "a.mp4", [0.0, 0.04])
    with pytest.raises(SourceError, match="no frame between 10 s and its end"):
        frames(path, start=10.0)


def test_a_film_cut_off_half_way_gives_its_frames_and_says_where_it_ends(shared):
    source = open_source(shared / "clips/hard/truncated.mkv")
    assert len(list(source)) == 40
    assert source.report.errors == 1
    assert "announces 2.933 s, its last frame is at 1.433 s" in source.report.notes[0]


def test_a_picture_that_is_held_is_no_missing_end(tmp_path):
    with av.open(str(tmp_path / "slide.mkv"), "w") as box:
        stream = box.add_stream("libx264", rate=Fraction(1, 30))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        box.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        box.mux(stream.encode(None))
    source = open_source(tmp_path / "slide.mkv")
    assert len(list(source)) == 1
    assert (source.report.notes, source.report.errors) == ([], 0)


def test_b_frames_in_an_avi_do_not_go_back_in_time(tmp_path):
    path = write_film(tmp_path / "a.avi", [i / 25 for i in range(50)])
    source = open_source(path)
    found = list(source)
    assert [stamp_of(f.image) for f in found] == list(range(50))
    times = [f.pts for f in found]
    assert times == sorted(times)
    np.testing.assert_allclose(times, [0.04 + i / 25 for i in range(50)], atol=0.09)
    (note,) = source.report.notes
    assert "its container does not say when frames are shown" in note


def test_frames_before_a_place_that_cannot_be_read_are_not_lost(tmp_path):
    path = write_film(
        tmp_path / "a.apng", [i / 25 for i in range(30)], codec="apng", pixels="rgb24"
    )
    data = bytearray(path.read_bytes())
    data[data.rindex(b"fcTL") - 1] += 1  # the length of what the last picture begins with
    path.write_bytes(data)
    source = open_source(path)
    assert [stamp_of(f.image) for f in source] == list(range(29))
    assert source.report.errors > 0
    assert "reading stopped" in source.report.notes[0]


def test_what_decoding_threads_leave_behind_at_a_damaged_end_is_read(tmp_path):
    path = write_film(tmp_path / "a.mov", [i / 25 for i in range(60)], codec="png", pixels="rgb24")
    with av.open(str(path)) as box:
        spoilt = [packet.pos for packet in box.demux(video=0) if packet.size][-2]
    data = bytearray(path.read_bytes())
    data[spoilt : spoilt + 8] = bytes(8)
    path.write_bytes(data)
    source = open_source(path)
    assert [stamp_of(f.image) for f in source] == [*range(58), 59]
    assert source.report.errors == 1


def test_another_size_in_the_middle_is_said_once(tmp_path):
    times = [i / 25 for i in range(5)]
    small = write_film(tmp_path / "small.ts", times)
    large = write_film(tmp_path / "large.ts", times, size_wh=(128, 96), start=1.0)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    source = open_source(both)
    assert [f.image.shape for f in source] == [(48, 64, 3)] * 5 + [(96, 128, 3)] * 5
    (note,) = source.report.notes
    assert "s on its pictures are 128 x 96 px; boxes are in px of the picture" in note


def test_damaged_packets_are_counted_and_the_rest_is_read(shared):
    source = open_source(shared / "clips/hard/corrupted.mp4")
    assert len(list(source)) == 49
    assert source.report.errors == 2


@pytest.mark.parametrize(
    "name, why",
    [
        ("short-cenc.mp4", "encrypted"),
        ("audio_only.flv", "no video stream in it, only audio"),
        ("bipbop_nonfragment_header.mp4", "holds no frames"),
        ("empty.mp4", "not a readable film"),
    ],
)
def test_what_cannot_be_read_says_why(shared, name, why):
    with pytest.raises(SourceError, match=why):
        frames(shared / "clips/hard" / name)


def test_a_text_file_named_mp4_is_no_film(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("shopping list")
    with pytest.raises(SourceError, match=r"notes\.mp4: not a readable film"):
        frames(path)


def test_of_several_video_streams_the_main_one_is_read_and_that_is_said(tmp_path):
    main = av.stream.Disposition.default
    with av.open(str(tmp_path / "two.mkv"), "w") as box:
        streams = []
        for size_wh, disposition in (((64, 48), av.stream.Disposition(0)), ((128, 96), main)):
            stream = box.add_stream("libx264", rate=Fraction(25))
            stream.width, stream.height = size_wh
            stream.pix_fmt, stream.disposition = "yuv420p", disposition
            streams.append(stream)
        for stream in streams:
            frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
            box.mux([*stream.encode(frame), *stream.encode(None)])
    source = open_source(tmp_path / "two.mkv")
    assert [frame.image.shape for frame in source] == [(96, 128, 3)]
    (note,) = source.report.notes
    assert note.endswith("2 video streams in it; number 2 is read")


def test_a_text_is_not_drawn_as_a_terminal_would(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n" * 50)
    with pytest.raises(SourceError, match=r"notes\.txt: not a readable film \(it is a text\)"):
        frames(path)


@pytest.mark.parametrize("name", ["a:b.mkv", "file:a.mkv", "http:a.mkv", "concat:a.mkv", "%d.mkv"])
def test_a_name_is_a_name_and_no_address(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_film_with_sound(tmp_path / name, [0.4], seconds=1.0)
    source = open_source(name)
    (first, *_) = source
    sound = source.sound()
    sound.begin(first)
    assert sound.upto(0.5)
    assert source.report.notes == []


@pytest.mark.parametrize("seed", range(12))
def test_bit_flips_never_do_worse_than_an_error_of_ours(tmp_path, seed):
    path = write_film(tmp_path / "a.mkv", [i / 25 for i in range(50)])
    data = bytearray(path.read_bytes())
    chance = np.random.default_rng(seed)
    for place in chance.integers(0, len(data), 1 + seed * 5):
        data[place] ^= 1 << chance.integers(8)
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(data[: len(data) if seed % 2 else int(chance.integers(len(data)))])
    said, count = "", 0
    try:
        source = open_source(broken)
        count = len(list(source))
    except SourceError as wrong:
        said = str(wrong)
    if said:
        assert said.startswith(f"{broken}: ")
    else:
        assert 0 < count == source.report.frames <= 60
