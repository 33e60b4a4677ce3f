import csv
import errno
import io
import json
import math
import sys

import pytest

from tracker.sinks.base import Lines, SinkError
from tracker.sinks.rows import columns
from tracker.sinks.tables import csv_table, json_lines
from tracker.values import (
    EXPRESSIONS,
    Affect,
    Box,
    Face,
    FrameResult,
    PersonReading,
    Reading,
    Scores,
    Step,
)

NAMES = [
    *("frame", "timestamp", "face_id", "success", "confidence"),
    *("face_x", "face_y", "face_w", "face_h"),
    *("valence", "arousal", "valence_raw", "arousal_raw", "valence_cal", "arousal_cal"),
    *("valence_spread", "arousal_spread"),
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
]


def somebody(track, score=0.9):
    shown = Scores(EXPRESSIONS, (0.3, 0.7, *[0.0] * 6))
    reading = Reading(Affect(0.25, -0.5), Affect(0.2, -0.00001), spread=Affect(0.03, 0.125))
    return PersonReading(Face(track, Box(10.0, 20.0, 40.25, 60.0), score), reading, shown)


def step(index, pts, *people, source=""):
    return Step(None, FrameResult(index, pts, 0.01, False, people, source))


def written(path, steps, kind=csv_table, **options):
    with kind(str(path), columns(**options)) as table:
        for one in steps:
            table.write(one)
    return path.read_text("utf-8")


def test_a_frame_has_a_row_per_face_and_one_without_any(tmp_path):
    text = written(tmp_path / "a.csv", [step(0, 0.0, somebody(3), somebody(5)), step(1, 0.04)])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == NAMES
    assert [(r["frame"], r["face_id"], r["success"]) for r in rows] == [
        ("1", "3", "1"),
        ("1", "5", "1"),
        ("2", "", "0"),
    ]


def test_what_is_missing_is_empty_and_never_0(tmp_path):
    text = written(tmp_path / "a.csv", [step(1, 0.04), step(2, 0.08, somebody(0, None))])
    nobody, given = csv.DictReader(io.StringIO(text))
    filled = {"frame", "timestamp", "success"}
    assert {name for name, cell in nobody.items() if cell} == filled
    assert (given["confidence"], given["valence_cal"]) == ("", "")


def test_numbers_have_fixed_decimals_and_no_minus_zero(tmp_path):
    text = written(tmp_path / "a.csv", [step(0, 1 / 3, somebody(0))])
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["timestamp"] == "0.333333"
    assert (row["face_x"], row["face_w"]) == ("10.0", "30.2")
    assert (row["valence"], row["arousal"], row["valence_raw"]) == ("0.2000", "0.0000", "0.2500")
    assert (row["valence_spread"], row["arousal_spread"]) == ("0.0300", "0.1250")
    assert "\r" not in text


def test_json_lines_hold_the_same_values_with_null_for_missing(tmp_path):
    steps = [step(0, 0.25, somebody(0)), step(1, 0.5)]
    table = list(csv.DictReader(io.StringIO(written(tmp_path / "a.csv", steps))))
    lines = written(tmp_path / "a.jsonl", steps, json_lines).splitlines()
    for line, row in zip(lines, table, strict=True):
        seen = json.loads(line)
        assert list(seen) == NAMES
        for name, cell in row.items():
            if cell:
                assert math.isclose(float(cell), seen[name])
            else:
                assert seen[name] is None


def test_a_name_with_commas_and_quotes_survives(tmp_path):
    name = 'a, "b".png'
    text = written(tmp_path / "a.csv", [step(0, 0.0, source=name)], source=True)
    (row,) = csv.DictReader(io.StringIO(text))
    assert next(iter(row)) == "source"
    assert row["source"] == name


def test_every_row_is_on_disk_as_soon_as_it_is_written(tmp_path):
    path = tmp_path / "a.csv"
    with csv_table(str(path), columns()) as table:
        table.write(step(0, 0.0))
        assert path.read_text("utf-8").count("\n") == 2
        assert table.rows == 1


class FullDisk:
    """A file on a disk with room for so many more bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data[: self.room])
        self.room -= len(part)
        return self.file.write(part)

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk_leaves_whole_lines_and_names_the_file(tmp_path):
    path = tmp_path / "a.csv"
    with Lines(str(path)) as lines:
        lines.write("one,two\n")
        lines._file = FullDisk(lines._file, room=5)
        with pytest.raises(SinkError, match=r"a\.csv: cannot write \(No space left"):
            lines.write("three,four\n")
    assert path.read_text() == "one,two\n"


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_table_that_is_removed_while_it_is_written_is_an_error(tmp_path):
    path = tmp_path / "a.csv"
    with Lines(str(path)) as lines:
        lines.write("one,two\n")
        path.unlink()
        with pytest.raises(SinkError, match=r"a\.csv: was removed"):
            lines.write("three,four\n")


def test_a_table_that_another_run_begins_to_write_is_an_error_and_no_mixture(tmp_path):
    path = tmp_path / "out.csv"
    with Lines(str(path)) as lines, Lines(str(path)) as others:
        others.write("theirs\n")
        with pytest.raises(SinkError, match=r"out\.csv: somebody else writes it too"):
            lines.write("ours\n")
        others.write("theirs\n")
        lines.discard()
    assert path.read_text() == "theirs\ntheirs\n"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    target = tmp_path / "nowhere" / "a.csv"
    with (
        pytest.raises(SinkError, match=r"nowhere/a\.csv: cannot write \(No such file"),
        Lines(str(target)),
    ):
        pass
