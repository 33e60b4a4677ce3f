import cv2
import numpy as np
import pytest

from tracker.sources import SourceError, open_source

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
        np.full((8, 8, 4), 128, np.uint8),
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
