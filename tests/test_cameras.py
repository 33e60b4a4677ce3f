"""Which cameras there are: the system's lists, names, and the layout of Video4Linux2."""

import shutil
import subprocess
import sys

import pytest

from tracker.sources import SourceError
from tracker.sources import camera_v4l2 as v4l2
from tracker.sources.camera_names import Listed, again, chosen, linux_cameras

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
