"""Pictures as a decoder leaves them, against the same pictures in RGB."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

import tracker
from conftest import DEMO
from tracker.bars import cropped, within_bars
from tracker.crops import Template, aligned, whole
from tracker.picture import Planes, as_rgb, part, pixels_at
from tracker.resize import glanced, grey, resized
from tracker.sources import open_source
from tracker.sources.upright import Upright
from tracker.values import Box, Detection

POINTS = ((15.0, 18.0), (33.0, 18.0), (24.0, 28.0), (17.0, 36.0), (31.0, 36.0))
LEVEL = 3  # of 255, by which roundings on different ways may add up
COARSE = 14  # where colour is drawn by lines between its samples, and RGB has them as steps
BT601, BT709, UNSPECIFIED, LIMITED, FULL = 5, 1, 2, 1, 2  # FFmpeg's numbers


def clouds(height, width, seed=0):
    """Soft colours without flat areas, none so strong that RGB cuts them off."""
    rough = np.random.default_rng(seed).integers(64, 192, (height // 24 + 2, width // 24 + 2, 3))
    soft = cv2.resize(rough.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return soft.clip(0, 255).astype(np.uint8)


def decoded(image, kind="yuv420p", colorspace=BT601, color_range=LIMITED):
    """A frame as a decoder gives it."""
    plain = av.VideoFrame.from_ndarray(image, format="rgb24")
    frame = plain.reformat(format=kind, dst_colorspace=colorspace, dst_color_range=color_range)
    frame.colorspace, frame.color_range = colorspace, color_range
    return frame


def planes(image, **named):
    picture = Upright()(decoded(image, **named))
    assert isinstance(picture, Planes)
    return picture


def apart(one, other):
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("colorspace", [BT601, BT709, UNSPECIFIED])
def test_its_colours_are_those_that_ffmpeg_makes(colorspace, color_range):
    frame = decoded(clouds(96, 128), colorspace=colorspace, color_range=color_range)
    theirs = VideoReformatter().reformat(frame, format="rgb24").to_ndarray()
    ours = Upright()(frame)
    assert isinstance(ours, Planes)
    assert apart(ours.rgb(), theirs) == 0
    differ = as_rgb(part(ours, 0, 0, 128, 96)).astype(float) - theirs
    assert abs(differ).max() <= 2
    assert abs(differ.mean((0, 1))).max() < 0.3  # neither darker nor lighter


def test_all_of_it_is_made_once():
    picture = planes(clouds(96, 128))
    assert picture.rgb() is picture.rgb()
    assert picture.shape == picture.rgb().shape == (96, 128, 3)


@pytest.mark.parametrize(
    ("size_wh", "most"),
    [
        ((160, 96), LEVEL),
        ((80, 48), LEVEL),
        ((64, 36), COARSE),
        ((50, 31), COARSE),
        ((640, 400), COARSE),
    ],
)
@pytest.mark.parametrize("way", [resized, glanced, grey])
def test_smaller_or_larger_it_is_the_same_as_its_rgb(way, size_wh, most):
    picture = planes(clouds(192, 320))
    ours, theirs = way(picture, size_wh), way(picture.rgb(), size_wh)
    assert np.abs(ours.astype(float) - theirs).mean() < 1.2
    assert apart(ours, theirs) <= most


@pytest.mark.parametrize("colorspace", [BT601, BT709])
def test_grey_is_the_grey_of_its_rgb_in_every_colour_space(colorspace):
    picture = planes(clouds(96, 128), colorspace=colorspace)
    assert apart(grey(picture, (32, 24)), grey(picture.rgb(), (32, 24))) <= LEVEL


def test_a_part_and_single_pixels_are_those_of_its_rgb():
    picture = planes(clouds(96, 128))
    assert apart(as_rgb(part(picture, 10, 20, 61, 45)), picture.rgb()[20:45, 10:61]) <= LEVEL
    rows, columns = np.array([0, 7, 95]), np.array([3, 64, 127])
    assert apart(pixels_at(picture, rows, columns), picture.rgb()[rows][:, columns]) <= LEVEL


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_face_cut_out_of_it_is_the_face_cut_out_of_its_rgb(channels, scale):
    points = tuple((40 + scale * x, 30 + scale * y) for x, y in POINTS)
    face = Detection(Box(40, 30, 40 + 48 * scale, 30 + 48 * scale), 0.9, points)
    template = Template(48, channels, POINTS, 1.1)
    picture = planes(clouds(288, 384))
    ours, theirs = (aligned(p, face, template) for p in (picture, picture.rgb()))
    assert apart(ours, theirs) <= (LEVEL if scale > 1 else COARSE)
    assert np.abs(ours - theirs).mean() < 1.5


def test_a_face_wholly_outside_still_gives_a_crop():
    face = Detection(Box(900, 900, 948, 948), 0.9, tuple((900 + x, 900 + y) for x, y in POINTS))
    template = Template(48, 1, POINTS, 1.1)
    picture = planes(clouds(96, 128))
    assert apart(aligned(picture, face, template), aligned(picture.rgb(), face, template)) <= LEVEL
    assert apart(whole(picture, template), whole(picture.rgb(), template)) <= LEVEL


def test_black_bars_are_found_in_it():
    framed = clouds(96, 128)
    framed[:12] = framed[-12:] = 0
    picture = planes(framed)
    assert within_bars(picture) == within_bars(framed) == Box(0, 12, 128, 84)
    inside = cropped(picture, within_bars(picture))
    assert apart(as_rgb(inside), picture.rgb()[12:84]) <= LEVEL


@pytest.mark.parametrize(
    ("kind", "size"), [("yuv420p", (95, 128)), ("yuv444p", (96, 128)), ("yuv420p10le", (96, 128))]
)
def test_what_has_other_planes_comes_as_rgb(kind, size):
    frame = decoded(clouds(*size), kind=kind)
    picture = Upright()(frame)
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (*size, 3)


def test_a_picture_that_is_kept_bottom_up_is_not_seen_upside_down():
    graph = av.filter.Graph()
    steps = [
        graph.add_buffer(width=128, height=96, format="yuv420p", time_base=Fraction(1, 25)),
        graph.add("vflip"),  # by lines of negative length
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps).configure()
    image = clouds(96, 128)
    frame = decoded(image, colorspace=UNSPECIFIED)
    frame.pts = 0
    steps[0].push(frame)
    flipped = steps[-1].pull()
    assert flipped.planes[0].line_size < 0
    picture = as_rgb(Upright()(flipped))
    assert np.abs(picture[::-1].astype(float) - image).mean() < 3


def test_a_turned_film_comes_as_rgb(shared):
    (turned, *_) = open_source(shared / "clips" / "hard" / "rotation_90.mov")
    assert isinstance(turned.picture, np.ndarray)
    assert turned.image.shape[:2] == (568, 320)


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda image: image),
        ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((0, -1, 1, 0), np.rot90),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda image: np.rot90(image, 2).transpose(1, 0, 2)),
        ((0, 0, 0, 0), lambda image: image),
    ],
)
def test_a_film_is_seen_turned_and_mirrored_as_its_matrix_says(tmp_path, matrix, shown):
    """As phones write it, and what they make of a front camera's mirror."""
    image = clouds(96, 128)
    a, b, c, d = (65536 * part for part in matrix)
    with av.open(str(tmp_path / "a.mkv"), "w") as box:
        stream = box.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "bgr0"
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        box.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        box.mux(stream.encode(None))
    (frame,) = open_source(tmp_path / "a.mkv")
    assert apart(frame.image, shown(image)) == 0


def test_a_frame_outlives_its_film(tmp_path):
    film = tmp_path / "two.mp4"
    with av.open(str(film), "w") as box:
        stream = box.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for seed in range(8):
            image = np.full((96, 128, 3), 30 * seed, np.uint8)
            box.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        box.mux(stream.encode(None))
    kept = list(open_source(film))
    for seed, frame in enumerate(kept):
        assert abs(float(frame.image.mean()) - 30 * seed) < 4


def test_a_film_reads_as_its_pictures_pushed_one_by_one():
    """Not to the last digit: rounding RGB moves readings as much as this allows."""
    whole_film = [p for r in tracker.watch(DEMO) for p in r.people]
    with tracker.build() as reader:
        frames = open_source(DEMO)
        pushed = [p for f in frames for p in reader.push(f.image, f.pts).people]
    assert [p.face.track for p in whole_film] == [p.face.track for p in pushed]
    both = [[(q.affect.smooth.valence, q.affect.smooth.arousal) for q in p]
            for p in (whole_film, pushed)]  # fmt: skip
    assert np.abs(np.subtract(*both)).mean() < 0.01
