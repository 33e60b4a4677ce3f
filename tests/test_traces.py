"""Traces: how they are read from tables, and brought onto one clock."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.traces.files import pair_files, read_traces
from calibration.traces.series import Sampling, Trace, common_clock, values_at, whole_clock
from calibration.traces.tables import TraceError

STEPS = st.lists(st.floats(0, 2), min_size=1, max_size=20)


def trace(*pairs):
    return Trace(*np.array(pairs, float).T)


def read(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_traces(path, **options)


def pairs(found, axis="valence"):
    t = found.traces[axis]
    return list(zip(t.pts.tolist(), t.values.tolist(), strict=True))


def test_a_tick_takes_the_last_value_at_or_before_it_and_no_older_one_than_hold():
    t = trace((0.0, 1), (0.3, 2), (2.0, 3))
    clock = common_clock([t], 4)
    assert clock.tolist() == [0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    said = values_at(t, clock, hold=1.0)
    assert said.tolist()[:6] == [1, 1, 2, 2, 2, 2]
    assert np.isnan(said[6:8]).all()
    assert said[8] == 3


def test_of_equal_times_the_last_row_counts():
    assert values_at(trace((1, 0.1), (1, 0.2)), np.array([1.0]), 1).tolist() == [0.2]


def test_an_interval_holds_to_its_end_and_not_beyond():
    t = Trace(np.array([0.0, 5.0]), np.array([0.1, 0.2]), np.array([3.0, 6.0]))
    said = values_at(t, np.array([2.9, 3.0, 4.0, 5.5]), hold=0.5)
    assert said.tolist()[::3] == [0.1, 0.2]
    assert np.isnan(said[1:3]).all()


def test_clocks_of_several_traces_share_their_ticks():
    one, two = trace((0.1, 0), (9, 0)), trace((3.05, 0), (12.3, 0))
    assert common_clock([one, two], 2).tolist() == [k / 2 for k in range(7, 19)]
    assert whole_clock([one, two], 2)[[0, -1]].tolist() == [0.5, 12.0]
    assert len(common_clock([trace((0, 0), (1, 0)), trace((2, 0), (3, 0))], 4)) == 0


@given(STEPS, st.integers(0, 19), st.floats(0.1, 3))
def test_no_later_value_changes_an_earlier_tick(steps, cut, hold):
    pts = np.cumsum(steps)
    one, clock = Trace(pts, np.arange(len(pts))), np.arange(0, pts[-1] + 1, 0.25)
    cut = min(cut, len(pts) - 1)
    other = Trace(
        np.append(pts[:cut], pts[cut:] + 0.1), np.append(one.values[:cut], -one.values[cut:])
    )
    early = clock < pts[cut] - 1e-5
    assert np.array_equal(
        values_at(one, clock, hold)[early], values_at(other, clock, hold)[early], equal_nan=True
    )


@pytest.mark.parametrize("rate, hold", [(0, 1), (-4, 1), (math.inf, 1), (4, 0), (4, math.nan)])
def test_sampling_that_means_nothing_is_refused(rate, hold):
    with pytest.raises(ValueError, match="expected more than 0"):
        Sampling(rate, hold)


def test_a_plain_table_needs_a_column_of_times_and_one_axis(tmp_path):
    found = read(tmp_path, "n,time [s],arousal\n1,0.5,0.25\n2,1.5,-0.5\n")
    assert pairs(found, "arousal") == [(0.5, 0.25), (1.5, -0.5)]
    assert list(found.traces) == ["arousal"]


@pytest.mark.parametrize(
    "header, cell, seconds",
    [
        ("timestamp", "2.5", 2.5),
        ("t_s", "2.5", 2.5),
        ("Second", "2.5", 2.5),
        ("Time (s)", "1e1", 10),
        ("timestamp_ms", "2500", 2.5),
        ("Video Time", "00:01:02.500", 62.5),
        ("time", "01:05", 65),
        ("time", '"00:01:02,500"', 62.5),
    ],
)
def test_times_are_seconds_unless_they_say_otherwise(tmp_path, header, cell, seconds):
    assert pairs(read(tmp_path, f"{header},valence\n{cell},0.5\n")) == [(seconds, 0.5)]


def test_other_delimiters_and_decimal_commas_are_read(tmp_path):
    for text in ("time;valence\n0,5;-0,25\n", "time\tvalence\n0,5\t-0,25\n"):
        assert pairs(read(tmp_path, text)) == [(0.5, -0.25)]


def test_missing_cells_and_gaps_are_passed_over(tmp_path):
    text = "\ufefftime,valence\n0,0.1\n1,\n2,NaN\n3,FIND_FAILED\n4,#N/A\n5,.\n\n9,0.2\n"
    assert pairs(read(tmp_path, text)) == [(0, 0.1), (9, 0.2)]


OPENFACE = "frame, face_id, timestamp, confidence, success, gaze_0_x, pose_Tx, x_0, X_0, AU01_r"


def test_openface_headers_have_spaces_and_unsuccessful_rows_hold_stale_values(tmp_path):
    rows = "1, 0, 0.000, 0.98, 1, 0.1, 2.5, 277.3, -62.3, 0.7, 0.5\n"
    rows += "2, 0, 0.033, 0.1, 0, 0.1, 2.5, 277.3, -62.3, 0.7, 0.9\n"
    assert pairs(read(tmp_path, f"{OPENFACE}, valence\n{rows}")) == [(0.0, 0.5)]


PYFEAT = (
    "FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,x_0,y_0,Pitch,Roll,Yaw,X,Y,Z,AU01,"
    "Neutral,Happy,Sad,Surprise,Fear,Disgust,Anger,valence,arousal,gaze_pitch,Identity_1,mesh_x_0,"
    "_neutral,FrameHeight,FrameWidth,input,frame,approx_time,Identity\n"
)


def test_pyfeats_own_valence_and_faces_are_read_from_its_wide_table(tmp_path):
    row = "1,2,3,4,.99,5,6,0,0,0,1,1,1,,.5,.1,.1,.1,.1,.1,0,{},.2,.1,.1,9,.1,72,128,a.mp4,{},{},{}"
    rows = [row.format(0.4, 0, "00:00", "Person_0"), row.format(0.3, 30, "00:01", "Person_0")]
    rows.append(row.format(-0.9, 30, "00:01", "Person_1"))
    found = read(tmp_path, PYFEAT + "\n".join(rows) + "\n")
    assert found.traces["valence"].values.tolist() == [0.4, 0.3]
    assert found.traces["arousal"].values.tolist() == [0.2, 0.2]
    assert "face Person_0 of 2" in found.notes[0]


def test_pyfeat_tells_whole_seconds_and_the_frames_tell_the_rest(tmp_path):
    rows = [f"a.mp4,{i},00:{int(i / 29.97):02d},Person_0,{i / 1000}" for i in range(0, 1500, 3)]
    found = read(tmp_path, "input,frame,approx_time,Identity,valence\n" + "\n".join(rows) + "\n")
    exact = np.arange(0, 1500, 3) / 29.97
    assert np.abs(found.traces["valence"].pts - exact).max() < 0.05
    assert "29.9" in found.notes[0]


def test_pyfeat_times_that_do_not_follow_from_frames_stay_whole_seconds(tmp_path):
    found = read(tmp_path, "frame,approx_time,valence\n0,00:00,0.1\n10,00:05,0.2\n900,00:06,0.3\n")
    assert found.traces["valence"].pts.tolist() == [0, 5, 6]
    assert "whole seconds" in found.notes[0]


def test_of_several_faces_the_one_with_most_rows_is_taken_and_named(tmp_path):
    text = "timestamp,face_id,valence\n0,3,0.1\n0,7,0.2\n1,7.0,0.3\n1,,\n"
    found = read(tmp_path, text)
    assert pairs(found) == [(0, 0.2), (1, 0.3)]
    assert "face 7 of 2" in found.notes[0]
    assert pairs(read(tmp_path, text, face="3")) == [(0, 0.1)]
    with pytest.raises(TraceError, match="no face 5; there are 3, 7"):
        read(tmp_path, text, face="5")


def test_rows_that_repeat_a_time_are_counted_and_people_without_a_number_suspected(tmp_path):
    text = "time,face_id,valence\n" + "".join(f"{t},,0.1\n{t},,-0.4\n" for t in range(3))
    (note,) = read(tmp_path, text).notes
    assert "3 rows with the time of the one above (several people without a face_id?)" in note
    (note,) = read(tmp_path, "time,face_id,valence\n0,1,0.1\n1,1,0.2\n1,1,0.3\n").notes
    assert note.endswith("1 row with the time of the one above; of one time the last row counts")


def test_of_two_columns_asked_for_one_that_is_not_there_is_said(tmp_path):
    found = read(tmp_path, "time,v,a\n0,0.1,0.2\n", columns=("v", "aruosal"))
    assert list(found.traces) == ["valence"]
    assert found.notes == (f"{tmp_path / 't.csv'}: no column 'aruosal', so no arousal",)


def test_what_a_film_evokes_is_read_from_all_rows_whoever_is_in_them(tmp_path):
    header = "timestamp,face_id,success,valence,arousal,scene_valence,scene_arousal\n"
    rows = "0,,0,,,0.1,0.2\n1,0,1,0.9,0.9,0.3,0.4\n1,1,1,0.8,0.8,0.3,0.4\n2,1,1,0.8,0.8,0.5,\n"
    found = read(tmp_path, header + rows, columns=("scene_valence", "scene_arousal"))
    assert pairs(found)[0] == (0, 0.1)
    assert dict(pairs(found)) == {0: 0.1, 1: 0.3, 2: 0.5}
    assert dict(pairs(found, "arousal")) == {0: 0.2, 1: 0.4}
    assert found.notes == ()


def test_other_columns_can_be_named(tmp_path):
    text = "timestamp,valence,valence_ben\n0,0.1,0.2\n"
    assert pairs(read(tmp_path, text, columns=("valence_ben", "arousal_ben"))) == [(0, 0.2)]


@pytest.mark.parametrize(
    "text, why",
    [
        ("time,valence\n0,0\n2,0\n1,0\n", "line 4: time is '1', before the 2 s above it"),
        ("time,source,valence\n0,a,0\n1,b,0\n", "line 3: source is 'b', after 'a'"),
        ("time,valence\n0,0\n1,low\n", "line 3: valence is 'low', not a number"),
        ("time,valence\n0,inf\n", "line 2: valence is 'inf', not a number"),
        ("time,valence\n0,0_1\n", "line 2: valence is '0_1', not a number"),
        ("time,valence\n0,0,5\n", "line 2: 3 cells, the header has 2"),
        ('time,valence\n0,"0.1\n', "line 2: not readable text"),
        ("time,valence\n0,\n", "no row has a value of valence or arousal"),
        ("time,happiness\n0,1\n", "line 1: no column 'valence' or 'arousal', only time, happiness"),
        ("frame,valence\n0,1\n", "line 1: no column of times"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_line(tmp_path, text, why):
    with pytest.raises(TraceError, match=why) as wrong:
        read(tmp_path, text)
    assert str(tmp_path / "t.csv") in str(wrong.value)


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"time,valence\n0,\xff\xfe\n")
    with pytest.raises(TraceError, match=r"t\.csv"):
        read_traces(tmp_path / "t.csv")


def test_folders_pair_by_stem_and_say_what_is_left_out(tmp_path):
    for name in ("said/a.csv", "said/b.csv", "gold/a.txt", "gold/c.csv", "gold/a.meta.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found, notes = pair_files(tmp_path / "said", tmp_path / "gold")
    assert [(name, said.name, gold.name) for name, said, gold in found] == [("a", "a.csv", "a.txt")]
    assert "b.csv" in notes[0]
    assert "c.csv" in notes[0]
    with pytest.raises(TraceError, match="two files or two folders"):
        pair_files(tmp_path / "said", tmp_path / "gold" / "c.csv")
    (tmp_path / "gold" / "a.csv").touch()
    with pytest.raises(TraceError, match="two tables of one name"):
        pair_files(tmp_path / "said", tmp_path / "gold")


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(TraceError, match=r"nowhere\.csv: cannot read \(No such file"):
        read_traces(Path("nowhere.csv"))
