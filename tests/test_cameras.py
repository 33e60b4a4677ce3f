"""Which cameras there are: the system's lists, names, and the layout of Video4Linux2."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tracker.cli import main
from tracker.sources import SourceError, Wish
from tracker.sources import camera_v4l2 as v4l2
from tracker.sources.camera_names import Listed, again, chosen, linux_cameras
from tracker.sources.camera_opencv import open_opencv

BUILT_IN, LEFT, RIGHT = (
    Listed(0, "Integrated Camera"),
    Listed(2, "Logitech C920"),
    Listed(4, "Brio"),
)


@pytest.mark.parametrize(
    "word, camera",
    [("", BUILT_IN), ("Logitech", LEFT), ("c920", LEFT), ("BRIO", RIGHT), ("integrated", BUILT_IN)],
)
def test_a_camera_is_chosen_by_a_part_of_its_name(word, camera):
    assert chosen(word, [BUILT_IN, LEFT, RIGHT]) == camera


def test_a_whole_name_wins_over_parts_of_others():
    assert chosen("brio", [Listed(0, "Brio 4K"), RIGHT]) == RIGHT


@pytest.mark.parametrize(
    "word, listed, why",
    [
        ("cam", [BUILT_IN, Listed(1, "Cam Link")], "0 'Integrated Camera', 1 'Cam Link'; take"),
        ("sony", [BUILT_IN, RIGHT], "no camera is called 'sony'; there are: 0 'Integrated Cam"),
        ("", [], "there is no camera"),
    ],
)
def test_a_word_that_names_no_single_camera_lists_what_there_is(word, listed, why):
    with pytest.raises(SourceError, match=why):
        chosen(word, listed)


def test_a_camera_that_came_back_with_another_number_is_found_by_its_name():
    assert again(LEFT, [BUILT_IN, LEFT]) == LEFT
    assert again(LEFT, [BUILT_IN, Listed(5, LEFT.name)]).index == 5
    with pytest.raises(SourceError):
        again(LEFT, [BUILT_IN])


def test_linux_names_its_video_nodes_in_the_order_of_their_numbers(tmp_path):
    for number, name in [(10, "Tenth"), (2, "Second")]:
        node = tmp_path / "sys" / f"video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
    (tmp_path / "sys" / "v4l-subdev0").mkdir()
    found = linux_cameras(tmp_path / "sys", tmp_path / "dev")
    assert found == [Listed(2, "Second"), Listed(10, "Tenth")]  # no node to open: no modes known


def test_a_node_that_is_no_camera_is_left_out(tmp_path):
    node = tmp_path / "sys" / "video0"
    node.mkdir(parents=True)
    (node / "name").write_text("Not a camera\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "video0").write_bytes(b"")  # answers no Video4Linux request
    assert linux_cameras(tmp_path / "sys", tmp_path / "dev") == []


class Capture:
    """Stands for OpenCV on a driver that does what it is asked, or is somebody else's."""

    def __init__(self, *, opens=True, gives=True):
        self.opens, self.gives, self.asked, self.released = opens, gives, {}, False

    def isOpened(self):
        return self.opens

    def set(self, what, value):
        self.asked[what] = value

    def get(self, what):
        return self.asked.get(what, 0.0)

    def read(self):
        return self.gives, np.zeros((4, 4, 3), np.uint8) if self.gives else None

    def release(self):
        self.released = True


@pytest.fixture
def driver(monkeypatch):
    """Gives OpenCV's next capture."""

    def set_to(capture):
        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: capture)
        return capture

    return set_to


@pytest.mark.parametrize(
    "wish, size_wh, rate",
    [(Wish(), (1280, 720), 30.0), (Wish((1920, 1080), 60.0), (1920, 1080), 60.0)],
)
def test_a_camera_is_asked_for_a_size_and_a_rate(driver, caplog, wish, size_wh, rate):
    asked = driver(Capture()).asked
    open_opencv(0, "Brio", wish).close()
    assert (asked[cv2.CAP_PROP_FRAME_WIDTH], asked[cv2.CAP_PROP_FRAME_HEIGHT]) == size_wh
    assert asked[cv2.CAP_PROP_FPS] == rate
    assert caplog.messages == []


@pytest.mark.parametrize("busy", [{"opens": False}, {"gives": False}])
def test_a_camera_that_another_program_uses_is_one_line(driver, monkeypatch, tmp_path, busy):
    node = tmp_path / "video0"
    node.write_bytes(b"")
    monkeypatch.setattr("tracker.sources.camera_opencv.NODE", str(tmp_path / "video{}"))
    capture = driver(Capture(**busy))
    with pytest.raises(SourceError) as why:
        open_opencv(0, "Brio", Wish())
    assert str(why.value) == "Brio: gives no picture; another program may be using it"
    assert capture.released or not capture.opens


def test_the_command_lists_numbers_names_and_modes(monkeypatch, capsys):
    modes = ("MJPG 1280x720 30 25", "YUYV 640x480 30")
    found = [Listed(0, "Brio", modes), Listed(2, "Cam Link")]
    monkeypatch.setattr("tracker.commands.cameras.cameras", lambda: found)
    assert main(["cameras"]) == 0
    listed = "0  Brio\n   MJPG 1280x720 30 25\n   YUYV 640x480 30\n2  Cam Link\n"
    assert capsys.readouterr().out == listed
    found.clear()
    assert main(["cameras"]) == 2
    assert capsys.readouterr().err == "emotrack: there is no camera\n"


REQUESTS = {
    "VIDIOC_QUERYCAP": (v4l2.QUERY_CAPABILITY, "v4l2_capability", v4l2.CAPABILITY),
    "VIDIOC_ENUM_FMT": (v4l2.ENUM_FORMAT, "v4l2_fmtdesc", v4l2.FORMAT),
    "VIDIOC_ENUM_FRAMESIZES": (v4l2.ENUM_SIZE, "v4l2_frmsizeenum", v4l2.SIZE),
    "VIDIOC_ENUM_FRAMEINTERVALS": (v4l2.ENUM_INTERVAL, "v4l2_frmivalenum", v4l2.INTERVAL),
}


@pytest.mark.skipif(sys.platform != "linux", reason="Video4Linux2 is Linux's")
def test_structures_and_requests_are_those_of_the_systems_header(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    shown = [f"{name}, sizeof(struct {struct})" for name, (_, struct, _) in REQUESTS.items()]
    shown += [
        "offsetof(struct v4l2_capability, device_caps), offsetof(struct v4l2_fmtdesc, pixelformat)",
        "offsetof(struct v4l2_frmsizeenum, stepwise.max_height), "
        "offsetof(struct v4l2_frmivalenum, discrete.denominator)",
    ]
    lines = [f'printf("%lu %lu\\n", {both});' for both in shown]
    source = "#include <linux/videodev2.h>\n#include <stdio.h>\n#include <stddef.h>\n"
    (tmp_path / "a.c").write_text(source + f"int main(void) {{ {' '.join(lines)} return 0; }}\n")
    built = subprocess.run(
        [compiler, "-o", "a", "a.c"], cwd=tmp_path, capture_output=True, text=True
    )
    if "videodev2.h" in built.stderr:
        pytest.skip("needs the header linux/videodev2.h")
    said = subprocess.run(["./a"], cwd=tmp_path, capture_output=True, text=True).stdout.split("\n")
    for line, (request, _, layout) in zip(said, REQUESTS.values(), strict=False):
        assert line == f"{request} {layout.size}"
    assert said[4] == f"{16 + 32 + 32 + 4 * 2} {3 * 4 + 32}"
    assert said[5] == f"{7 * 4} {6 * 4}"
