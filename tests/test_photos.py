import os
import struct
import zlib
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from PIL import Image, features

from tracker.sources import SourceError, open_source
from tracker.sources.head import size_of
from tracker.sources.photos import read_photo

RED = np.zeros((20, 30, 3), np.uint8)
RED[:] = (0, 0, 255)  # BGR, as OpenCV writes it


def test_a_photo_is_a_film_of_one_frame_in_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), RED)
    (frame,) = open_source(tmp_path / "red.png")
    assert (frame.index, frame.pts) == (0, 0.0)
    assert frame.image.shape == (20, 30, 3)
    assert frame.image[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    "image",
    [
        np.full((8, 8), 128, np.uint8),
        np.dstack([np.full((8, 8, 3), 128, np.uint8), np.full((8, 8), 255, np.uint8)]),
        np.full((8, 8, 3), 128 * 257, np.uint16),
    ],
    ids=["grey", "alpha", "16 bit"],
)
def test_other_depths_and_channels_come_out_as_8_bit_rgb(tmp_path, image):
    cv2.imwrite(str(tmp_path / "a.png"), image)
    (frame,) = open_source(tmp_path / "a.png")
    assert frame.image.dtype == np.uint8
    assert frame.image.shape == (8, 8, 3)
    np.testing.assert_allclose(frame.image, 128, atol=1)


def test_a_folder_is_read_in_order_with_names_relative_to_it(tmp_path):
    (tmp_path / "angry").mkdir()
    for name in ("b.png", "a.jpg", "angry/c.png"):
        cv2.imwrite(str(tmp_path / name), RED)
    (tmp_path / "labels.csv").write_text("file,label\n")
    assert [f.source for f in open_source(tmp_path)] == ["a.jpg", "angry/c.png", "b.png"]


def test_a_jpeg_by_its_other_name_is_a_photo(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), RED)
    (tmp_path / "a.jpg").rename(tmp_path / "a.jfif")
    source = open_source(tmp_path)
    assert [f.source for f in source] == ["a.jfif"]
    assert source.report.about[0]["kind"] == "photo"


def test_what_is_hidden_in_a_folder_is_left_out(tmp_path):
    (tmp_path / ".thumbnails").mkdir()
    for name in ("a.png", ".hidden.png", ".thumbnails/b.png"):
        cv2.imwrite(str(tmp_path / name), RED)
    (tmp_path / "._a.jpg").write_bytes(b"what a Mac keeps beside a.jpg")
    source = open_source(tmp_path)
    assert [f.source for f in source] == ["a.png"]
    assert source.report.errors == 0


def test_films_among_photos_are_left_out_with_a_note(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), RED)
    for name in ("a.mp4", "B.MOV"):
        (tmp_path / name).write_bytes(b"")
    source = open_source(tmp_path)
    assert [f.source for f in source] == ["a.png"]
    note = f"{tmp_path}: films in it are named one by one; left out: 2"
    assert (source.report.notes, source.report.errors) == ([note], 0)


def test_a_pipe_is_refused_in_words(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="standard input is not supported; name a file"):
        open_source(tmp_path / "pipe.mp4")


def test_a_broken_photo_is_noted_and_the_others_still_read(tmp_path):
    cv2.imwrite(str(tmp_path / "good.png"), RED)
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:40])
    (tmp_path / "empty.jpg").touch()
    source = open_source(tmp_path)
    assert [f.source for f in source] == ["good.png"]
    assert source.report.errors == 2
    assert sorted(note.split(":")[0] for note in source.report.notes) == ["bad.png", "empty.jpg"]


@pytest.mark.parametrize(
    "name, why",
    [
        ("nowhere.mp4", "no such file"),
        ("-", "standard input is not supported"),
        ("", "no such file"),
        ("http://here/a.mp4", "an address is given with --webcam"),
        (".", "no pictures in this folder"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=f"^{name.replace('.', '[.]')}: .*{why}"):
        open_source(name)


def turned(jpeg, orientation):
    """The JPEG with an EXIF orientation, written by hand: one big-endian TIFF entry."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    tiff = b"MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize("orientation, turns", [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_phones_rotation_is_applied(tmp_path, orientation, turns):
    image = np.zeros((40, 64, 3), np.uint8)
    image[:20, :32] = 255  # bright in the upper left
    _, data = cv2.imencode(".jpg", image)
    (tmp_path / "a.jpg").write_bytes(turned(data.tobytes(), orientation))
    (frame,) = open_source(tmp_path / "a.jpg")
    upright = np.rot90(image, turns)
    assert frame.image.shape == upright.shape
    assert np.abs(frame.image.astype(int) - upright).mean() < 8


HALF = np.zeros((40, 64), np.uint8)  # opaque in the upper left quarter only
HALF[:20, :32] = 255
GREEN = np.dstack([np.full((40, 64), v, np.uint8) for v in (10, 200, 30)])  # RGB
CLEAR = np.where(HALF[:, :, None] > 0, GREEN, 255)


def rgba(depth=8):
    alpha = np.dstack([GREEN, HALF])
    return alpha if depth == 8 else alpha.astype(np.uint16) * 257


@pytest.mark.parametrize("name, depth", [("a.png", 8), ("a.png", 16), ("a.webp", 8), ("a.tif", 8)])
def test_what_is_transparent_lies_on_white(tmp_path, name, depth):
    path = tmp_path / name
    if name.endswith("webp"):
        Image.fromarray(rgba()).save(path, lossless=True)
    else:
        cv2.imwrite(str(path), rgba(depth)[:, :, [2, 1, 0, 3]])
    (frame,) = open_source(path)
    np.testing.assert_allclose(frame.image, CLEAR, atol=1)


def test_half_transparent_is_half_white(tmp_path):
    alpha = np.dstack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 128, np.uint8)])
    cv2.imwrite(str(tmp_path / "a.png"), alpha)
    (frame,) = open_source(tmp_path / "a.png")
    assert np.unique(frame.image).tolist() == [127]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_a_transparent_picture_is_turned_as_an_opaque_one_is(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(rgba()).save(tmp_path / f"clear.{suffix}", exif=exif, lossless=True)
    Image.fromarray(CLEAR.astype(np.uint8)).save(
        tmp_path / f"opaque.{suffix}", exif=exif, lossless=True
    )
    clear, opaque = open_source(tmp_path)
    np.testing.assert_array_equal(clear.image, opaque.image)


@pytest.mark.skipif(not features.check("avif"), reason="needs a Pillow that writes AVIF")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("picture", [rgba(), CLEAR.astype(np.uint8)], ids=["clear", "opaque"])
def test_an_avif_which_keeps_no_exif_orientation_is_turned_as_others_are(
    tmp_path, orientation, picture
):
    for name in ("a.avif", "b.png"):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(picture).save(tmp_path / name, exif=exif)
    avif, png = open_source(tmp_path)
    assert avif.image.shape == png.image.shape
    assert np.abs(avif.image.astype(int) - png.image).mean() < 6


def test_colours_for_print_come_out_as_on_a_screen(tmp_path):
    Image.fromarray(GREEN).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(GREEN).convert("CMYK").save(tmp_path / "b.tif")
    for frame in open_source(tmp_path):
        np.testing.assert_allclose(frame.image, GREEN, atol=4)


def test_a_palette_becomes_its_colours(tmp_path):
    Image.fromarray(GREEN).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
    (frame,) = open_source(tmp_path)
    np.testing.assert_allclose(frame.image, GREEN, atol=2)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_of_an_animation_in_a_folder_the_first_picture_is_read_with_a_note(tmp_path, name):
    first, second = Image.fromarray(GREEN), Image.fromarray(255 - GREEN)
    lossless = {"lossless": True} if name.endswith("webp") else {}
    first.save(tmp_path / name, save_all=True, append_images=[second], duration=100, **lossless)
    source = open_source(tmp_path)
    (frame,) = source
    np.testing.assert_allclose(frame.image, GREEN, atol=6)
    assert source.report.notes == [f"{name}: 2 pictures in it; the first is read"]
    assert source.report.errors == 0


def test_an_animation_that_is_named_itself_is_a_film(tmp_path):
    first, second = Image.fromarray(GREEN), Image.fromarray(255 - GREEN)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second], duration=100)
    assert [frame.pts for frame in open_source(tmp_path / "a.gif")] == [0.0, 0.1]


@pytest.mark.parametrize("size", [(1, 1), (2, 20_000), (20_000, 30)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_very_small_and_very_long_pictures_are_read(tmp_path, size, suffix):
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), np.full((*size, 3), 77, np.uint8))
    (frame,) = open_source(tmp_path)
    assert frame.image.shape == (*size, 3)
    assert abs(int(frame.image.mean()) - 77) <= 1


WHOLE = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (160, 120))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif"])
def test_a_picture_that_is_cut_off_is_one_line_naming_it(tmp_path, capfd, suffix, share):
    whole = cv2.imencode(f".{suffix}", WHOLE)[1].tobytes()
    (tmp_path / f"cut.{suffix}").write_bytes(whole[: int(len(whole) * share)])
    cv2.imwrite(str(tmp_path / "good.png"), WHOLE)
    source = open_source(tmp_path)
    assert [frame.source for frame in source] == ["good.png"]
    (note,) = source.report.notes
    assert note.startswith(f"cut.{suffix}: not a readable picture")
    assert capfd.readouterr().err == ""


def test_a_damaged_png_is_one_line_naming_it(tmp_path, capfd):
    data = bytearray(cv2.imencode(".png", WHOLE)[1].tobytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png: not a readable picture: the file is damaged"):
        list(open_source(tmp_path / "a.png"))
    assert capfd.readouterr().err == ""


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path):
    """Ten thousand million pixels in a few bytes."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        png += (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )
    (tmp_path / "a.png").write_bytes(png)
    with pytest.raises(SourceError, match="100000 x 100000 px is too large"):
        list(open_source(tmp_path / "a.png"))


LARGE = 60_000  # px; one that OpenCV refuses in words of its own, and only where it is asked
KINDS = {  # how a file of the kind tells its size: width and height, or height and width
    "jpg": (">HH", (48, 40)),
    "tiff": ("<HHIIHHII", (256, 3, 1, 40, 257, 3, 1, 48)),
    "gif": ("<HH", (40, 48)),
    "bmp": ("<ii", (40, 48)),
    "jp2": (">II", (48, 40)),
    "avif": (">II", (40, 48)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_its_kind_a_picture_too_large_is_refused_by_its_head_alone(tmp_path, kind):
    ok, coded = cv2.imencode(f".{kind}", np.full((48, 40, 3), 90, np.uint8))
    assert ok
    data = coded.tobytes()
    assert size_of(data) == (40, 48)
    form, told = KINDS[kind]
    small = struct.pack(form, *told)
    assert small in data
    large = struct.pack(form, *(LARGE if n in (40, 48) else n for n in told))
    (tmp_path / f"a.{kind}").write_bytes(data.replace(small, large))
    with pytest.raises(SourceError, match=f"{LARGE} x {LARGE} px is too large"):
        read_photo(tmp_path / f"a.{kind}")


def test_a_head_that_is_cut_off_tells_no_size():
    for kind in KINDS:
        data = cv2.imencode(f".{kind}", np.full((48, 40, 3), 90, np.uint8))[1].tobytes()
        assert {size_of(data[:n]) for n in range(len(data))} <= {None, (40, 48)}


@contextmanager
def as_anybody():
    """Root may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="has no such folders")
def test_a_folder_that_cannot_be_read_is_said_and_counted_and_the_others_are_done(
    tmp_path, monkeypatch
):
    (tmp_path / "album" / "shut").mkdir(parents=True)
    for folder in ("album", "album/shut"):
        cv2.imwrite(str(tmp_path / folder / "a.png"), WHOLE)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album" / "shut").chmod(0)
    with as_anybody():
        source = open_source("album")
        assert [frame.source for frame in source] == ["a.png"]
        with pytest.raises(SourceError, match=r"album/shut: cannot be read \(Permission denied\)"):
            open_source("album/shut")
        with pytest.raises(SourceError, match=r"shut/a.png: cannot be read \(Permission denied\)"):
            open_source("album/shut/a.png")
    (tmp_path / "album" / "shut").chmod(0o755)
    assert source.report.notes == ["album/shut: cannot be read (Permission denied)"]
    assert source.report.errors == 1


def test_a_kind_that_is_not_supported_is_said_and_the_others_are_done(tmp_path):
    (tmp_path / "phone.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    cv2.imwrite(str(tmp_path / "good.png"), WHOLE)
    source = open_source(tmp_path)
    assert [frame.source for frame in source] == ["good.png"]
    (note,) = source.report.notes
    assert note.startswith("phone.heic: not a readable picture")
