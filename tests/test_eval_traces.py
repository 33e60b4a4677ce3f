"""`emotrack eval traces`: scores by hand, intervals, lag, and the command itself."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.traces.files import TraceFile
from calibration.traces.intervals import block_sums, intervals, measures_of_sums
from calibration.traces.report import as_json, as_text
from calibration.traces.scores import (
    MEASURES,
    best_lag,
    score_pair,
    score_series,
    score_traces,
)
from calibration.traces.series import Sampling, Trace
from tracker.cli import main

RATE = 4.0
CLOCK = np.arange(0, 240, 1 / RATE)
WAVE = 0.5 * np.sin(CLOCK / 7) + 0.2 * np.sin(CLOCK / 2.3)
values = st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=4, max_size=40)


def file(name="a", **axes):
    return TraceFile(name, {k: Trace(*v) for k, v in axes.items()}, ())


def write(path, pts, *columns, header="timestamp,valence"):
    path.parent.mkdir(exist_ok=True)
    rows = zip(pts, *columns, strict=True)
    path.write_text(
        f"{header}\n" + "".join(",".join(f"{v:.6f}" for v in row) + "\n" for row in rows)
    )
    return str(path)


def test_every_score_stands_beside_what_the_constant_mean_gets():
    scores = score_series("valence", [(WAVE, WAVE)], RATE, 30)
    assert scores.ours["CCC"] == scores.ours["ICC(2,1)"] == pytest.approx(1)
    assert scores.ours["RMSE"] == scores.lag == 0
    assert scores.constant["CCC"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(scores.constant["Pearson"])
    assert scores.constant["RMSE"] == pytest.approx(WAVE.std())


@given(values, values)
def test_intervals_measure_the_same_as_the_measures(x, y):
    n = min(len(x), len(y))
    x, y = np.array(x[:n]), np.array(y[:n])
    sums = block_sums(x, y, 3).sum(0, keepdims=True)
    for name, found in measures_of_sums(sums).items():
        if np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3:
            assert found[0] == pytest.approx(MEASURES[name](x, y), abs=1e-6)


def test_intervals_are_reproducible_hold_the_score_and_narrow_with_time():
    rng = np.random.default_rng(0)
    noisy = WAVE + rng.normal(0, 0.2, len(WAVE))
    scores = score_series("valence", [(noisy, WAVE)], RATE, 10)
    again = score_series("valence", [(noisy, WAVE)], RATE, 10)
    assert scores.interval == again.interval
    for name, (low, high) in scores.interval.items():
        assert low < scores.ours[name] < high
    longer = score_series("valence", [(noisy, WAVE)] * 4, RATE, 10)
    wide, narrow = (np.diff(s.interval["CCC"])[0] for s in (scores, longer))
    assert narrow < 0.7 * wide


def test_an_interval_is_the_spread_of_the_score_over_blocks_drawn_anew():
    rng = np.random.default_rng(0)
    noisy = WAVE + rng.normal(0, 0.2, len(WAVE))
    found = intervals([(noisy, WAVE)], RATE, 30)
    ours, gold = noisy.reshape(8, -1), WAVE.reshape(8, -1)
    drawn = [rng.integers(0, 8, 8) for _ in range(2000)]
    for name, there in (("CCC", np.arctanh), ("Pearson", np.arctanh), ("RMSE", np.log)):
        scores = [MEASURES[name](ours[d].ravel(), gold[d].ravel()) for d in drawn]
        reach = 2.3646 * np.std(there(scores)) * math.sqrt(8 / 7)  # t of 7 degrees, of a table
        low, high = there(np.array(found[name]))
        assert (low + high) / 2 == pytest.approx(there(MEASURES[name](noisy, WAVE)), rel=1e-6)
        assert (high - low) / 2 == pytest.approx(reach, rel=0.08)


def test_a_short_last_block_counts_for_little():
    noisy = WAVE + np.random.default_rng(0).normal(0, 0.2, len(WAVE))
    end = round(210.5 * RATE)  # seven blocks, and two ticks of an eighth
    seven = intervals([(noisy[: end - 2], WAVE[: end - 2])], RATE, 30)["RMSE"]
    eighth = intervals([(noisy[:end], WAVE[:end])], RATE, 30)["RMSE"]
    assert eighth == pytest.approx(seven, rel=0.02)


def test_perfect_agreement_has_no_spread():
    for name, ends in intervals([(WAVE, WAVE)], RATE, 30).items():
        assert ends == pytest.approx([0, 0] if "MSE" in name else [1, 1], abs=2e-6)


def test_blocks_make_intervals_of_slow_errors_wider_than_single_moments_would():
    slow = WAVE + 0.3 * np.sin(CLOCK / 11)
    single, block = (score_series("valence", [(slow, WAVE)], RATE, b) for b in (0.25, 20))
    assert np.diff(block.interval["CCC"]) > 2 * np.diff(single.interval["CCC"])


def test_a_film_too_short_for_blocks_has_no_interval():
    scores = score_series("valence", [(WAVE[:200], WAVE[:200])], RATE, 30)
    assert all(math.isnan(end) for ends in scores.interval.values() for end in ends)


@pytest.mark.parametrize("late", [-9.5, -2, 0, 0.25, 3, 9.75])
def test_the_lag_is_found_and_positive_if_the_prediction_is_late(late):
    moved = 0.5 * np.sin((CLOCK - late) / 7) + 0.2 * np.sin((CLOCK - late) / 2.3)
    lag, height = best_lag([(moved, WAVE)], RATE)
    assert lag == late
    assert height == pytest.approx(1)


def test_a_lag_beyond_reach_or_without_any_likeness_is_no_number():
    ramp = CLOCK / 240
    assert all(math.isnan(v) for v in best_lag([(ramp, -ramp)], RATE))
    far = 0.5 * np.sin((CLOCK - 14) / 7)
    assert math.isnan(best_lag([(far, 0.5 * np.sin(CLOCK / 7))], RATE)[0])


def test_a_lag_of_a_handful_of_moments_is_no_number():
    assert math.isnan(best_lag([(WAVE[:9], WAVE[:9])], RATE)[0])
    assert best_lag([(WAVE[:10], WAVE[:10])], RATE)[0] == 0


def test_gold_that_is_mostly_gaps_says_how_little_of_the_time_counts():
    every = file(valence=(CLOCK, WAVE))
    sparse = file(valence=(CLOCK[::20], WAVE[::20]))  # every 5 s
    (note,) = score_pair("x", every, sparse, Sampling(), 30).notes
    assert "valence counts in 59.0 s of 235.2 s" in note
    assert not score_pair("x", every, sparse, Sampling(hold=5), 30).notes


def test_files_of_different_rates_and_gaps_are_compared_at_one_clock():
    fine, coarse = np.arange(0, 60, 0.04), np.arange(0.5, 70, 1.0)
    kept = (fine < 20) | (fine > 30)
    said = file(valence=(fine[kept], np.floor(fine[kept] - 0.5) / 100))
    gold = file(valence=(coarse, np.floor(coarse - 0.5) / 100))
    found = score_pair("x", said, gold, Sampling(4, 1), 30)
    (scores,) = found.scores
    assert found.clock[[0, -1]].tolist() == [0.5, 59.75]
    assert scores.n == 238 - 37  # ticks from 21 s to 30 s; until then 19.96 s is believed
    assert scores.ours["RMSE"] < 0.006


@pytest.mark.parametrize("rate, late", [(1, 0), (20, -0.475)])
def test_a_table_coarser_than_the_clock_seems_late_by_half_of_what_it_lacks(rate, late):
    fine = np.arange(0, 120, 0.05)
    wave = np.sin(fine / 3)
    (scores,) = score_pair(
        "x", file(valence=(fine, wave)), file(valence=(fine[::20], wave[::20])), Sampling(rate), 30
    ).scores
    assert scores.lag == pytest.approx(late, abs=0.026)


def test_a_constant_gold_has_no_concordance_and_says_so():
    flat = np.full(len(CLOCK), 0.2)
    found = score_pair(
        "x", file(valence=(CLOCK, WAVE)), file(valence=(CLOCK, flat)), Sampling(), 30
    )
    whole = score_traces([found], Sampling(), 30)
    plain = as_json(whole)["pooled"]["valence"]
    for name in ("CCC", "Pearson", "ICC(2,1)", "ICC(3,1)"):
        assert plain["ours"][name] is plain["constant"][name] is plain["interval"][name] is None
    assert plain["lag_s"] is None
    assert plain["ours"]["RMSE"] > 0
    text = as_text(whole)
    assert "gold valence is constant (0.2): CCC, Pearson, ICC and lag are not defined" in text
    assert "nan" not in text


def test_a_constant_prediction_has_no_pearson_and_says_so():
    flat = np.full(len(CLOCK), 0.2)
    found = score_pair(
        "x", file(valence=(CLOCK, flat)), file(valence=(CLOCK, WAVE)), Sampling(), 30
    )
    assert found.scores[0].ours["CCC"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(found.scores[0].ours["Pearson"])
    assert "predicted valence is constant" in found.notes[0]


def test_another_scale_is_pointed_out():
    found = score_pair(
        "x", file(valence=(CLOCK, WAVE)), file(valence=(CLOCK, 5 + 4 * WAVE)), Sampling(), 30
    )
    assert any("not -1..1" in note for note in found.notes)


def test_two_files_give_a_table_json_and_a_page(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    both = "timestamp,valence,arousal"
    said = write(tmp_path / "said.csv", CLOCK + 2, WAVE, 0.5 * WAVE, header=both)
    gold = write(tmp_path / "gold.csv", CLOCK, WAVE, WAVE, header=both)
    data, page = tmp_path / "s.json", tmp_path / "p.html"
    assert main(["eval", "traces", said, gold, "--json", str(data), "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert "constant (mean)" in text
    assert "intervals: 95%, by drawing blocks of 30 s again and again" in text
    scores = json.loads(data.read_text())
    assert scores["pooled"]["valence"]["lag_s"] == 2
    assert scores["files"]["said"]["arousal"]["ours"]["Pearson"] < 1
    html = page.read_text("utf-8")
    assert html.count("<svg") == 1
    assert str(tmp_path) not in html + data.read_text()


def test_two_folders_are_scored_by_file_and_pooled(tmp_path, capsys):
    for i, name in enumerate(("a", "b")):
        write(tmp_path / "said" / f"{name}.csv", CLOCK, WAVE + 0.1 * i)
        write(tmp_path / "gold" / f"{name}.csv", CLOCK, WAVE)
    write(tmp_path / "gold" / "c.csv", CLOCK, WAVE)
    data = tmp_path / "s.json"
    words = ["eval", "traces", str(tmp_path / "said"), str(tmp_path / "gold"), "--json", str(data)]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "left out, without a partner" in text
    assert text.count("constant mean") == 2
    scores = json.loads(data.read_text())
    one = {name: s["valence"]["ours"]["MSE"] for name, s in scores["files"].items()}
    assert one == pytest.approx({"a": 0, "b": 0.01}, abs=1e-9)
    assert scores["pooled"]["valence"]["ours"]["MSE"] == pytest.approx(0.005)
    assert scores["pooled"]["valence"]["n"] == 2 * scores["files"]["a"]["valence"]["n"]


def test_an_axis_says_how_many_of_the_files_have_it(tmp_path, capsys):
    both = "timestamp,valence,arousal"
    for folder in ("said", "gold"):
        write(tmp_path / folder / "a.csv", CLOCK, WAVE, WAVE, header=both)
        write(tmp_path / folder / "b.csv", CLOCK, WAVE)
    assert main(["eval", "traces", str(tmp_path / "said"), str(tmp_path / "gold")]) == 0
    text = capsys.readouterr().out
    assert "valence, 2 of 2 files" in text
    assert "arousal, 1 of 2 files" in text


def test_a_drawing_leaves_out_an_interval_that_is_not_defined(tmp_path):
    pytest.importorskip("matplotlib")
    said = write(tmp_path / "said.csv", CLOCK, 0.5 * WAVE)
    gold = write(tmp_path / "gold.csv", CLOCK, WAVE)
    page = tmp_path / "p.html"
    words = ["eval", "traces", said, gold, "--block", "1000", "--html", str(page)]
    assert main(words) == 0
    assert "<!-- CCC 0.799 -->" in page.read_text("utf-8")


def test_a_column_and_a_face_of_the_predictions_can_be_chosen(tmp_path, capsys):
    rows = [f"{t},{k},{w},{w * k}\n" for t, w in zip(CLOCK, WAVE, strict=True) for k in (0, 1)]
    (tmp_path / "said.csv").write_text("timestamp,face_id,valence_raw,valence\n" + "".join(rows))
    gold = write(tmp_path / "gold.csv", CLOCK, WAVE)
    base = ["eval", "traces", str(tmp_path / "said.csv"), gold, "--json", "-"]
    found = []
    for words in (["--face", "1"], ["--face", "0"], ["--columns", "valence_raw,arousal_raw"]):
        assert main([*base, *words]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [f["pooled"]["valence"]["ours"]["CCC"] for f in found] == pytest.approx([1, 0, 1])
    assert "face 0 of 2" in found[2]["notes"][0]


@pytest.mark.parametrize(
    "said, gold, why",
    [
        ("time,valence\n0,1\n5,1\n", "time,valence\n10,1\n20,1\n", "gold.csv: 10 to 20 s)"),
        ("time,valence\n0,1\n", "time,arousal\n0,1\n", "no axis that both have"),
        ("time,valence\n0,1\n", "time,valence\n1,1\n0,1\n", "gold.csv, line 3: time is '0'"),
        ("time,valence\n0,1\n9e99,1\n", "time,valence\n0,1\n9e99,1\n", "in seconds?"),
    ],
)
def test_traces_that_cannot_be_compared_are_one_line(tmp_path, capsys, said, gold, why):
    (tmp_path / "said.csv").write_text(said)
    (tmp_path / "gold.csv").write_text(gold)
    page = tmp_path / "p.html"
    words = ["eval", "traces", str(tmp_path / "said.csv"), str(tmp_path / "gold.csv")]
    assert main([*words, "--html", str(page)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert why in said.err
    assert not page.exists()


@pytest.mark.parametrize(
    "words, why",
    [
        (["--json", "gold.csv"], "gold.csv is an input; it would be overwritten"),
        (["--json", "same", "--html", "same"], "same is named for two outputs"),
        (["--json", "new.json", "--html", "nowhere/p.html"], "nowhere/p.html: cannot write"),
        (["--json", "new.json", "--html", "folder"], "folder: cannot write (Is a directory)"),
    ],
)
def test_outputs_are_looked_at_before_the_first_is_written(
    tmp_path, monkeypatch, capsys, words, why
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    gold = write(tmp_path / "gold.csv", CLOCK, WAVE)
    before = (tmp_path / "gold.csv").read_text()
    try:
        code = main(["eval", "traces", gold, gold, *words])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert why in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "gold.csv"}
    assert (tmp_path / "gold.csv").read_text() == before


@pytest.mark.parametrize(
    "words", [["--rate", "0"], ["--hold", "-1"], ["--block", "0"], ["--columns", "v"]]
)
def test_options_that_mean_nothing_are_refused(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as stop:
        main(["eval", "traces", "a.csv", "b.csv", *words])
    assert stop.value.code == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize("begin", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_spreadsheet_is_told_what_to_become(tmp_path, capsys, begin):
    book, gold = tmp_path / "said.xlsx", write(tmp_path / "gold.csv", CLOCK, WAVE)
    book.write_bytes(begin + bytes(range(256)))
    assert main(["eval", "traces", str(book), gold]) == 2
    told = f"emotrack: {book}: a spreadsheet, no table; save it as CSV (UTF-8)\n"
    assert capsys.readouterr().err == told
