"""`emotrack smooth` with the network that ships: any table in, the same table steadied out."""

import csv
import io
import tracemalloc

import numpy as np
import pytest

from conftest import DEMO
from tracker.cli import main

HEADER = "timestamp,valence,arousal\n"


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def smooth(tmp_path, text, *words, name="out.csv"):
    """The rows that come out of a table with this text."""
    readings, out = tmp_path / "in.csv", tmp_path / name
    readings.write_text(text)
    assert main(["smooth", str(readings), "--out", str(out), *words]) == 0
    return table(out)


def trembling(n, seed=0, rate=25):
    """Lines of a table: a slow wave that trembles."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (n, 2))
    wave = 0.4 * np.sin(np.arange(n) / rate)
    return [
        f"{i / rate:.3f},{w + a:.4f},{b:.4f}\n"
        for i, (w, (a, b)) in enumerate(zip(wave, noise, strict=True))
    ]


def test_the_readings_move_aside_and_every_other_column_stays(tmp_path):
    rows = smooth(
        tmp_path, " name ,timestamp,Valence,arousal\n a ,0.0,0.5,-0.25\nb,0.04,0.1,0.25\n"
    )
    assert list(rows[0]) == [
        *(" name ", "timestamp", "Valence", "arousal", "valence_raw", "arousal_raw"),
        *("valence_spread", "arousal_spread"),
    ]
    assert [row[" name "] for row in rows] == [" a ", "b"]
    assert [row["valence_raw"] for row in rows] == ["0.5", "0.1"]
    assert (rows[0]["Valence"], rows[0]["arousal"]) == ("0.5000", "-0.2500")
    assert 0.1 < float(rows[1]["Valence"]) < 0.5
    assert all(0.01 <= float(row["valence_spread"]) < 0.5 for row in rows)


def test_a_film_read_by_emotrack_comes_out_as_emotrack_steadied_it(tmp_path):
    film, out = tmp_path / "film.csv", tmp_path / "out.csv"
    words = [str(DEMO), "--faces", "whole", "--end", "2", "--csv", str(film), "--quiet"]
    assert main(words) == 0
    assert main(["smooth", str(film), "--out", str(out)]) == 0
    for before, after in zip(table(film), table(out), strict=True):
        assert after["valence_raw"] == before["valence_raw"]
        assert float(after["valence"]) == pytest.approx(float(before["valence"]), abs=3e-4)


def test_smoothing_twice_is_smoothing_once(tmp_path):
    once = smooth(tmp_path, HEADER + "".join(trembling(50)), name="once.csv")
    assert main(["smooth", str(tmp_path / "once.csv"), "--out", str(tmp_path / "twice.csv")]) == 0
    assert table(tmp_path / "twice.csv") == once


def test_no_later_row_changes_an_earlier_one(tmp_path):
    past, other = trembling(120, seed=1), trembling(200, seed=2)[120:]
    one = smooth(tmp_path, HEADER + "".join(past + trembling(200, seed=3)[120:]))
    two = smooth(tmp_path, HEADER + "".join(past + other))
    assert one[:120] == two[:120] == smooth(tmp_path, HEADER + "".join(past))
    assert one[120:] != two[120:]


def test_rows_without_a_reading_stay_without_one(tmp_path):
    lines = ("0,1,0.5,0.5", "0.1,1,,", "0.2,1,NaN,0.4", "0.3,0,0.9,0.9", "0.4,1,0.5,0.5")
    rows = smooth(tmp_path, "\n".join(("timestamp,success,valence,arousal", *lines)) + "\n")
    for row in rows[1:4]:
        assert {row[name] for name in ("valence", "arousal", "valence_spread")} == {""}
    assert rows[3]["valence_raw"] == "0.9"  # stale, as OpenFace leaves it: kept, not believed
    assert rows[4]["valence"] == "0.5000"


def after_a_gap(tmp_path, seconds, *words):
    rows = [f"{i * 0.04:.2f},0.3,0.1\n" for i in range(100)]
    rows.append(f"{99 * 0.04 + seconds:.2f},0.4,0.1\n")
    return smooth(tmp_path, HEADER + "".join(rows), *words)[-1]


def test_what_comes_after_a_gap_is_less_sure_the_longer_the_gap(tmp_path):
    spreads = [float(after_a_gap(tmp_path, s)["valence_spread"]) for s in (0.04, 0.5, 1.9, 2.5)]
    assert spreads == sorted(spreads)
    assert spreads[-1] > 1.3 * spreads[0]


def test_a_face_lost_for_too_long_starts_afresh(tmp_path):
    assert float(after_a_gap(tmp_path, 0.5)["valence"]) < 0.4
    assert after_a_gap(tmp_path, 2.5)["valence"] == "0.4000"
    assert float(after_a_gap(tmp_path, 2.5, "--forget-after", "3")["valence"]) < 0.4


def test_time_that_steps_back_starts_afresh(tmp_path):
    rows = smooth(tmp_path, HEADER + "5.0,0.9,0\n5.1,0.9,0\n0.0,-0.2,0\n")
    assert rows[2]["valence"] == "-0.2000"


def test_a_table_that_is_not_sorted_by_time_says_so(tmp_path, capsys):
    lines = trembling(40)
    smooth(tmp_path, HEADER + "".join([*lines[20:], *lines[:20]]))
    assert "in.csv: time steps back on line 22; there a face starts" in capsys.readouterr().err
    smooth(tmp_path, HEADER + "".join(lines[::-1]), name="back.csv")
    assert "time steps back on line 3 and 38 more; " in capsys.readouterr().err
    two = [f"{line.strip()},{track}\n" for track in (0, 1) for line in lines]
    smooth(tmp_path, "timestamp,valence,arousal,face_id\n" + "".join(two), name="two.csv")
    assert capsys.readouterr().err == ""


def test_faces_and_films_do_not_disturb_each_other(tmp_path):
    alone = [row["valence"] for row in smooth(tmp_path, HEADER + "".join(trembling(40)))]
    mixed = "timestamp,valence,arousal,face_id,source\n"
    for line, other in zip(trembling(40), trembling(40, seed=5), strict=True):
        mixed += f"{line.strip()},0,a\n{other.strip()},1,a\n"
    mixed += "".join(f"{line.strip()},0,b\n" for line in trembling(40))
    rows = smooth(tmp_path, mixed)
    assert [row["valence"] for row in rows[:80:2]] == alone
    assert [row["valence"] for row in rows[80:]] == alone


def test_the_next_film_knows_nothing_of_the_last_even_if_its_clock_goes_on(tmp_path):
    rows = smooth(tmp_path, "timestamp,valence,arousal,source\n0,0.9,0,a\n0.1,-0.2,0,b\n")
    assert rows[1]["valence"] == "-0.2000"


def test_a_face_whose_clock_runs_apart_from_the_others_is_steadied_as_if_alone(tmp_path):
    lines = [line.strip().split(",") for line in trembling(40)]
    alone = [row["valence"] for row in smooth(tmp_path, HEADER + "".join(trembling(40)))]
    for apart, names in ((0.01, ",source"), (0.01, ",face_id"), (100, ",face_id")):
        mixed = HEADER.strip() + names + "\n"
        for t, v, a in lines:
            mixed += f"{float(t) + apart:.3f},{v},{a},x\n{t},{v},{a},y\n"
        rows = smooth(tmp_path, mixed)
        assert [row["valence"] for row in rows[1::2]] == alone
        assert [float(row["valence"]) for row in rows[::2]] == pytest.approx(
            [float(value) for value in alone], abs=2e-4
        )


def test_a_table_in_which_nothing_can_be_steadied_says_so(tmp_path, capsys):
    smooth(tmp_path, HEADER + "0,0.5,0\n40,0.1,0\n80,0.3,0\n")
    assert "no reading follows another of its face within 2 s" in capsys.readouterr().err
    smooth(tmp_path, HEADER + "0,0.5,0\n40,0.1,0\n40.1,0.3,0\n")
    assert not capsys.readouterr().err


def test_people_without_a_number_are_suspected_where_times_repeat(tmp_path, capsys):
    rows = [f"{t / 25},{{}},{v},0.1\n" for t in range(50) for v in (0.5, -0.5)]
    header = "timestamp,face_id,valence,arousal\n"
    smooth(tmp_path, header + "".join(row.format("") for row in rows))
    said = capsys.readouterr().err
    assert "50 rows with the time of the one above (several people without a face_id?)" in said
    numbered = "".join(row.format(i % 2) for i, row in enumerate(rows))
    smooth(tmp_path, header + numbered, name="two.csv")
    assert capsys.readouterr().err == ""


def test_no_time_at_all_to_forget_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        smooth(tmp_path, HEADER, "--forget-after", "0")
    assert "forget_after is 0.0 s, expected more than 0" in capsys.readouterr().err


def test_a_doubtful_detection_counts_less(tmp_path):
    rows = "".join(f"{i * 0.1:.1f},0.3,0,1\n" for i in range(30))
    head = f"timestamp,valence,arousal,confidence\n{rows}3.0,-0.7,0"
    said = [float(smooth(tmp_path, f"{head},{p}\n")[-1]["valence"]) for p in (1, 0.3)]
    assert said[0] < said[1] < 0.3


def test_semicolons_stay_semicolons(tmp_path):
    readings, out = tmp_path / "in.csv", tmp_path / "out.csv"
    readings.write_text("timestamp;valence;arousal\n0;0.5;0\n")
    assert main(["smooth", str(readings), "--out", str(out)]) == 0
    assert out.read_text().splitlines()[1].startswith("0;0.5000;0.0000;0.5;0;")


def test_memory_does_not_grow_with_the_rows(tmp_path):
    peaks = []
    for n in (500, 5000):
        text = HEADER + "".join(f"{i / 25},0.1,0.2\n" for i in range(n))
        (tmp_path / "in.csv").write_text(text)
        tracemalloc.start()
        assert main(["smooth", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")]) == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "in.csv, line 1: no header"),
        ("frame,valence,arousal\n1,0,0\n", "line 1: no column of times"),
        ("approx_time,frame,valence,arousal\n00:01,1,0,0\n", "line 1: no column 'timestamp'"),
        ("timestamp,valence\n0,0\n", "line 1: no column 'arousal'"),
        ("timestamp,valence,arousal,Valence\n", "line 1: two columns are named 'valence'"),
        (HEADER + "0,0,0\n1,high,0\n", "line 3: valence is 'high', not a number"),
        (HEADER + "0,0,0\n\n1,55,0\n", "line 4: valence is '55', outside -1..1"),
        (HEADER + "0,0,0\n1,0\n", "line 3: 2 cells, the header has 3"),
        (HEADER + "inf,0,0\n", "line 2: timestamp is 'inf', not a number"),
        (HEADER + ",0,0\n", "line 2: timestamp is '', not a time"),
        ("timestamp;valence;arousal\n0;0,5;0\n", "line 2: valence is '0,5', and decimal commas"),
        ("timestamp,valence,arousal,confidence\n0,0,0,88\n", "confidence is '88', outside 0..1"),
    ],
)
def test_a_table_that_cannot_be_smoothed_is_one_line_with_file_and_line(
    tmp_path, capsys, text, why
):
    (tmp_path / "in.csv").write_text(text)
    assert main(["smooth", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert why in said
    assert not (tmp_path / "out.csv").exists()


def test_the_input_is_never_overwritten(tmp_path, capsys):
    readings = tmp_path / "in.csv"
    readings.write_text(HEADER)
    with pytest.raises(SystemExit):
        main(["smooth", str(readings), "--out", str(readings)])
    assert "it would be overwritten" in capsys.readouterr().err
    assert readings.read_text() == HEADER
