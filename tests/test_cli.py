"""The program as its user meets it: files in, tables and exit codes out, shipped networks."""

import csv
import errno
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import DEMO, manifest, write_film
from tracker.models import hash_file

EMOTRACK = [sys.executable, "-m", "tracker"]


def emotrack(*words, cwd=None, **options):
    return subprocess.run(
        [*EMOTRACK, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        **options,
    )


def table(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def meta(path):
    return json.loads(path.with_suffix(".meta.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The README's main command, run once."""
    out = tmp_path_factory.mktemp("demo") / "out.csv"
    ran = emotrack(DEMO, "--csv", out)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    return out


def test_the_demo_gives_a_row_per_frame_and_face_in_order_of_time(demo):
    rows = table(demo)
    frames = [int(row["frame"]) for row in rows]
    assert sorted(set(frames)) == list(range(1, max(frames) + 1))
    times = [float(row["timestamp"]) for row in rows]
    assert times == sorted(times)
    assert {row["success"] for row in rows} == {"0", "1"}  # the portrait, and the cut away


def test_the_demo_finds_the_one_face_and_gives_it_a_new_number_after_the_cut(demo):
    seen = [row for row in table(demo) if row["success"] == "1"]
    assert [row["face_id"] for row in seen if row["frame"] == seen[0]["frame"]] == ["0"]
    assert {row["face_id"] for row in seen} == {"0", "1"}
    assert all(float(row["confidence"]) > 0.5 for row in seen)


def test_readings_stay_on_their_scales_and_a_smile_is_pleasant(demo):
    seen = [row for row in table(demo) if row["success"] == "1"]
    for row in seen:
        for name in ("valence", "arousal", "valence_raw", "arousal_raw"):
            assert -1 <= float(row[name]) <= 1
        shown = [float(row[name]) for name in ("neutral", "happiness", "sadness", "anger")]
        assert shown[1] == max(shown)
    assert np.mean([float(row["valence"]) for row in seen]) > 0.3


def test_the_sidecar_says_what_ran_on_what(demo):
    about = meta(demo)
    (film,) = about["inputs"]
    assert film["name"] == "demo.mp4"
    assert film["sha256"] == hash_file(DEMO)
    assert film["bytes"] == DEMO.stat().st_size
    assert {m["role"] for m in about["models"]} == {"detector", "face", "memory", "scene"}
    for model in about["models"]:
        assert len(model["sha256"]) == 64
        assert "onnxruntime" in model["ran_on"]
        assert model["scores"]
    rows = table(demo)
    run = about["run"]
    assert (run["rows"], run["errors"], run["finished"]) == (len(rows), 0, True)
    assert run["frames"] == int(rows[-1]["frame"])
    assert [c["name"] for c in about["columns"]] == list(rows[0])
    assert str(DEMO.parent) not in json.dumps(about["inputs"])


def test_the_sidecars_first_and_last_time_are_the_tables(tmp_path):
    film = write_film(tmp_path / "thirds.mp4", [i / 3 for i in range(6)])
    emotrack(film, "--start", "0.3", "--csv", tmp_path / "out.csv")
    run, rows = meta(tmp_path / "out.csv")["run"], table(tmp_path / "out.csv")
    said = [run["first_pts"], run["last_pts"]]
    assert said == [float(rows[i]["timestamp"]) for i in (0, -1)] == [0.333333, 1.666667]


def test_json_lines_on_standard_output_are_the_rows_of_the_table(demo):
    ran = emotrack(DEMO, "--jsonl", "-")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    for line, row in zip(lines, table(demo), strict=True):
        assert {k: "" if v is None else v for k, v in line.items()} == {
            k: type(line[k])(cell) if cell and line[k] is not None else cell
            for k, cell in row.items()
        }


def test_two_runs_give_the_same_bytes(demo, tmp_path):
    emotrack(DEMO, "--csv", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == demo.read_bytes()


def test_without_an_output_a_summary_is_printed(tmp_path):
    ran = emotrack(DEMO)
    assert ran.returncode == 0
    assert "strongest moments" in ran.stdout
    assert "happiness" in ran.stdout


def test_the_columns_of_a_summary_stand_in_line_however_long_the_names(tmp_path):
    long = shutil.copy(DEMO, tmp_path / "a film with a rather long name.mp4")
    lines = emotrack(DEMO.name, long, cwd=DEMO.parent).stdout.splitlines()
    people = lines[lines.index("") + 1 :][:5]
    assert people[0].split() == ["face", "seen", "valence", "arousal", "mostly"]
    assert len({line.rindex("  ") for line in people}) == 1
    moments = [line for line in lines if "  face " in line]
    assert len({line.index("  face ") for line in moments}) == 1


def test_one_person_is_no_people(tmp_path):
    ran = emotrack(DEMO, "--end", 0.04)
    assert "1 frame, 1 person (track) seen" in ran.stdout


def test_a_part_of_a_film_has_the_times_of_the_whole(demo, tmp_path):
    out = tmp_path / "part.csv"
    assert emotrack(DEMO, "--csv", out, "--start", 1, "--end", 2, "--every", 0.25).returncode == 0
    times = [float(row["timestamp"]) for row in table(out)]
    assert times == pytest.approx([1.0, 1.28, 1.52, 1.76], abs=0.021)
    assert {f"{t:.6f}" for t in times} <= {row["timestamp"] for row in table(demo)}
    assert [row["frame"] for row in table(out)] == ["1", "8", "14", "20"]


def test_several_inputs_name_their_source_and_never_share_ids(tmp_path):
    out, copy = tmp_path / "out.csv", tmp_path / "copy.mp4"
    copy.write_bytes(DEMO.read_bytes())
    assert emotrack(DEMO, copy, "--csv", out).returncode == 0
    rows = table(out)
    assert next(iter(rows[0])) == "source"
    assert {row["source"] for row in rows} == {str(DEMO), str(copy)}
    half = len(rows) // 2
    ids = [{r["face_id"] for r in part if r["face_id"]} for part in (rows[:half], rows[half:])]
    assert ids == [{"0", "1"}, {"2", "3"}]
    assert [r["frame"] for r in rows[:half]] == [r["frame"] for r in rows[half:]]


def test_a_folder_of_face_crops_is_read_whole(tmp_path):
    faces = tmp_path / "faces"
    faces.mkdir()
    for i in range(3):
        cv2.imwrite(str(faces / f"{i}.png"), np.full((48, 48), 60 * i, np.uint8))
    out = tmp_path / "out.csv"
    ran = emotrack(faces, "--faces", "whole", "--csv", out)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = table(out)
    assert [r["source"] for r in rows] == ["0.png", "1.png", "2.png"]
    assert {(r["success"], r["confidence"], r["face_w"]) for r in rows} == {("1", "", "48.0")}
    assert {r["frame"] for r in rows} == {"1"}
    for row in rows:  # a still has nothing to be steadied with
        assert float(row["valence"]) == pytest.approx(float(row["valence_raw"]), abs=2e-3)


def test_the_sidecar_says_why_a_column_that_the_options_leave_empty_is(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 48), 90, np.uint8))
    out = tmp_path / "out.csv"
    emotrack(tmp_path / "grey.png", "--faces", "whole", "--no-faces-out", "--csv", out)
    why = {c["name"]: c["empty"] for c in meta(out)["columns"] if "empty" in c}
    assert list(why) == [name for name, cell in table(out)[0].items() if not cell]
    assert why["face_id"] == "who is who is not written down (--no-faces-out)"
    assert why["confidence"] == "each picture was given as a face; nobody looked for one"


def test_no_face_in_a_photo_is_a_row_without_a_face(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((90, 160, 3), 128, np.uint8))
    ran = emotrack(tmp_path / "grey.png", "--jsonl", "-")
    (row,) = map(json.loads, ran.stdout.splitlines())
    assert (row["success"], row["face_id"], row["valence"]) == (0, None, None)


BAD = {
    "missing.mp4": None,
    "text.mp4": b"shopping list\n",
    "empty.mp4": b"",
    "text.png": b"shopping list\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line_exit_2_and_no_file(tmp_path, name):
    if BAD[name] is not None:
        (tmp_path / name).write_bytes(BAD[name])
    ran = emotrack(name, "--csv", "out.csv", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert name in ran.stderr
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("row", manifest() or [None], ids=lambda r: r and r["file"])
def test_hard_clips_end_as_documented(shared, tmp_path, row):
    if row["file"].startswith("hard/"):
        out = tmp_path / "out.csv"
        ran = emotrack(shared / "clips" / row["file"], "--csv", out, "--quiet")
        decoded = int(row["decoded_frames"])
        damaged = row["file"] in (
            "hard/corrupted.mp4",
            "hard/truncated.mkv",
            "hard/raw_lost_slices.264",
        )
        assert ran.returncode == (2 if not decoded else 3 if damaged else 0), ran.stderr
        assert "Traceback" not in ran.stderr
        if decoded:
            assert len({r["frame"] for r in table(out)}) == decoded
            assert (meta(out)["run"]["errors"] > 0) == damaged
        else:
            assert ran.stderr.count("\n") == 1
            assert not list(tmp_path.iterdir())


def test_one_bad_input_among_good_ones_is_exit_3_and_the_good_ones_are_done(tmp_path):
    out = tmp_path / "out.csv"
    ran = emotrack("nowhere.mp4", DEMO, "--csv", out)
    assert ran.returncode == 3
    assert ran.stderr == "emotrack: nowhere.mp4: no such file or folder\n"
    assert {row["source"] for row in table(out)} == {str(DEMO)}
    run = meta(out)["run"]
    assert (run["errors"], run["notes"]) == (1, ["nowhere.mp4: no such file or folder"])


def test_an_input_without_a_frame_is_in_the_records_beside_the_good_one(tmp_path):
    short = write_film(tmp_path / "short.mp4", [0.0, 0.04])
    out = tmp_path / "out.csv"
    ran = emotrack(short, DEMO, "--start", 1, "--csv", out)
    why = f"{short}: no frame between 1 s and its end"
    assert (ran.returncode, ran.stderr) == (3, f"emotrack: {why}\n")
    run = meta(out)["run"]
    assert (run["errors"], run["notes"]) == (1, [why])


def test_a_table_into_a_pipe_has_no_sidecar(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    running = subprocess.Popen([*EMOTRACK, DEMO, "--end", "0.1", "--csv", pipe])
    assert len(pipe.read_text("utf-8").splitlines()) == 1 + 3
    assert running.wait(60) == 0
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    "words, why",
    [
        (["--csv", "nowhere/out.csv"], "nowhere/out.csv: cannot write"),
        (["--csv", "out.csv", "--jsonl", "nowhere/o.jsonl"], "nowhere/o.jsonl: cannot write"),
        (["--csv", ""], "--csv names no file"),
        (["--csv", "/dev/full"], "/dev/full: cannot write (No space left"),
        (["--start", "3", "--end", "2"], "--end 2 is not after --start 3"),
        (["--every", "0"], "--every 0 is no step of more than 0"),
        (["--start", "nan"], "--start nan is no time"),
        (["--explain", "a.png", "--explain-at", "nan"], "--explain-at nan is no time"),
        (["--min-confidence", "7"], "min_confidence is 7.0"),
        (["--detector-size", "4000"], "detector_size is 4000"),
        (["--csv", str(DEMO)], "demo.mp4 is an input"),
        (["--csv", f"{'x' * 300}.csv"], "x.csv: cannot write (File name too long)"),
        (["--explain", f"{'x' * 300}/e.png"], "x: File name too long"),
        (["--detector", "magic"], "magic"),
        (["--faces", "whole", "--detector", "yunet"], "--faces whole nothing is detected"),
        (["--faces", "whole", "--min-confidence", "0.9"], "--min-confidence 0.9: with --faces"),
        (["--person", "ana"], "--person is of a profile"),
    ],
)
def test_a_command_that_cannot_work_says_why_and_leaves_nothing(tmp_path, words, why):
    ran = emotrack(DEMO, *words, cwd=tmp_path)
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) <= 2  # how it is used, and what is wrong
    assert why in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_whole_rows_and_says_so(tmp_path):
    film = write_film(tmp_path / "long.mp4", [i / 25 for i in range(2000)])
    limit = 60_000  # bytes; enough for the sidecar, not for the rows

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ran = emotrack(film, "--csv", "out.csv", cwd=tmp_path, preexec_fn=small_disk)
    text = (tmp_path / "out.csv").read_text("utf-8")
    n = text.count("\n") - 1
    assert n > 100
    why = f"out.csv: cannot write ({os.strerror(errno.EFBIG)}); out.csv keeps {n} rows"
    assert ran.stderr == f"emotrack: {why}\n"
    assert ran.returncode == 3
    assert text.endswith("\n")
    widths = {len(row) for row in csv.reader(io.StringIO(text))}
    assert len(widths) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"long.mp4", "out.csv", "out.meta.json"}
    assert meta(tmp_path / "out.csv")["run"]["finished"] is False


@pytest.mark.parametrize("flag", ["--start", "--end", "--every"])
def test_a_time_of_photos_is_refused_and_one_of_a_film_beside_them_is_not(tmp_path, flag):
    (tmp_path / "album").mkdir()
    cv2.imwrite(str(tmp_path / "album" / "a.png"), np.full((48, 48, 3), 90, np.uint8))
    ran = emotrack("album", "album/a.png", flag, "0.2", cwd=tmp_path)
    assert ran.returncode == 2
    assert f"{flag} is for films; album is no film" in ran.stderr
    if flag == "--end":
        assert emotrack("album", DEMO, flag, "0.2", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("name", [f"{'x' * 300}.mp4", "round.mp4"])
def test_an_input_that_the_system_will_not_look_up_is_one_line_and_the_others_are_done(
    tmp_path, name
):
    (tmp_path / "round.mp4").symlink_to("round.mp4")
    ran = emotrack(name, DEMO, "--end", "0.2", "--csv", "out.csv", cwd=tmp_path)
    assert ran.returncode == 3
    why = r"(File name too long|Too many levels of symbolic links)"
    assert re.fullmatch(rf"emotrack: {name}: cannot be read \({why}\)\n", ran.stderr)
    assert (tmp_path / "out.csv").read_text().count("\n") == 6


def test_a_film_is_not_overwritten_under_another_of_its_names(tmp_path):
    film = write_film(tmp_path / "a.mp4", [i / 25 for i in range(5)])
    before = film.read_bytes()
    (tmp_path / "b.csv").hardlink_to(film)
    (tmp_path / "c.csv").symlink_to(film)
    for words in (["a.mp4", "--csv", "b.csv"], ["a.mp4", "--jsonl", "c.csv"]):
        ran = emotrack(*words, cwd=tmp_path)
        assert (ran.returncode, film.read_bytes()) == (2, before)
        assert f"{words[2]} is an input; it would be overwritten" in ran.stderr
    ran = emotrack("smooth", "a.mp4", "--out", "b.csv", cwd=tmp_path)
    assert (ran.returncode, film.read_bytes()) == (2, before)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="has no /dev/stdout")
def test_no_sidecar_stands_beside_dev_stdout_even_where_it_leads_to_a_file(tmp_path):
    words = ["--scene", "none", "--end", "0.2", "--csv", "/dev/stdout"]
    with (tmp_path / "rows").open("wb") as rows:
        ran = subprocess.run([*EMOTRACK, str(DEMO), *words], stdout=rows, stderr=subprocess.PIPE)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "rows").read_text().count("\n") == 6
    assert not Path("/dev/stdout.meta.json").exists()


def test_whoever_started_us_may_have_closed_the_standard_streams(tmp_path):
    def without(*numbers):
        def close():
            for number in numbers:
                os.close(number)

        return close

    words = [*EMOTRACK, str(DEMO), "--scene", "none", "--end", "0.2"]
    quiet = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    ran = subprocess.run(words, preexec_fn=without(1), **quiet)
    assert (ran.returncode, ran.stderr) == (0, "")
    table = [*words, "--csv", "out.csv"]
    ran = subprocess.run(table, preexec_fn=without(0, 1, 2), cwd=tmp_path)
    assert ran.returncode == 0
    assert (tmp_path / "out.csv").read_text().count("\n") == 6
    ran = subprocess.run([*words, "--csv", "-"], preexec_fn=without(1), **quiet)
    assert ran.returncode == 2
    assert ran.stderr == "emotrack: standard output: cannot write (it is closed)\n"


def test_a_table_is_not_done_when_whoever_read_the_other_one_has_left(tmp_path):
    film = write_film(tmp_path / "long.mp4", [i / 25 for i in range(2000)])
    words = [*EMOTRACK, str(film), "--csv", "out.csv", "--jsonl", "-"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, **streams, text=True, cwd=tmp_path) as running:
        assert '"frame": 1' in running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
    n = (tmp_path / "out.csv").read_text().count("\n") - 1
    assert 0 < n < 2000
    assert (
        said == f"emotrack: whoever read standard output has left; out.csv keeps "
        f"{n} row{'s' * (n != 1)}\n"
    )
    assert running.returncode == 3


def test_a_run_that_nobody_listens_to_any_more_goes_on(tmp_path):
    words = ["nope.mp4", str(DEMO), "nope.mp4", "--end", "0.2", "--csv", "out.csv"]
    read, write = os.pipe()
    with subprocess.Popen([*EMOTRACK, *words], stderr=write, cwd=tmp_path) as running:
        os.close(read)
        os.close(write)
    assert running.returncode == 3
    assert (tmp_path / "out.csv").read_text().count("\n") == 6


def run_until_there(tmp_path, out, then, *words):
    """A long run to which `then` happens once it has written 2000 bytes."""
    film = write_film(tmp_path / "long.mp4", [i / 25 for i in range(20_000)])
    running = subprocess.Popen(
        [*EMOTRACK, str(film), *words], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size > 2000) and time.monotonic() < deadline:
        time.sleep(0.02)
    then(running)
    _, said = running.communicate(timeout=60)
    return running.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_table_removed_while_it_is_written_is_nothing_unless_another_keeps_its_rows(tmp_path):
    out, other = tmp_path / "out.csv", tmp_path / "other.jsonl"
    removed = "emotrack: out.csv: was removed while it was being written"
    code, said = run_until_there(tmp_path, out, lambda _: out.unlink(), "--csv", "out.csv")
    assert (code, said) == (2, f"{removed}\n")
    words = ("--csv", "out.csv", "--jsonl", "other.jsonl")
    code, said = run_until_there(tmp_path, out, lambda _: out.unlink(), *words)
    assert code == 3
    assert said == f"{removed}; other.jsonl keeps {other.read_text().count(chr(10))} rows\n"


def test_a_sidecar_that_cannot_be_finished_does_not_take_the_table_with_it(tmp_path):
    about = tmp_path / "out.meta.json"

    def in_the_way(running):
        about.unlink()
        about.mkdir()

    code, said = run_until_there(
        tmp_path, tmp_path / "out.csv", in_the_way, "--csv", "out.csv", "--end", "40"
    )
    assert code == 3
    why = f"out.meta.json: cannot write ({os.strerror(errno.EISDIR)}); out.csv keeps 1000 rows"
    assert said == f"emotrack: {why}\n"
    assert (tmp_path / "out.csv").read_text().count("\n") == 1001


def test_a_smoothed_table_that_does_not_fit_is_not_there_in_part(tmp_path):
    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    rows = "".join(f"{i / 10},0.1,0.2\n" for i in range(2000))
    (tmp_path / "a.csv").write_text("timestamp,valence,arousal\n" + rows)
    ran = emotrack("smooth", "a.csv", "--out", "b.csv", cwd=tmp_path, preexec_fn=small_disk)
    why = f"b.csv: cannot write ({os.strerror(errno.EFBIG)})"
    assert (ran.returncode, ran.stderr) == (2, f"emotrack: {why}\n")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path):
    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    ran = emotrack(DEMO, "--csv", "out.csv", cwd=tmp_path, preexec_fn=full_disk)
    assert ran.returncode == 2
    assert "cannot write" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_smoothed_table_that_is_stopped_is_not_there_in_part(tmp_path):
    rows = "".join(f"{i / 10},0.1,0.2\n" for i in range(200_000))
    (tmp_path / "a.csv").write_text("timestamp,valence,arousal\n" + rows)
    out = tmp_path / "b.csv"
    with subprocess.Popen(
        [*EMOTRACK, "smooth", "a.csv", "--out", "b.csv"], stderr=subprocess.PIPE, cwd=tmp_path
    ) as running:
        deadline = time.monotonic() + 60
        while not (out.exists() and out.stat().st_size > 2000) and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == b"emotrack: stopped\n"
    assert running.returncode == 130
    assert not out.exists()


def test_pages_and_sidecars_are_written_through_links_as_tables_are(tmp_path):
    names = ("out.csv", "out.meta.json", "page.html")
    (tmp_path / "there").mkdir()
    for name in names:
        (tmp_path / name).symlink_to(Path("there", name))
    words = ("--end", "0.2", "--csv", "out.csv", "--report", "page.html")
    assert emotrack(DEMO, *words, cwd=tmp_path).returncode == 0
    assert {path.name for path in (tmp_path / "there").iterdir()} == set(names)
    assert all((tmp_path / name).is_symlink() for name in names)


@pytest.mark.parametrize("words", [("--explain", "out.png"), ("--report", "out.html")])
def test_a_picture_or_page_that_does_not_fit_leaves_the_one_before_it(tmp_path, words):
    before = tmp_path / words[1]
    before.write_bytes(b"before")

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    ran = emotrack(DEMO, "--end", "0.5", *words, cwd=tmp_path, preexec_fn=small_disk)
    assert ran.returncode == 2
    assert ran.stderr == f"emotrack: {words[1]}: cannot write ({os.strerror(errno.EFBIG)})\n"
    assert [p.name for p in tmp_path.iterdir()] == [words[1]]
    assert before.read_bytes() == b"before"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_sigterm_leaves_complete_rows_and_exit_130(tmp_path, how):
    film = write_film(tmp_path / "long.mp4", [i / 25 for i in range(20_000)])
    out = tmp_path / "out.csv"
    running = subprocess.Popen(
        [*EMOTRACK, str(film), "--csv", str(out)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size > 2000) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(how)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert said == "emotrack: stopped\n"
    text = out.read_text("utf-8")
    assert text.endswith("\n")
    assert len({len(row) for row in csv.reader(io.StringIO(text))}) == 1
    assert not meta(out)["run"]["finished"]
    assert meta(out)["run"]["rows"] == text.count("\n") - 1


def test_a_reader_that_leaves_early_is_no_error():
    ran = subprocess.run(
        f"{' '.join(EMOTRACK)} {DEMO} --jsonl - | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stderr == ""
    assert json.loads(ran.stdout)["frame"] == 1


@pytest.mark.parametrize("words, word", [(["--help"], "INPUT"), (["--version"], "emotrack 0")])
def test_help_and_version(words, word):
    ran = emotrack(*words)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert word in ran.stdout


def test_a_file_name_that_is_not_utf_8_is_read_and_told_on(tmp_path):
    for name in (b"a.jpg", b"caf\xe9.jpg"):
        cv2.imwrite(os.fsencode(tmp_path) + b"/" + name, np.full((40, 60, 3), 90, np.uint8))
    ran = emotrack(tmp_path, "--csv", "out.csv", "--report", "out.html", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [row["source"] for row in table(tmp_path / "out.csv")] == ["a.jpg", r"caf\udce9.jpg"]
    told = meta(tmp_path / "out.csv")["inputs"][1]["name"]
    assert os.fsencode(told) == b"caf\xe9.jpg"
    ran = emotrack(tmp_path, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert r"caf\udce9.jpg" in ran.stdout


def test_standard_output_on_a_full_disk_is_one_line():
    for words in ([DEMO], ["models", "list"]):
        with open("/dev/full", "wb") as full:
            ran = subprocess.run(
                [*EMOTRACK, *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert ran.returncode == 2
        why = os.strerror(errno.ENOSPC)
        assert ran.stderr == f"emotrack: cannot write standard output ({why})\n"


def test_models_are_listed_with_their_licences_and_found(fetched):
    listed = emotrack("models", "list")
    assert listed.returncode == 0
    for word in ("detector-s", "face-s", "memory-s", "yunet", "Apache-2.0", "fetched"):
        assert word in listed.stdout
    assert emotrack("models", "path", "yunet").stdout.strip().endswith(".onnx")


def test_an_unknown_model_is_exit_2():
    ran = emotrack("models", "pull", "magic")
    assert ran.returncode == 2
    assert ran.stderr.startswith("emotrack: magic cannot be fetched; known: ")


def test_the_main_command_needs_no_network(demo, tmp_path):
    alone = ["unshare", "--map-root-user", "--net"]
    try:
        possible = (
            subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this system lets nobody cut off a process's network")
    out = tmp_path / "out.csv"
    ran = subprocess.run(
        [*alone, *EMOTRACK, str(DEMO), "--csv", str(out)], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert out.read_bytes() == demo.read_bytes()
