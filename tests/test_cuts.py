import numpy as np
import pytest

from conftest import SHARED, manifest
from tracker.cuts import CutFinder
from tracker.sources import open_source
from tracker.values import Frame

LABELLED = [  # long enough; the damaged one changes at random
    row
    for row in manifest()
    if int(row["decoded_frames"] or 0) >= 20 and "corrupted" not in row["file"]
]


def cuts_of(images):
    find = CutFinder()
    return [i for i, image in enumerate(images) if find(Frame(i, i / 25, 0.0, image))]


def test_the_first_frame_is_a_cut_and_a_still_has_no_more():
    assert cuts_of([np.full((90, 160, 3), 99, np.uint8)] * 10) == [0]


def test_a_new_picture_is_a_cut_and_a_fade_is_not():
    one, two = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 200, np.uint8)
    assert cuts_of([one] * 5 + [two] * 5) == [0, 5]
    fade = [np.full((90, 160, 3), 4 * i, np.uint8) for i in range(50)]
    assert cuts_of(fade) == [0]


@pytest.mark.skipif(not LABELLED, reason="needs the data folder shared/ beside the checkout")
@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["file"])
def test_the_cuts_of_real_clips_are_those_that_a_person_marked(row):
    images = (frame.picture for frame in open_source(SHARED / "clips" / row["file"]))
    marked = [int(i) for i in row["cut_frames"].split(";") if i]
    assert cuts_of(images) == [0, *marked]
