"""What is made of a network's word on each face, with test doubles for the network."""

import numpy as np

from engines import TensorSpec
from tracker.people import PeopleReader
from tracker.smoothing import Steady
from tracker.values import Affect, Box, Face, Frame

BLANK = np.zeros((4, 4, 3), np.uint8)


class Network:
    """Says of every face the first number of its crop, and that it is neutral."""

    inputs = (TensorSpec("face", (1, 1, 1), "float32"),)
    outputs = (TensorSpec("affect", (2,), "float32"), TensorSpec("expression", (8,), "float32"))
    max_batch = 4
    description = "test double"

    def infer(self, crops):
        n = len(crops)
        return np.repeat(crops.reshape(n, 1), 2, axis=1), np.eye(8, dtype=np.float32)[[0] * n]

    def close(self):
        pass


class Memory:
    """Halves what it reads, and is the surer the more confident the reading."""

    def steady(self, pts, keys, seen):
        return [
            Steady(Affect(float(v) / 2, float(a) / 2), Affect(1 - float(sure), 0.25))
            for v, a, sure in seen
        ]

    def begin(self):
        pass

    def close(self):
        pass


class Calibration:
    """Knows even tracks only; keeps what it was asked, and how often it began."""

    def __init__(self):
        self.begun, self.asked = 0, []

    def begin(self):
        self.begun += 1

    def __call__(self, pts, keys, smooth):
        self.asked.append((pts, list(keys)))
        return [
            None if key % 2 else Affect(-a.valence, -a.arousal)
            for key, a in zip(keys, smooth, strict=True)
        ]


def read(reader, pts, *tracks):
    faces = [Face(track, Box(0, 0, 4, 4), 0.9) for track in tracks]
    people = reader(Frame(0, pts, 0.0, BLANK), faces)
    return [(p.affect.raw, p.affect.smooth, p.affect.calibrated) for p in people]


def a_reader(calibrate=None):
    def cut(image, face):
        return np.full((1, 1, 1), face.track / 8, np.float32)

    return PeopleReader(Network(), cut, Memory(), calibrate)


def test_raw_smooth_and_calibrated_stand_side_by_side():
    calibration = Calibration()
    assert read(a_reader(calibration), 0.5, 2, 4, 5) == [
        (Affect(0.25, 0.25), Affect(0.125, 0.125), Affect(-0.125, -0.125)),
        (Affect(0.5, 0.5), Affect(0.25, 0.25), Affect(-0.25, -0.25)),
        (Affect(0.625, 0.625), Affect(0.3125, 0.3125), None),
    ]
    assert calibration.asked == [(0.5, [2, 4, 5])]


def test_without_a_calibration_nothing_is_calibrated():
    assert read(a_reader(), 0.0, 2) == [(Affect(0.25, 0.25), Affect(0.125, 0.125), None)]


def test_a_reading_says_how_far_off_the_memory_expects_it_to_be():
    (person,) = a_reader()(Frame(0, 0.0, 0.0, BLANK), [Face(2, Box(0, 0, 4, 4), 0.75)])
    assert person.affect.spread == Affect(0.25, 0.25)


def test_a_new_stream_is_a_new_stream_for_the_calibration_too():
    calibration = Calibration()
    reader = a_reader(calibration)
    reader.begin()
    assert calibration.begun == 1
