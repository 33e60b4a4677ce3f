"""Faces cut out of pictures."""

import cv2
import numpy as np
import pytest

from tracker.crops import Cropper, Template, aligned, similarity, whole
from tracker.values import Box, Detection

POINTS = ((15.0, 18.0), (33.0, 18.0), (24.0, 28.0), (17.0, 36.0), (31.0, 36.0))
TEMPLATE = Template(48, 1, POINTS, 1.1)
COLOUR = Template(48, 3, POINTS, 1.1)


def moved(points, scale, angle, shift):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    xy = np.array(points) @ [[cos, sin], [-sin, cos]] + shift
    return tuple((float(x), float(y)) for x, y in xy)


def face_at(points):
    return Detection(Box(0, 0, 10, 10), 0.9, points)


def smooth_picture(height, width):
    y, x = np.mgrid[:height, :width] + 0.5
    red = 128 + 100 * np.sin(x / 31) * np.cos(y / 23)
    return np.stack([red, 255 * x / width, 255 * y / height], -1).astype(np.uint8)


def drawn(points, radius, shape):
    """A white picture with a black disc on each landmark."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    near = [np.clip(radius + 0.5 - np.hypot(x - px, y - py), 0, 1) for px, py in points]
    return (255 - 255 * np.max(near, 0)).astype(np.uint8)


@pytest.mark.parametrize("angle", [-0.5, 0.0, 2.0])
def test_the_similarity_is_the_one_that_moved_the_points(angle):
    matrix = similarity(moved(POINTS, 3.0, angle, (70, 40)), POINTS)
    assert np.hypot(matrix[0, 0], matrix[1, 0]) == pytest.approx(1 / 3)
    assert np.arctan2(matrix[1, 0], matrix[0, 0]) == pytest.approx(-angle)
    back = np.array(moved(POINTS, 3.0, angle, (70, 40))) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, POINTS, atol=1e-9)


def test_the_similarity_has_the_least_squares_of_its_neighbours():
    rough = np.array(POINTS) + np.random.default_rng(0).normal(0, 2, (5, 2))
    matrix = similarity([tuple(p) for p in rough], POINTS)

    def error(m):
        return float(((rough @ m[:, :2].T + m[:, 2] - POINTS) ** 2).sum())

    for change in (1e-3, -1e-3):
        for turn in ([[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]):
            assert error(matrix + change * np.array(turn)) > error(matrix)


def test_landmarks_that_coincide_have_no_similarity():
    with pytest.raises(ValueError, match="coincide"):
        similarity(((3.0, 3.0),) * 5, POINTS)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 7.0])
def test_the_landmarks_land_on_the_template(scale):
    points = moved(POINTS, scale, 0.3, (60, 30))
    picture = drawn(points, 2.0 * scale, (int(200 + 40 * scale), int(200 + 40 * scale)))
    crop = aligned(picture, face_at(points), TEMPLATE)[0]
    for x, y in POINTS:
        dark = 255 - crop[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] + 0.5
        found = (dark * columns).sum() / dark.sum(), (dark * rows).sum() / dark.sum()
        assert found == pytest.approx((x, y), abs=0.3)  # px; discs of few pixels are ragged


def test_a_crop_in_place_is_the_picture_itself():
    picture = smooth_picture(48, 48)[..., 0]
    np.testing.assert_array_equal(aligned(picture, face_at(POINTS), TEMPLATE)[0], picture)
    np.testing.assert_array_equal(whole(picture, TEMPLATE)[0], picture)


def test_a_crop_is_float_and_has_the_channels_of_the_template():
    picture = smooth_picture(200, 300)
    for template, channels in ((TEMPLATE, 1), (COLOUR, 3)):
        for source in (picture, picture[..., 0]):
            for crop in (aligned(source, face_at(POINTS), template), whole(source, template)):
                assert crop.shape == (channels, 48, 48)
                assert crop.dtype == np.float32
                assert crop.max() > 1  # grey levels, not shares


def test_colour_stays_in_the_order_red_green_blue():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[..., 0] = 200
    assert aligned(picture, face_at(POINTS), COLOUR).mean((1, 2)).tolist() == [200, 0, 0]


@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_a_grey_network_sees_the_same_in_colour_and_in_the_grey_copy(scale):
    picture = smooth_picture(400, 500)
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    face = face_at(moved(POINTS, scale, 0.2, (90, 40)))
    crops = [aligned(image, face, TEMPLATE) for image in (picture, grey, grey[..., 0])]
    for other in crops[1:]:
        np.testing.assert_allclose(crops[0], other, atol=2)  # grey before or after the warp


def test_a_much_larger_face_is_averaged_and_not_sampled():
    rng = np.random.default_rng(1)
    picture = rng.choice([0, 255], (960, 960)).astype(np.uint8)
    points = moved(POINTS, 20.0, 0.0, (0, 0))
    crop = aligned(picture, face_at(points), TEMPLATE)
    assert crop.std() < 20  # 400 pixels under each; two-pixel sampling would leave about 90
    assert crop.mean() == pytest.approx(127.5, abs=2)


def test_beyond_the_picture_its_edge_goes_on():
    picture = np.full((60, 60), 90, np.uint8)
    points = moved(POINTS, 1.0, 0.2, (45, -20))
    assert np.unique(aligned(picture, face_at(points), TEMPLATE)).tolist() == [90]


@pytest.mark.parametrize("shift", [(-900, -900), (900, 0), (0, 5000)])
def test_a_face_wholly_outside_still_gives_a_crop(shift):
    picture = smooth_picture(80, 120)
    crop = aligned(picture, face_at(moved(POINTS, 4.0, 0.0, shift)), TEMPLATE)
    assert crop.shape == (1, 48, 48)
    assert np.isfinite(crop).all()


def test_without_landmarks_the_box_decides():
    picture = np.zeros((300, 300), np.uint8)
    picture[100:200, 120:220] = 200  # a box whose crop reaches a tenth beyond it
    crop = aligned(picture, Detection(Box(120, 100, 220, 200), 0.8), TEMPLATE)[0]
    assert crop[4:44, 4:44].min() == 200
    assert crop[0].max() == 0
    assert crop[:, 0].max() == 0


def test_landmarks_on_one_spot_are_no_landmarks():
    picture = smooth_picture(200, 200)
    box = Box(50, 50, 150, 150)
    broken = aligned(picture, Detection(box, 0.8, ((70.0, 70.0),) * 5), TEMPLATE)
    np.testing.assert_array_equal(broken, aligned(picture, Detection(box, 0.8), TEMPLATE))


def test_a_whole_picture_that_is_not_square_keeps_its_proportions():
    picture = np.full((96, 48), 10, np.uint8)
    picture[:, 24:] = 250
    crop = whole(picture, TEMPLATE)[0]
    assert (crop[:, :23] == 10).all()  # its left edge, repeated
    assert (crop[:, 25:] == 250).all()


def test_a_crop_does_not_change_its_picture():
    picture = smooth_picture(400, 400)
    before = picture.copy()
    aligned(picture, face_at(moved(POINTS, 6.0, 0.1, (20, 20))), TEMPLATE)
    whole(picture, TEMPLATE)
    np.testing.assert_array_equal(picture, before)


def test_a_cropper_reads_its_template_from_the_card():
    given = {
        "size": [48, 48],
        "colour": "grey",
        "crop": {"points": [list(point) for point in POINTS], "box_scale": 1.1},
    }
    picture, face = smooth_picture(90, 90), face_at(moved(POINTS, 1.5, 0.1, (5, 5)))
    cropper = Cropper(given)
    assert Template.from_card(given) == TEMPLATE
    np.testing.assert_array_equal(cropper.aligned(picture, face), aligned(picture, face, TEMPLATE))
    np.testing.assert_array_equal(cropper.whole(picture, face), whole(picture, TEMPLATE))
