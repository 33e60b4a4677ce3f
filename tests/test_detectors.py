"""One suite over every detector, then the arithmetic of ours.

The folder `shared` beside the checkout (or EMOTRACK_SHARED) brings clips and teacher boxes, and
EMOTRACK_MODELS the fetched files; what is absent is skipped by name.
"""

import csv
import gzip
import os
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.detectors import DETECTORS, MissingPackage, open_detector
from tracker.detectors.boxes import as_detections, decode, fitted, suppress
from tracker.geometry import iou
from tracker.models import ModelError, open_shipped, registry
from tracker.sources import open_source
from tracker.values import Box

DEMO = Path(__file__).parents[1] / "examples" / "demo.mp4"

SHARED = Path(os.environ.get("EMOTRACK_SHARED", Path(__file__).parents[2] / "shared"))
NEEDS_SHARED = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED.name} is not here")


@pytest.fixture(params=list(DETECTORS))
def detector(request, monkeypatch):
    if (SHARED / "models").is_dir() and "EMOTRACK_MODELS" not in os.environ:
        monkeypatch.setenv("EMOTRACK_MODELS", str(SHARED / "models"))
    try:
        made = open_detector(request.param)
    except ModelError as absent:
        if request.param == "builtin":
            raise  # it ships: its absence is a failure
        pytest.skip(f"{request.param}: {absent}")
    yield made
    made.close()


@pytest.fixture
def ours():
    made = open_detector("builtin")
    yield made
    made.close()


@pytest.fixture(scope="module")
def frame():
    """A frame with one face of about a quarter of its height."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name} is not here")
    return frames(SHARED / "clips" / "single_face.mp4", every=72)[0]


def frames(path, every):
    import av

    with av.open(str(path)) as container:
        return [
            np.rot90(f.to_ndarray(format="rgb24"), round(f.rotation / 90) % 4)
            for n, f in enumerate(container.decode(video=0))
            if n % every == 0
        ]


def row(x0, y0, x1, y1, score):
    return np.array([x0, y0, x1, y1, *np.zeros(10), score], np.float32)


# What every detector keeps to


def test_yunet_is_opened_without_a_word_of_opencv(fetched, capfd):
    open_detector("yunet").close()
    assert capfd.readouterr() == ("", "")


def test_a_face_is_found_where_it_is(detector, frame):
    found = detector(frame)
    height, width = frame.shape[:2]
    assert len(found) == 1
    box = found[0].box
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height
    left_eye, right_eye, nose, left_mouth, right_mouth = found[0].points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert all(box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in found[0].points)


def test_a_mirrored_picture_has_mirrored_faces(detector, frame):
    box = detector(frame)[0].box
    mirrored = detector(np.ascontiguousarray(frame[:, ::-1]))[0].box
    width = frame.shape[1]
    assert iou(mirrored, Box(width - box.x1, box.y0, width - box.x0, box.y1)) > 0.8


def test_the_size_of_a_picture_does_not_move_its_faces(detector, frame):
    box = detector(frame)[0].box
    double = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    large = detector(double)[0].box
    assert iou(box, Box(large.x0 / 2, large.y0 / 2, large.x1 / 2, large.y1 / 2)) > 0.8


def test_best_comes_first_and_scores_are_probabilities(detector, frame):
    two = np.concatenate([frame, np.asarray(frame[:, ::-1] * 0.5, np.uint8)], 1)
    scores = [face.score for face in detector(two)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_the_picture_is_left_as_it_was_and_may_be_read_only(detector, frame):
    image = frame.copy()
    image.flags.writeable = False
    detector(image)
    np.testing.assert_array_equal(image, frame)


def test_black_and_noise_hold_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    assert detector(np.zeros((240, 320, 3), np.uint8)) == []
    assert detector(noise) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 7), (31, 33), (241, 321)])
def test_any_size_of_picture_is_taken(detector, shape):
    assert detector(np.full((*shape, 3), 90, np.uint8)) == []


def test_a_non_contiguous_picture_gives_the_same_faces(detector, frame):
    turned = np.ascontiguousarray(np.rot90(frame))
    one, other = detector(np.rot90(turned, -1)), detector(frame)
    assert [(f.box, f.score, f.points) for f in one] == [(f.box, f.score, f.points) for f in other]


def test_a_higher_threshold_leaves_out_what_is_below_it(detector, frame):
    if detector.model.name == "mediapipe":
        pytest.skip("mediapipe tells no score")
    name = "builtin" if detector.model.name == "detector-s" else detector.model.name
    score = detector(frame)[0].score
    strict = open_detector(name, min_confidence=score + 0.01)
    assert all(face.score > score for face in strict(frame))
    strict.close()


def test_closing_twice_is_harmless_and_then_nothing_is_found(detector, frame):
    detector.close()
    detector.close()
    with pytest.raises(RuntimeError, match="closed"):
        detector(frame)


def test_what_ran_is_said(detector):
    assert detector.description
    assert len(detector.model.sha256) == 64


def test_a_larger_look_finds_faces_too_small_for_the_usual_one():
    face = next(iter(open_source(DEMO))).image
    small = cv2.resize(face, None, fx=1 / 6, fy=1 / 6, interpolation=cv2.INTER_AREA)
    scene = np.full((720, 1280, 3), 128, np.uint8)
    scene[200 : 200 + small.shape[0], 500 : 500 + small.shape[1]] = small
    usual, larger = open_detector("builtin"), open_detector("builtin", long_side=640)
    assert usual(scene) == []
    (found,) = larger(scene)
    assert found.box.x1 - found.box.x0 == pytest.approx(24, abs=4)
    (at_its_size,) = usual(face)
    middle = (at_its_size.box.x0 + at_its_size.box.x1) / 2
    assert (found.box.x0 + found.box.x1) / 2 == pytest.approx(500 + middle / 6, abs=2)


def test_mediapipe_is_not_told_a_size():
    with pytest.raises(ModelError, match="size of its own, not 640 px"):
        open_detector("mediapipe", long_side=640)


# By name


def test_an_unknown_detector_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match=r"'haar'.*builtin, yunet, mediapipe"):
        open_detector("haar")


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "tracker.detectors.mediapipe_task", raising=False)
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # makes its import fail
    with pytest.raises(MissingPackage, match=r"pip install 'emotrack\[mediapipe\]'"):
        open_detector("mediapipe")


def test_a_file_that_was_never_fetched_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    monkeypatch.setattr("tracker.models.cache_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="emotrack models pull yunet"):
        open_detector("yunet")


def test_fetched_detectors_have_checksums_and_licences():
    for name in ("yunet", "mediapipe"):
        entry = registry()[name]
        assert len(entry.sha256) == 64
        assert entry.bytes > 100_000
        assert entry.url.startswith("https://")
        assert entry.url.endswith(entry.file)
        assert entry.role == "detector"
        assert entry.licence


# Ours


def test_red_and_blue_are_not_confused(ours, frame):
    """Orange skin scores higher than blue skin: the network reads RGB."""
    low = open_detector("builtin", min_confidence=0.01)
    assert low(frame)[0].score > max((f.score for f in low(frame[..., ::-1])), default=0)
    low.close()


def test_the_card_says_what_runs():
    card = open_shipped("detector-s").card
    assert card["role"] == "detector"
    assert card["input"]["size"] == 320
    assert card["input"]["colour"] == "RGB"
    assert 0 < card["threshold"] < 1
    assert {score["metric"] for score in card["scores"]} >= {"found", "false"}


@NEEDS_SHARED
@pytest.mark.slow
def test_ours_finds_the_faces_of_ordinary_size_that_the_teacher_found(ours):
    """Stored boxes of clips never trained on: score >= .8, side >= 24 px at 320 wide.

    Not the clip of a group, where the side is 24 to 30 px: the card states that weakness.
    """
    wanted = defaultdict(list)
    clips = {"crying_woman_pexels.mp4": 40, "asl_book.mkv": 10}
    with gzip.open(SHARED / "clips" / "yunet_boxes.csv.gz", "rt") as file:
        for r in csv.DictReader(file):
            if r["file"] in clips and r["input_width"] == "320" and float(r["score"]) >= 0.8:
                x, y, w, h = (float(r[key]) for key in "xywh")
                if (w * h) ** 0.5 >= 24:  # full-frame px, which are no fewer
                    wanted[r["file"], int(r["frame"])].append(Box(x, y, x + w, y + h))
    hits = []
    for name, every in clips.items():
        for n, image in enumerate(frames(SHARED / "clips" / name, every)):
            found = [face.box for face in ours(image)]
            for box in wanted[name, n * every]:
                hits.append(max((iou(box, other) for other in found), default=0) >= 0.5)
    assert len(hits) > 20
    assert np.mean(hits) >= 0.95


@NEEDS_SHARED
@pytest.mark.slow
def test_ours_sees_nobody_in_a_film_without_people(ours):
    assert [ours(image) for image in frames(SHARED / "clips" / "no_face.mp4", 20)] == [[]] * 5


# The arithmetic


def test_a_cell_is_decoded_around_its_centre():
    cells = 40 * 24 + 20 * 12 + 10 * 6  # 320 x 192
    score, geometry = np.zeros(cells, np.float32), np.zeros((14, cells), np.float32)
    at = 40 * 24 + 3 * 20 + 7  # stride 16, row 3, column 7: centre (120, 56)
    score[at] = 0.9
    geometry[:4, at] = 0.5, -0.25, np.log(2), np.log(4)
    geometry[4:6, at] = -1, 0.5
    (found,) = decode(score, geometry, (320, 192), 0.5)
    np.testing.assert_allclose(found[:4], [128 - 16, 52 - 32, 128 + 16, 52 + 32], atol=1e-4)
    np.testing.assert_allclose(found[4:6], [120 - 16, 56 + 8], atol=1e-4)
    assert found[14] == pytest.approx(0.9)


def test_every_stride_and_both_orientations_decode_to_the_right_cell():
    for width, height in ((320, 192), (64, 320)):
        first = 0
        for stride in (8, 16, 32):
            columns, rows = width // stride, height // stride
            for column, line in ((0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)):
                cells = sum((width // k) * (height // k) for k in (8, 16, 32))
                score = np.zeros(cells, np.float32)
                score[first + line * columns + column] = 1
                (found,) = decode(score, np.zeros((14, cells), np.float32), (width, height), 0.5)
                middle = (found[:2] + found[2:4]) / 2
                assert middle.tolist() == [(column + 0.5) * stride, (line + 0.5) * stride]
            first += columns * rows


def test_decoding_gives_best_first_and_nothing_below_the_threshold():
    score = np.zeros(21, np.float32)  # 32 x 32
    score[[2, 5, 9]] = 0.4, 0.9, 0.6
    found = decode(score, np.zeros((14, 21), np.float32), (32, 32), 0.5)
    assert found[:, 14].tolist() == pytest.approx([0.9, 0.6])


def test_suppression_keeps_the_best_of_a_heap_and_all_that_stand_apart():
    heap = [row(0, 0, 10, 10, 0.9), row(1, 0, 11, 10, 0.8), row(30, 0, 40, 10, 0.7)]
    assert suppress(np.stack(heap))[:, 14].tolist() == pytest.approx([0.9, 0.7])


def test_suppression_of_nothing_is_nothing():
    assert suppress(np.zeros((0, 15), np.float32)).shape == (0, 15)


def test_a_suppressed_box_suppresses_nobody():
    chain = [row(0, 0, 10, 10, 0.9), row(5, 0, 15, 10, 0.8), row(10, 0, 20, 10, 0.7)]
    assert suppress(np.stack(chain))[:, 14].tolist() == pytest.approx([0.9, 0.7])


def test_a_picture_is_fitted_without_changing_its_shape():
    small, back = fitted(np.full((720, 1280, 3), 7, np.uint8), 320)
    assert small.shape == (192, 320, 3)
    assert back == (4.0, 4.0)
    assert (small[:180] == 7).all()
    assert (small[180:] == 0).all()


def test_a_small_picture_is_enlarged():
    small, back = fitted(np.full((40, 80, 3), 7, np.uint8), 320)
    assert small.shape == (160, 320, 3)
    assert back == (0.25, 0.25)


def test_a_line_of_pixels_keeps_one_row():
    small, (back_x, back_y) = fitted(np.full((1, 5000, 3), 7, np.uint8), 320)
    assert small.shape == (32, 320, 3)
    assert (back_x, back_y) == (5000 / 320, 1.0)


def test_boxes_end_at_the_border_and_those_beyond_it_are_dropped():
    rows = np.stack([row(-5, -5, 10, 10, 0.9), row(101, 5, 120, 20, 0.8)])
    (only,) = as_detections(rows, (100, 50))
    assert only.box == Box(0.0, 0.0, 10.0, 10.0)
