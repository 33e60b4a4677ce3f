"""MediaPipe's landmarker on real pictures: pose, blendshapes and the columns they become."""

import csv
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from conftest import DEMO
from tracker.sources import open_source
from tracker.values import BLENDSHAPES

pytest.importorskip("mediapipe")
from tracker.detectors import open_detector

pytestmark = pytest.mark.filterwarnings("ignore")  # of MediaPipe's own libraries


@pytest.fixture
def detector(fetched):
    opened = open_detector("mediapipe")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def portrait():
    return next(iter(open_source(DEMO))).image


def pose(detector, image):
    (face,) = detector(np.ascontiguousarray(image))
    return face.mesh.pose


def test_a_smile_raises_the_mouth_corners(detector, portrait):
    (face,) = detector(portrait)
    shapes = dict(zip(face.mesh.blendshapes.labels, face.mesh.blendshapes.values, strict=True))
    assert tuple(shapes) == BLENDSHAPES
    assert min(shapes["mouthSmileLeft"], shapes["mouthSmileRight"]) > 0.4
    assert max(shapes["mouthFrownLeft"], shapes["jawOpen"]) < 0.3
    assert face.mesh.points.shape == (478, 3)


def test_a_mirrored_face_turns_and_tilts_the_other_way(detector, portrait):
    straight, mirrored = pose(detector, portrait), pose(detector, portrait[:, ::-1])
    assert mirrored.yaw == pytest.approx(-straight.yaw, abs=4)
    assert mirrored.roll == pytest.approx(-straight.roll, abs=4)
    assert mirrored.pitch == pytest.approx(straight.pitch, abs=4)


@pytest.mark.parametrize("clockwise", [-20, 20])
def test_a_picture_turned_clockwise_rolls_the_head_by_as_much(detector, portrait, clockwise):
    height, width = portrait.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -clockwise, 1)
    turned = cv2.warpAffine(portrait, turn, (width, height))
    change = pose(detector, turned).roll - pose(detector, portrait).roll
    assert change == pytest.approx(clockwise, abs=4)


def test_pose_and_blendshapes_are_columns_of_a_real_clip(shared, fetched, tmp_path):
    out = tmp_path / "out.csv"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "tracker", str(shared / "clips/single_face.mp4")),
            *("--detector", "mediapipe", "--every", "0.2", "--csv", str(out)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert len(rows) >= 10
    for row in rows:
        assert row["success"] == "1"
        assert max(abs(float(row[f"pose_{name}"])) for name in ("pitch", "yaw", "roll")) < 30
        assert 0 <= float(row["blendshape_eyeBlinkLeft"]) <= 1
        assert -1 <= float(row["valence"]) <= 1
    about = json.loads(out.with_suffix(".meta.json").read_text("utf-8"))
    assert {m["name"] for m in about["models"] if m["role"] == "detector"} == {"mediapipe"}
