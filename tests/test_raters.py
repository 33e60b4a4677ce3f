"""`emotrack calibrate raters`: rating files, what is fitted, what is written."""

import csv
import io
import json
import re

import numpy as np
import pytest

from calibration.raters.fit import AxisFit, RaterFit, fit_raters
from calibration.raters.rated import as_raters
from calibration.raters.ratings import read_ratings, split_name
from calibration.traces.series import Sampling, Trace
from calibration.traces.tables import TraceError, open_table
from tracker.cli import main

CLOCK = np.arange(0, 200, 0.25)


def wave(t):
    return 0.4 * np.sin(t / 5) + 0.2 * np.sin(t / 1.7)


def rated(delay=0.0, gain=1.0, offset=0.0, noise=0.0, seed=0):
    """What a rater says of the wave."""
    heard = np.random.default_rng(seed).normal(0, 1, len(CLOCK)) * noise
    return Trace(CLOCK, np.clip(gain * wave(CLOCK - delay) + offset + heard, -1, 1))


def fit(**raters):
    return fit_raters({"valence": Trace(CLOCK, wave(CLOCK))}, {"valence": raters}, Sampling())


def read(paths):
    ratings, left_out = read_ratings(paths)
    assert left_out == []
    return ratings


def write(path, text):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_raters_delay_gain_and_offset_are_found():
    found = fit(
        ann=rated(2.5, 0.8, 0.1), ben=rated(0, 1.2, -0.05), eve=rated(4.25, 0.5, -0.3, 0.05)
    )
    for name, wanted in {"ann": (2.5, 0.8, 0.1), "ben": (0, 1.2, -0.05)}.items():
        line = found.raters[name].axes["valence"]
        assert (found.raters[name].delay, line.gain, line.offset) == pytest.approx(wanted, abs=1e-6)
    eve = found.raters["eve"]
    assert eve.delay == pytest.approx(4.25, abs=0.25)
    assert eve.axes["valence"].gain == pytest.approx(0.5, abs=0.02)
    assert found.notes == ()


def test_a_delay_that_leaves_hardly_any_common_time_is_not_taken():
    short = Trace(CLOCK[:48], rated(1).values[:48])  # 12 s, of which the end looks alike by chance
    readings = Trace(
        CLOCK[:48], np.where(CLOCK[:48] < 2.5, wave(CLOCK[:48] + 8.5), wave(CLOCK[:48]))
    )
    found = fit_raters({"valence": readings}, {"valence": {"ann": short}}, Sampling())
    assert found.raters["ann"].delay < 6
    assert found.raters["ann"].axes["valence"].n >= 24


def test_a_film_that_begins_far_from_rest_does_not_make_delays_shorter():
    def slow(t):
        return 0.5 * np.exp(-np.maximum(t, 0) / 15) + 0.05 * np.sin(t / 12)

    found = []
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, 0.05, len(CLOCK))
        ratings = {"valence": {"ann": Trace(CLOCK, slow(CLOCK - 3) + noise)}}
        readings = {"valence": Trace(CLOCK, slow(CLOCK))}
        found.append(fit_raters(readings, ratings, Sampling()).raters["ann"].delay)
    assert np.mean(found) == pytest.approx(3, abs=0.3)


def test_both_axes_of_a_rater_share_one_delay():
    readings = {axis: Trace(CLOCK, wave(CLOCK)) for axis in ("valence", "arousal")}
    ratings = {"valence": {"ann": rated(2)}, "arousal": {"ann": rated(2, 0.5), "ben": rated(1)}}
    found = fit_raters(readings, ratings, Sampling())
    assert (found.raters["ann"].delay, found.raters["ben"].delay) == (2, 1)
    assert list(found.raters["ben"].axes) == ["arousal"]


def test_who_agrees_with_the_others_weighs_more_and_the_gold_trace_is_theirs():
    found = fit(ann=rated(), ben=rated(noise=0.05, seed=1), eve=rated(noise=0.6, seed=2))
    weights = {name: fit.axes["valence"].weight for name, fit in found.raters.items()}
    assert weights["ann"] > weights["ben"] > weights["eve"] > 0
    assert sum(weights.values()) == pytest.approx(1)
    by_hand = sum(
        weights[name] * trace.values
        for name, trace in {
            "ann": rated(),
            "ben": rated(noise=0.05, seed=1),
            "eve": rated(noise=0.6, seed=2),
        }.items()
    )
    assert found.gold.values["valence"] == pytest.approx(by_hand)


def test_the_gold_trace_does_not_depend_on_what_was_read():
    raters = {"ann": rated(2), "ben": rated(3, 0.7)}
    one = fit_raters({"valence": Trace(CLOCK, wave(CLOCK))}, {"valence": raters}, Sampling())
    other = fit_raters({"valence": Trace(CLOCK, -CLOCK / 200)}, {"valence": raters}, Sampling())
    assert np.array_equal(one.gold.values["valence"], other.gold.values["valence"])


def test_a_rater_missing_for_half_the_film_counts_where_they_were():
    half = rated(1, 0.9, 0.2)
    half = Trace(half.pts[:400], half.values[:400])
    found = fit(ann=rated(1), ben=rated(1, 0.8), cat=half)
    assert found.raters["cat"].axes["valence"].offset == pytest.approx(0.2, abs=0.01)
    assert found.agreement["valence"].n == 404  # and the second for which the last value is held
    assert np.isfinite(found.gold.values["valence"]).all()
    assert any("cat: valence covers 50%" in note or "51%" in note for note in found.notes)


def test_a_rater_who_never_moves_has_no_weight_no_gain_and_no_invented_number():
    found = fit(ann=rated(), ben=rated(noise=0.1), dull=Trace(CLOCK, np.full(len(CLOCK), 0.3)))
    dull = found.raters["dull"].axes["valence"]
    assert (dull.gain, dull.weight) == (0, 0)
    assert dull.offset == pytest.approx(0.3)
    assert np.isnan(dull.pearson)
    assert any("dull: valence is constant (0.3): no correlation, no CCC" in n for n in found.notes)
    assert found.agreement["valence"].ccc == pytest.approx(
        fit(ann=rated(), ben=rated(noise=0.1)).agreement["valence"].ccc
    )


def test_one_rater_alone_agrees_with_nobody():
    found = fit(ann=rated())
    assert np.isnan(found.agreement["valence"].alpha)
    assert found.raters["ann"].axes["valence"].weight == 1


def test_a_rater_of_another_time_is_refused_by_name():
    late = Trace(CLOCK + 1000, wave(CLOCK))
    with pytest.raises(TraceError, match="rater zoe: no valence at a time of which"):
        fit(ann=rated(), zoe=late)


@pytest.mark.parametrize(
    "name, parts",
    [
        ("valence", ("valence", "")),
        ("ben_valence", ("valence", "ben")),
        ("Arousal ben v", ("arousal", "ben_v")),
        ("A@arousal", ("arousal", "A")),
        ("prevalence", ("", "prevalence")),
    ],
)
def test_names_say_axis_and_rater(name, parts):
    assert split_name(name) == parts


def flat(found):
    return {
        (axis, rater): list(zip(t.pts.tolist(), t.values.tolist(), strict=True))
        for axis, raters in found.items()
        for rater, t in raters.items()
    }


def test_a_long_table_has_a_row_per_rater_and_moment(tmp_path):
    text = "rater,timestamp,valence,arousal\nann,0,0.1,0.2\nben,0,0.3,\nann,1,NaN,0.4\n"
    path = write(tmp_path / "r.csv", text)
    ratings, left_out = read_ratings([path])
    assert flat(ratings) == {
        ("valence", "ann"): [(0, 0.1)],
        ("arousal", "ann"): [(0, 0.2), (1, 0.4)],
        ("valence", "ben"): [(0, 0.3)],
    }
    assert left_out == [f"{path}: rater ben: no arousal"]


def test_a_long_table_may_have_a_row_per_axis(tmp_path):
    text = "Annotator,second,Dimension,Rating\nann,0,Valence,0.1\nann,0,arousal,0.2\nann,1,joy,7\n"
    assert flat(read([write(tmp_path / "r.csv", text)])) == {
        ("valence", "ann"): [(0, 0.1)],
        ("arousal", "ann"): [(0, 0.2)],
    }


def test_recola_has_a_column_per_rater_and_the_axis_in_the_folder_or_name(tmp_path):
    head = "time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3\n"  # as the set has it
    text = head + "0.00;0.10;0.00;0.00;-0.20;0.00;0.00\n0.04;0.11;NaN;NaN;NaN;NaN;NaN\n"
    wanted = {("valence", name): [(0, 0)] for name in ("FM2", "FM3", "FF2", "FF3")} | {
        ("valence", "FM1"): [(0, 0.1), (0.04, 0.11)],
        ("valence", "FF1"): [(0, -0.2)],
    }
    assert flat(read([write(tmp_path / "valence" / "P16.csv", text)])) == wanted
    path = write(tmp_path / "x" / "P16_Emotion_dim_valence_raw.csv", text)
    assert flat(read([path])) == wanted


def test_liris_means_are_one_rater_and_its_spread_is_none(tmp_path):
    path = write(tmp_path / "After_The_Rain_Arousal.txt", "Time\tMean\tStd\n0\t-0.14\t0.27\n")
    assert flat(read([path])) == {("arousal", "Mean"): [(0, -0.14)]}


GTRACE = "19/06/2014\nid10\nfilm.mp4\na.jpg\nArousal\n-1,1\n0,255,255\t255,255,0\t0,0,0\n0\n"


def test_liris_raw_ratings_name_their_rater_and_have_decimal_commas(tmp_path):
    path = write(tmp_path / "raw.txt", GTRACE + "0,12\t0\n2,24\t-0,0030303\n")
    assert flat(read([path])) == {("arousal", "id10"): [(0.12, 0), (2.24, -0.0030303)]}


ELAN = "{}\tAnn\t00:00:01.000\t1.0\t00:00:02.500\t2.5\t00:00:01.500\t1.5\t{}\n"
MEDIA = '"#file:///films/a.mp4 -- offset: 0, duration: 00:00:05.000 / 5.000 / 5000"\n'


def test_elan_exports_are_read_with_and_without_a_header(tmp_path):
    bare = write(tmp_path / "a.txt", ELAN.format("valence", "0.5") + ELAN.format("talk", '"oh" "'))
    found = read([bare])
    assert flat(found) == {("valence", "Ann"): [(1, 0.5)]}
    assert found["valence"]["Ann"].ends.tolist() == [2.5]
    head = "Begin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tben_arousal\tnotes\n"
    tiers = write(tmp_path / "b.txt", head + "1.0\t2.5\t1.5\t-0.5\tlooks away\n2.5\t3\t.5\t\t\n")
    assert flat(read([tiers])) == {("arousal", "ben"): [(1, -0.5)]}


@pytest.mark.parametrize(
    "text",
    [
        "valence\t1.0\t2.5\t1.5\t0.5\n",  # seconds alone
        "valence\t1000\t2500\t1500\t0.5\n",  # milliseconds
        "valence\t00:00:01.000\t00:00:02.500\t0.5\n",  # no duration
        "valence\t00:00:01.000\t1.0\t1000\t00:00:01:00\t00:00:02.500\t2.5\t2500\t00:00:02:12"
        "\t00:00:01.500\t1.5\t1500\t00:00:01:12\t0.5\n",  # every format, PAL too
        "valence\t\t1.0\t2.5\t1.5\t0.5\ta.eaf\t/films/a.eaf\n",  # of several files
        MEDIA + "\n" + "valence\t00:00:01.000\t00:00:02.500\t00:00:01.500\t0.5\n",
        MEDIA + MEDIA + "Begin Time - msec\tEnd Time - msec\tvalence\n1000\t2500\t0.5\n\n",
        "Temps de départ - ss.msec\ttemps de fin - ss.msec\tDurée - ss.msec\tvalence\n"
        "1.0\t2.5\t1.5\t0.5\n",  # of a French ELAN
        '"Begin Time - hh:mm:ss.ms","End Time - hh:mm:ss.ms","valence"\n'
        '00:00:01.000,00:00:02.500,"0.5"\n',  # saved as .csv
        '"valence","",00:00:01.000,1.0,00:00:02.500,2.5,00:00:01.500,1.5,"0.5"\n',
    ],
)
def test_what_else_elan_writes_is_the_same_interval(tmp_path, text):
    found = read([write(tmp_path / "cleo.txt", text)])
    assert flat(found) == {("valence", "cleo"): [(1, 0.5)]}
    assert found["valence"]["cleo"].ends.tolist() == [2.5]


@pytest.mark.parametrize(
    "text",
    [
        "Begin Time - PAL\tEnd Time - PAL\tvalence\n00:00:01:00\t00:00:02:12\t0.5\n",
        "valence\tAnn\t00:00:01;00\t00:00:02;12\t00:00:01;12\t0.5\n",
    ],
)
def test_an_elan_export_that_tells_frames_alone_says_what_to_tick(tmp_path, text):
    with pytest.raises(TraceError, match=r"e\.txt: its times are SMPTE .* tick one of 'ss\.msec'"):
        read_ratings([write(tmp_path / "e.txt", text)])


def test_lines_of_an_elan_export_are_counted_from_the_top_of_the_file(tmp_path):
    text = MEDIA + "\n" + ELAN.format("valence", "0.5") + ELAN.format("valence", "nice")
    with pytest.raises(TraceError, match=r"e\.txt, line 4: Value is 'nice', not a number"):
        read([write(tmp_path / "e.txt", text)])


def test_columns_beside_named_ratings_are_of_something_else(tmp_path):
    text = "t,valence,notes,arousal_mean,arousal_std\n0,0.1,laughs,0.2,9\n"
    assert flat(read([write(tmp_path / "ann.csv", text)])) == {
        ("valence", "ann"): [(0, 0.1)],
        ("arousal", "mean"): [(0, 0.2)],
    }


def test_a_table_with_one_raters_columns_is_named_after_its_file(tmp_path):
    one = write(tmp_path / "ann.csv", "t,valence,arousal\n0,0.1,0.2\n")
    two = write(tmp_path / "all.csv", "t,valence_ben\n0,0.3\n")
    assert flat(read([one, two])) == {
        ("valence", "ann"): [(0, 0.1)],
        ("valence", "ben"): [(0, 0.3)],
        ("arousal", "ann"): [(0, 0.2)],
    }


@pytest.mark.parametrize(
    "name, text, why",
    [
        (
            "r.csv",
            "rater,t,valence\na,0,0\na,2,0\nb,0,0\na,1,0\n",
            "line 5: 1 s of rater a is before",
        ),
        ("r.csv", "rater,t,valence\na,0,5\n", "line 2: valence is '5', outside -1..1"),
        ("r.csv", "rater,t,valence\na,0,high\n", "line 2: valence is 'high', not a number"),
        ("r.csv", "rater,t,valence\n,0,0\n", "line 2: rater is '', not a rater's name"),
        ("r.csv", "rater,t,joy\na,0,0\n", "line 1: neither 'valence' nor 'arousal'"),
        ("r.csv", "t,ann\n0,0\n", "neither its columns nor the names"),
        ("r.csv", "ann,valence\n0,0\n", "line 1: no column of times"),
        ("r.csv", "t,valence\n0,\n", "r.csv: no rating"),
        ("g.txt", GTRACE + "0,1\thigh\n", "g.txt, line 9: '0,1\\thigh' is no time and rating"),
        ("g.txt", GTRACE.replace("-1,1", "0,10"), "g.txt, line 6: scale is '0,10'"),
        ("e.txt", ELAN.format("valence", "nice"), "e.txt, line 1: Value is 'nice', not a number"),
        (
            "e.txt",
            "Begin Time - ss.msec\tDuration - ss.msec\tvalence\n1.0\t2.0\t0.5\n",
            "e.txt, line 1: no end beside 'Begin Time - ss.msec'",
        ),
        (
            "e.txt",
            "Begin Time - ss.msec\tEnd Time - ss.msec\tvalence\n2.0\t1.0\t0.5\n",
            "e.txt, line 2: End Time - ss.msec is '1.0', before its begin, 2 s",
        ),
    ],
)
def test_ratings_that_cannot_be_used_are_named_with_their_line(tmp_path, name, text, why):
    with pytest.raises(TraceError) as wrong:
        read([write(tmp_path / "x" / name, text)])
    assert why in str(wrong.value)


def test_a_rater_in_two_files_is_refused(tmp_path):
    paths = [write(tmp_path / n / "ann.csv", "t,valence\n0,0.1\n") for n in ("a", "b")]
    with pytest.raises(TraceError, match=r"valence of rater ann is in .*ann\.csv already"):
        read(paths)


@pytest.fixture
def film(tmp_path):
    """Readings of one face, and two raters of it who follow late."""
    rows = [f"{t:.6f},0,1,{wave(t):.6f},0.1\n" for t in CLOCK]
    rows.insert(400, "99.9,,0,,\n")
    text = "timestamp,face_id,success,valence,arousal\n" + "".join(rows)
    sums = {"detector": "dead", "face": "cafe", "memory": "beef"}
    meta = {"models": [{"role": role, "sha256": sha, "origin": sha} for role, sha in sums.items()]}
    write(tmp_path / "out.meta.json", json.dumps(meta))
    lines = "".join(
        f"{name},{t},{np.clip(gain * wave(t - delay), -1, 1)}\n"
        for name, delay, gain in (("ann", 2.0, 0.5), ("ben", 3.5, 1.5))
        for t in CLOCK
    )
    ratings = write(tmp_path / "ratings.csv", "rater,timestamp,valence\n" + lines)
    return write(tmp_path / "out.csv", text), ratings


def test_the_command_writes_a_profile_a_gold_trace_and_each_raters_readings(film, tmp_path, capsys):
    readings, ratings = film
    out, gold, scored = (tmp_path / n for n in ("raters.json", "gold.csv", "scored.csv"))
    words = [str(readings), str(ratings), "--out", str(out)]
    words += ["--gold", str(gold), "--as-raters", str(scored)]
    assert main(["calibrate", "raters", *words]) == 0
    assert "Cronbach's alpha" in capsys.readouterr().out
    profile = json.loads(out.read_text())
    assert [profile[k] for k in ("format", "model", "memory")] == [1, "cafe", "beef"]
    assert profile["raters"]["ann"]["delay"] == 2
    assert profile["raters"]["ann"]["valence"]["gain"] == pytest.approx(0.5, abs=1e-3)
    assert profile["raters"]["ann"]["arousal"]["gain"] == 1  # not rated: left as it is
    assert profile["raters"]["ann"]["arousal"]["n"] == 0
    assert profile["agreement"]["valence"]["raters"] == 2
    first = table(gold.read_text())[0]
    assert list(first) == ["timestamp", "valence"]
    rows = table(scored.read_text())
    assert list(rows[0])[-2:] == ["valence_ann", "valence_ben"]
    assert [rows[7]["valence_ann"], rows[13]["valence_ben"]] == ["", ""]  # not old enough
    assert float(rows[8]["valence_ann"]) == pytest.approx(0.5 * wave(0), abs=1e-3)
    late = rows[-1]
    assert float(late["valence_ann"]) == pytest.approx(0.5 * wave(CLOCK[-1] - 2), abs=2e-3)


def scored(tmp_path, rows, hold=1.0):
    """What `as_raters` adds for a rater who is 1 s late, halves and adds 0.1."""
    fit = RaterFit(1.0, {"valence": AxisFit(0.5, 0.1, 1, 0.9, 100)})
    path = write(tmp_path / "t.csv", "timestamp,face_id,success,valence\n" + "".join(rows))
    with open_table(path) as readings:
        return [cells[-1] for cells in as_raters(readings, {"ann": fit}, hold)][1:]


def test_what_a_rater_would_say_depends_on_nothing_later(tmp_path):
    past = [f"{t},0,1,{wave(t):.6f}\n" for t in CLOCK[:200]]
    one = scored(tmp_path, [*past, "50,0,1,0.9\n", "60,0,1,0.9\n"])
    other = scored(tmp_path, [*past, "50,0,1,-0.9\n"])
    assert one[:201] == other == scored(tmp_path, past) + one[200:201]
    assert float(other[50]) == pytest.approx(0.5 * wave(CLOCK[46]) + 0.1, abs=1e-4)


def test_each_face_is_scored_from_its_own_past_and_a_lost_one_is_not(tmp_path):
    rows = ["0,0,1,1\n", "0,1,1,-1\n", "1,0,1,0\n", "1,1,0,0\n", "2,0,1,0\n", "2.1,1,1,0\n"]
    assert scored(tmp_path, rows) == ["", "", "0.6000", "-0.4000", "0.1000", ""]
    assert scored(tmp_path, ["5,0,1,1\n", "0,0,1,1\n", "6,0,1,1\n"]) == ["", "", ""]


CARMA = (
    "Time of Rating,21-Nov-2026 10:11:12\nMultimedia File,film, part 1.mp4\nLower Label,bad\n"
    "Upper Label,good\nMinimum Value,-100\nMaximum Value,100\nNumber of Steps,9\n"
    "Second,Rating\n%%%%%%,%%%%%%\n"
)


def test_carma_states_its_scale_and_leaves_out_seconds_that_nobody_rated(tmp_path):
    path = write(tmp_path / "ben_valence.csv", CARMA + "1,0\n2,NaN\n3,27.7778\n4,-100\n")
    trace = read([path])["valence"]["ben"]
    assert trace.pts.tolist() == [1, 3, 4]
    assert trace.values == pytest.approx([0, 0.277778, -1])
    nine = CARMA.replace("-100", "1").replace("100", "9")
    path = write(tmp_path / "eve_arousal.csv", nine + "1,1\n2,3\n3,9\n")
    assert read([path])["arousal"]["eve"].values.tolist() == [-1, -0.5, 1]


@pytest.mark.parametrize(
    "name, text, why",
    [
        ("a_valence.csv", CARMA + "1,0\n2,101\n", "line 11: rating is 101, outside the file's"),
        ("a_valence.csv", CARMA + "1,0\n2,0,3\n", "line 11: '2,0,3' is no time and rating"),
        ("a_valence.csv", CARMA.replace("-100", "low") + "1,0\n", "scale is 'low' to '100'"),
        ("a_valence.csv", CARMA + "2,0\n1,0\n", "line 11: 1 s of rater a is before the 2 s"),
        ("a_valence.csv", CARMA, "no rating"),
        ("film.csv", CARMA + "1,0\n", "say valence or arousal"),
    ],
)
def test_what_carma_cannot_have_written_is_named_with_its_line(tmp_path, name, text, why):
    with pytest.raises(TraceError, match=why) as wrong:
        read([write(tmp_path / name, text)])
    assert name in str(wrong.value)


def test_a_rater_never_leaves_the_scale(tmp_path):
    fit = RaterFit(0.0, {"valence": AxisFit(4, 0, 1, 0.9, 100)})
    path = write(tmp_path / "t.csv", "t,valence\n0,0.5\n1,-0.5\n")
    with open_table(path) as readings:
        found = [cells[-1] for cells in as_raters(readings, {"ann": fit}, 1.0)]
    assert found == ["valence_ann", "1.0000", "-1.0000"]


@pytest.mark.parametrize(
    "name, text, why",
    [
        ("cleo.csv", "t,valence,arousal\n0,,\n1,NaN,\n", "rater cleo: no valence and no arousal"),
        ("all.csv", "rater,t,arousal\neve,0,\neve,1,n/a\n", "rater eve: no arousal"),
        ("e.txt", ELAN.format("cleo_valence", ""), "rater cleo: no valence"),
        ("cleo_valence.csv", CARMA + "1,NaN\n", "rater cleo: no valence"),
        ("f_id7.txt", "Mon\nid7\nf\n-\nvalence\n-1,1\n-\n-\n", "rater id7: no valence"),
        ("cleo.csv", "t,valence\n", "no rating"),
    ],
)
def test_a_rater_without_a_single_rating_is_named_with_the_file(film, capsys, name, text, why):
    readings, ratings = film
    empty, out = write(readings.parent / "more" / name, text), readings.with_name("r.json")
    words = [str(readings), str(ratings), str(empty), "--out", str(out)]
    assert main(["calibrate", "raters", *words]) == 0
    assert f"emotrack: {empty}: {why}\n" in capsys.readouterr().err
    assert list(json.loads(out.read_text())["raters"]) == ["ann", "ben"]


def test_no_output_overwrites_an_input(film, capsys):
    readings, ratings = film
    for target in (readings, ratings):
        with pytest.raises(SystemExit):
            main(["calibrate", "raters", str(readings), str(ratings), "--out", str(target)])
        assert "would be overwritten" in capsys.readouterr().err


def test_a_gold_trace_that_cannot_be_written_leaves_no_raters_without_it(film, capsys):
    readings, ratings = film
    out, gold = readings.with_name("r.json"), readings.parent / "nowhere" / "g.csv"
    words = [str(readings), str(ratings), "--out", str(out), "--gold", str(gold)]
    assert main(["calibrate", "raters", *words]) == 2
    assert "g.csv: cannot write" in capsys.readouterr().err
    assert not out.exists()


def test_ratings_that_hardly_meet_the_readings_are_said_to_be_too_few(film, capsys):
    readings, ratings = film
    lines = ratings.read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    late = [f"{name},{float(t) * 1000},{value}" for name, t, value in cells]  # ms
    write(ratings, "\n".join([lines[0], *late]) + "\n")
    out = readings.with_name("r.json")
    assert main(["calibrate", "raters", str(readings), str(ratings), "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert re.search(r"rater ann: valence has \d moments with a reading, too few to fit", said)


def test_ratings_told_in_another_unit_than_seconds_are_one_line(film, capsys):
    readings, _ = film
    ratings = write(readings.with_name("far.csv"), "rater,time,valence\na,0,0.1\na,9e99,0.2\n")
    out = readings.with_name("r.json")
    assert main(["calibrate", "raters", str(readings), str(ratings), "--out", str(out)]) == 2
    assert "ratings: times are 0 to 9e+99 s" in capsys.readouterr().err
    assert not out.exists()
