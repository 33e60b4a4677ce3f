"""Black bars around a film's picture are found, and nothing else is taken for one."""

import numpy as np
import pytest

from tracker.bars import BLACK, cropped, within_bars
from tracker.values import Box


def picture(height, width, *, level=120):
    return np.random.default_rng(0).integers(level // 2, level, (height, width, 3), np.uint8)


def padded(image, rows, columns):
    """Within black bars that compression left its traces in."""
    pad = ((rows, rows), (columns, columns), (0, 0))
    framed = np.pad(image, pad)
    noise = np.random.default_rng(1).integers(0, BLACK, framed.shape, np.uint8)
    return np.where(framed == 0, noise, framed)


def area(image):
    box = within_bars(image)
    return box.x0, box.y0, box.x1, box.y1


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(0, 0), (92, 0), (0, 160), (60, 80)],
    ids=["none", "scope", "pillar", "both"],
)
def test_bars_in_pairs_are_found_and_what_is_left_is_the_picture(rows, columns):
    shown = picture(360, 480)
    framed = padded(shown, rows, columns)
    box = within_bars(framed)
    assert box == Box(columns, rows, columns + 480, rows + 360)
    assert np.array_equal(cropped(framed, box), shown)


def test_a_night_sky_or_a_dark_floor_alone_is_no_bar():
    for rows in (slice(0, 100), slice(260, 360)):
        image = picture(360, 480)
        image[rows] = 0
        assert area(image) == (0, 0, 480, 360)


def test_a_subtitle_in_a_bar_keeps_the_picture_whole():
    framed = padded(picture(272, 640), 44, 0)
    framed[330:345, 200:440] = 235
    left, top, right, bottom = area(framed)
    assert (left, right) == (0, 640)
    assert top <= 44
    assert bottom >= 345


def test_black_and_nearly_black_pictures_are_left_alone():
    black = np.zeros((90, 160, 3), np.uint8)
    assert area(black) == (0, 0, 160, 90)
    spot = black.copy()
    spot[40:50, 72:88] = 255  # a face in the dark
    assert area(spot) == (0, 0, 160, 90)
    assert area(np.zeros((1, 1, 3), np.uint8)) == (0, 0, 1, 1)


def test_a_hairline_is_not_worth_a_cut():
    image = picture(360, 480)
    image[[0, 1, -2, -1]] = 0
    assert area(image) == (0, 0, 480, 360)
