"""Values as other programs get them: read back with each protocol's own library."""

import csv
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

import tracker
from conftest import DEMO
from tracker.nameless import nameless
from tracker.sinks.base import SinkError
from tracker.sinks.rows import columns
from tracker.sinks.streams import open_lsl, open_osc, open_websocket
from tracker.sinks.tables import csv_table
from tracker.sources import Span, open_source
from tracker.values import Box, Note, Step

EMOTRACK = [sys.executable, "-m", "tracker"]
HEADER = columns()
FILM = "film.mp4"  # what an LSL stream is of
WORDS = {"source", "scene_place", "note"}


@pytest.fixture(scope="module")
def steps():
    """Two and a half seconds of the demo: a face, then a cut, then nobody."""
    with tracker.build() as reader:
        return [Step(f, reader.take(f)) for f in open_source(DEMO, Span(1.4, 2.8))]


@pytest.fixture(scope="module")
def table(steps, tmp_path_factory):
    """The rows of the same results as --csv writes them."""
    path = tmp_path_factory.mktemp("table") / "out.csv"
    with csv_table(str(path), HEADER) as sink:
        for step in steps:
            sink.write(step)
    return read_table(path)


def read_table(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def number(cell):
    return float(cell) if cell != "" else None


def numbers(row):
    """The cells of a table's row that are no words."""
    return [number(cell) for name, cell in row.items() if name not in WORDS]


def a_minute(folder):
    """The demo, ten times: a film may be named once."""
    return [shutil.copy(DEMO, folder / f"{i}.mp4") for i in range(10)]


def now(step):
    """The step as if its frame had arrived just now."""
    return Step(replace(step.frame, arrived=time.monotonic()), step.result)


# Lab Streaming Layer.


@contextmanager
def lsl_inlet(name):
    pylsl = pytest.importorskip("pylsl")
    (found,) = pylsl.resolve_byprop("name", name, timeout=30)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(timeout=30)
    yield inlet
    inlet.close_stream()


def pulled(inlet, n):
    samples, times = [], []
    deadline = time.monotonic() + 60
    while len(samples) < n and time.monotonic() < deadline:
        chunk, when = inlet.pull_chunk(timeout=1.0)
        samples += chunk
        times += when
    return samples, times


def test_an_lsl_inlet_gets_the_numbers_of_the_table_with_labels_units_and_lsl_times(steps, table):
    pylsl = pytest.importorskip("pylsl")
    name = f"emotrack {uuid4()}"
    with open_lsl(name, HEADER, FILM) as sink, lsl_inlet(name) as inlet:
        about = inlet.info(timeout=30)
        arrived = []
        for step in steps:
            shown = now(step)
            arrived += [pylsl.local_clock()] * max(1, len(step.result.people))
            sink.write(shown)
        samples, times = pulled(inlet, len(table))
    assert (about.type(), about.nominal_srate()) == ("Affect", pylsl.IRREGULAR_RATE)
    assert about.get_channel_labels() == [*(c.name for c in HEADER), "latency"]
    assert about.get_channel_units() == [*(c.unit for c in HEADER), "s"]
    for sample, row in zip(samples, table, strict=True):
        seen = [None if math.isnan(value) else value for value in sample[:-1]]
        assert seen == numbers(row)
    latencies = [s.result.latency for s in steps for _ in s.result.people or [None]]
    assert [sample[-1] for sample in samples] == latencies
    assert times == pytest.approx(arrived, abs=0.02)


def test_words_are_left_out_of_an_lsl_stream(steps):
    pytest.importorskip("pylsl")
    name = f"emotrack {uuid4()}"
    header = columns(source=True, scene=True, notes=True)
    assert {c.name for c in header if c.words} == WORDS
    noted = replace(steps[0], result=replace(steps[0].result, note=Note(1.25, "she laughs")))
    with open_lsl(name, header, FILM) as sink, lsl_inlet(name) as inlet:
        labels = inlet.info(timeout=30).get_channel_labels()
        sink.write(noted)
        (sample,), _ = pulled(inlet, 1)
    assert labels == [*(c.name for c in header if not c.words), "latency"]
    assert sample[labels.index("note_timestamp")] == 1.25


def test_an_lsl_inlet_that_never_reads_holds_up_nobody(steps):
    pytest.importorskip("pylsl")
    name = f"emotrack {uuid4()}"
    many = 100 * steps
    with open_lsl(name, HEADER, FILM) as sink, lsl_inlet(name), lsl_inlet(name) as reading:
        for step in many:
            sink.write(step)
        samples, _ = pulled(reading, sum(max(1, len(step.result.people)) for step in many))
    frames = [step.result.index + 1 for step in many for _ in step.result.people or [None]]
    assert [sample[0] for sample in samples] == frames


def test_an_lsl_inlet_goes_on_with_the_next_run_on_the_same_input_and_with_no_other(steps):
    pylsl = pytest.importorskip("pylsl")
    name, step = f"emotrack {uuid4()}", steps[0]

    def at_frame(n):
        return replace(step, result=replace(step.result, index=n - 1))

    with open_lsl(name, HEADER, "camera 1") as other, ExitStack() as first_run:
        first = first_run.enter_context(open_lsl(name, HEADER, "camera 0"))
        found = pylsl.resolve_byprop("name", name, minimum=2, timeout=30)
        assert len({about.source_id() for about in found}) == 2
        first.write(at_frame(1))
        (ours,) = (a for a in found if a.source_id() == source_id_of(name, "camera 0"))
        inlet = pylsl.StreamInlet(ours)
        inlet.open_stream(timeout=30)
        first.write(at_frame(2))
        assert [sample[0] for sample in pulled(inlet, 1)[0]] == [2]
        first_run.close()
        other.write(at_frame(3))
        with open_lsl(name, HEADER, "camera 0") as second:
            came, deadline = [], time.monotonic() + 60
            while not came and time.monotonic() < deadline:  # until it has found the stream again
                second.write(at_frame(4))
                other.write(at_frame(3))
                came, _ = inlet.pull_chunk(timeout=0.2)
            inlet.close_stream()
    assert {sample[0] for sample in came} == {4}


def test_a_second_run_of_the_same_lsl_stream_is_refused_while_the_first_goes_on(steps):
    pytest.importorskip("pylsl")
    name = f"emotrack {uuid4()}"
    with open_lsl(name, HEADER, "camera 0"), open_lsl(name, HEADER, "camera 1"):
        second = open_lsl(name, HEADER, "camera 0")
        with pytest.raises(SinkError, match=f"--lsl {name}: .* another NAME"), second:
            pass
    with open_lsl(name, HEADER, "camera 0"):
        pass


def source_id_of(name, of):
    from tracker.sinks.lsl import source_id

    return source_id(name, HEADER, of)


def test_the_id_of_an_lsl_stream_is_of_what_is_read_and_tells_nobody_what_that_is(monkeypatch):
    pytest.importorskip("pylsl")
    ids = [source_id_of(n, of) for n in ("a", "b") for of in ("camera 0", "/home/ana/film.mp4")]
    assert len(set(ids)) == 4
    assert ids[3] == source_id_of("b", "/home/ana/film.mp4")  # in the next run, too
    assert "ana" not in ids[3]
    monkeypatch.setattr("tracker.sinks.lsl.gethostname", lambda: "another machine")
    assert ids[3] != source_id_of("b", "/home/ana/film.mp4")


# Open Sound Control.


@contextmanager
def osc_server(port=0):
    """Everything an OSC server was told, in order. port: 0 for any."""
    pytest.importorskip("pythonosc")
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    heard = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda address, *cells: heard.append((address, cells)))
    with BlockingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], heard
        finally:
            server.shutdown()
            thread.join()


def as_rows(heard):
    """Rows, put together again from the messages; latencies and counts of faces beside them."""
    rows, frames = [], []
    frame, face = {}, {}
    for address, cells in heard:
        name = address.removeprefix("/emotrack/")
        if name == "frame":
            frame, face = {}, {}
        if name == "faces":
            frames.append((frame.pop("latency"), *cells))
            if cells == (0,):
                rows.append({**frame, "success": 0})
        elif name.startswith("face/"):
            if name == "face/confidence":  # the first of a face
                face = {**frame, "success": 1, "face_id": cells[0]}
                rows.append(face)
            face[name.removeprefix("face/")] = cells[1]
        else:
            (frame[name],) = cells
    return rows, frames


def test_an_osc_server_gets_the_values_of_the_table_and_nothing_for_what_is_missing(steps, table):
    with osc_server() as (port, heard), open_osc("127.0.0.1", port, HEADER) as sink:
        for i, step in enumerate(steps):
            sink.write(step)
            deadline = time.monotonic() + 10
            while len(as_rows(list(heard))[1]) <= i and time.monotonic() < deadline:
                time.sleep(0.01)  # UDP: a burst would be cut short
        deadline = time.monotonic() + 10
        while len(as_rows(list(heard))[0]) < len(table) and time.monotonic() < deadline:
            time.sleep(0.01)
    rows, frames = as_rows(heard)
    for row, expected in zip(rows, table, strict=True):
        filled = {name: float(cell) for name, cell in expected.items() if cell != ""}
        assert row == pytest.approx(filled, rel=1e-6, abs=1e-6)  # 32-bit floats
        assert row["timestamp"] == filled["timestamp"]  # sent as a 64-bit one
    assert frames == [
        (pytest.approx(step.result.latency), len(step.result.people)) for step in steps
    ]


def test_an_osc_host_that_nobody_knows_is_one_error():
    pytest.importorskip("pythonosc")
    with pytest.raises(SinkError, match=r"--osc nowhere\.invalid:9000: "):
        open_osc("nowhere.invalid", 9000, HEADER)


def test_osc_to_where_nobody_listens_yet_is_heard_once_somebody_does(steps):
    port = free_port(socket.SOCK_DGRAM)
    with open_osc("127.0.0.1", port, HEADER) as sink:
        for step in steps[:-1]:
            sink.write(step)
        with osc_server(port) as (_, heard):
            sink.write(steps[-1])  # the system answers the one before with a refusal
            sink.write(steps[-1])
            deadline = time.monotonic() + 10
            while not as_rows(list(heard))[1] and time.monotonic() < deadline:
                time.sleep(0.01)
    frames = {row["frame"] for row in as_rows(heard)[0]}
    assert frames == {steps[-1].result.index + 1}


# Websocket.


@contextmanager
def websocket(token=None):
    pytest.importorskip("websockets")
    port = free_port()
    with open_websocket("127.0.0.1", port, token, HEADER) as sink:
        yield sink, f"ws://127.0.0.1:{port}/"
    assert not [thread for thread in threading.enumerate() if thread.name == "websocket"]


def connected(address, **options):
    from websockets.sync.client import connect

    return connect(address, open_timeout=30, **options)


def wait_for_clients(sink, n):
    deadline = time.monotonic() + 30
    while len(sink._clients) != n and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(sink._clients) == n


def test_a_websocket_client_gets_a_message_per_frame_with_the_rows_of_the_table(steps, table):
    with websocket() as (sink, address), connected(address) as client:
        wait_for_clients(sink, 1)
        messages = []
        for step in steps:
            sink.write(step)
            messages.append(json.loads(client.recv(timeout=30)))
    rows = [row for message in messages for row in message["rows"]]
    for row, expected in zip(rows, table, strict=True):
        assert list(row) == list(expected)
        assert list(row.values()) == numbers(expected)
    for message, step in zip(messages, steps, strict=True):
        assert message["frame"] == step.result.index + 1
        assert message["timestamp"] == message["rows"][0]["timestamp"]
        assert message["latency"] == round(step.result.latency, 6)


def test_a_websocket_client_that_says_nothing_is_let_go(steps):
    """The end waits for it, too: a browser that opens connections ahead is enough."""
    with websocket() as (sink, _), socket.create_connection((sink._host, sink._port)) as silent:
        silent.settimeout(8)
        assert silent.recv(100) == b""


def test_a_websocket_on_a_host_that_nobody_knows_says_so():
    pytest.importorskip("websockets")
    with (
        pytest.raises(SinkError, match=r"^--ws nowhere\.invalid:9000: (?!Unknown error)"),
        open_websocket("nowhere.invalid", 9000, None, HEADER),
    ):
        pass


def test_a_websocket_client_that_never_reads_holds_up_nobody_and_keeps_little(steps):
    with websocket() as (sink, address), connected(address), connected(address) as reader:
        wait_for_clients(sink, 2)
        last = []
        listening = threading.Thread(target=lambda: last.extend(json.loads(m) for m in reader))
        listening.start()
        for i in range(10_000):
            result = replace(steps[0].result, index=i)
            sink.write(Step(steps[0].frame, result))
        deadline = time.monotonic() + 60
        while not (last and last[-1]["frame"] == 10_000) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert all(queue.qsize() <= 30 for queue in sink._clients)
        reader.close()
        listening.join()
    frames = [message["frame"] for message in last]
    assert frames[-1] == 10_000
    assert frames == sorted(set(frames))


def test_a_websocket_client_may_come_late_leave_and_talk(steps):
    with websocket() as (sink, address):
        sink.write(steps[0])
        with connected(address) as client:
            wait_for_clients(sink, 1)
            for _ in range(100):
                client.send("hello")
            sink.write(steps[5])
            assert json.loads(client.recv(timeout=30))["frame"] == steps[5].result.index + 1
        wait_for_clients(sink, 0)
        sink.write(steps[6])


def refused(address, **options):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as why:
        connected(address, **options)
    return why.value.response.status_code


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost.evil.example", "null", "http://10.0.0.7:8080"],
)
def test_pages_from_elsewhere_are_refused(origin):
    with websocket() as (_, address):
        assert refused(address, origin=origin) == 403


@pytest.mark.parametrize("origin", [None, "http://localhost:5173", "https://127.0.0.1"])
def test_programs_and_pages_of_this_machine_are_let_in(steps, origin):
    with websocket() as (sink, address), connected(address, origin=origin) as client:
        wait_for_clients(sink, 1)
        sink.write(steps[0])
        assert json.loads(client.recv(timeout=30))["rows"]


def test_a_websocket_with_a_token_lets_in_only_who_knows_it(steps):
    with websocket(token="sesame") as (sink, address):
        assert refused(address) == 401
        assert refused(f"{address}?token=open") == 401
        assert refused(address, additional_headers={"Authorization": "Bearer open"}) == 401
        known = {"Authorization": "Bearer sesame"}
        with (
            connected(f"{address}?token=sesame") as one,
            connected(address, additional_headers=known) as other,
        ):
            wait_for_clients(sink, 2)
            sink.write(steps[0])
            assert one.recv(timeout=30) == other.recv(timeout=30)


# The command, and this process as the second one.


def test_the_command_feeds_all_streams_the_values_of_its_table(tmp_path):
    for package in ("pylsl", "pythonosc", "websockets"):
        pytest.importorskip(package)
    name, port, out = f"emotrack {uuid4()}", free_port(), tmp_path / "out.csv"
    with osc_server() as (osc, heard):
        words = ["--live", "--csv", out, "--lsl", name, "--ws", port, "--osc", f"127.0.0.1:{osc}"]
        words += ["--ws-token", "sesame"]
        running = subprocess.Popen([*EMOTRACK, *a_minute(tmp_path), *map(str, words)])
        try:
            with lsl_inlet(name) as inlet, connected(f"ws://127.0.0.1:{port}/?token=sesame") as ws:
                samples, _ = pulled(inlet, 30)
                messages = [json.loads(ws.recv(timeout=30)) for _ in range(30)]
        finally:
            running.send_signal(signal.SIGINT)
            code = running.wait(60)
        assert code == 130
    rows = defaultdict(list)  # one of each run through the same film
    for row in read_table(out):
        rows[row["frame"], row["face_id"]].append(row)
    by_websocket = [row for message in messages for row in message["rows"]]
    assert len(by_websocket) >= 30
    for row in by_websocket:
        key = str(row["frame"]), "" if row["face_id"] is None else str(row["face_id"])
        words = WORDS & set(row)
        seen = [row[w] for w in words], [v for w, v in row.items() if w not in WORDS]
        assert seen in [([r[w] for w in words], numbers(r)) for r in rows[key]]
    assert len(samples) >= 30
    for sample in samples:
        key = f"{sample[0]:.0f}", "" if math.isnan(sample[2]) else f"{sample[2]:.0f}"
        seen = [None if math.isnan(value) else value for value in sample[:-1]]
        assert seen in [numbers(r) for r in rows[key]]
    by_osc, _ = as_rows(heard)
    assert len(by_osc) > 20
    for row in by_osc:
        expected = rows[str(row["frame"]), str(row.get("face_id", ""))]
        assert row["timestamp"] == number(expected[0]["timestamp"])
        told = [number(r["valence"]) for r in expected]
        assert any(row.get("valence") == pytest.approx(value) for value in told)
    assert "sesame" not in out.with_suffix(".meta.json").read_text("utf-8")


def test_json_lines_of_a_live_run_come_while_it_runs(tmp_path):
    out = tmp_path / "out.csv"
    words = ["--live", "--jsonl", "-", "--csv", str(out)]
    running = subprocess.Popen([*EMOTRACK, *a_minute(tmp_path), *words], stdout=subprocess.PIPE)
    lines = [json.loads(running.stdout.readline()) for _ in range(20)]
    assert running.poll() is None  # a minute of film is not over yet
    running.send_signal(signal.SIGINT)
    rest = [json.loads(line) for line in running.stdout]  # whole to the end
    running.stdout.close()
    assert running.wait(60) == 130
    rows = read_table(out)
    assert len(rows) == len(lines) + len(rest)
    for line, row in zip([*lines, *rest], rows, strict=True):
        assert list(line) == list(row)
        for word in WORDS & set(line):
            assert (line.pop(word) or "") == row[word]
        assert list(line.values()) == numbers(row)


def test_a_port_that_is_taken_is_one_line_exit_2_and_no_file(tmp_path):
    pytest.importorskip("websockets")
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        ran = subprocess.run(
            [*EMOTRACK, str(DEMO), "--csv", "out.csv", "--ws", str(port)],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr == f"emotrack: --ws 127.0.0.1:{port}: Address already in use\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words, package",
    [
        (["--lsl", "name"], "pylsl"),
        (["--osc", "127.0.0.1:9000"], "python-osc"),
        (["--ws", "8765"], "websockets"),
    ],
)
def test_without_the_extra_one_line_says_what_to_install(words, package):
    module = package.replace("python-osc", "pythonosc")
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from tracker.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(DEMO), *words], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 2
    assert ran.stderr == (f"emotrack: {words[0]} needs {package}: pip install 'emotrack[stream]'\n")


def test_a_system_without_the_library_under_pylsl_gets_its_words_on_one_line(tmp_path):
    (tmp_path / "pylsl.py").write_text("raise RuntimeError('no library was found.\\n Look here.')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [*EMOTRACK, str(DEMO), "--lsl", "name"],
        capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "emotrack: --lsl: no library was found. Look here.\n"


@pytest.mark.parametrize(
    "words, why",
    [
        (["--osc", "9000"], "'9000' is no place such as 127.0.0.1:9000"),
        (["--ws", "host:"], "'host:' is no place"),
        (["--ws", "99999"], "'127.0.0.1:99999' is no place"),
        (["--ws-token", "a"], "--ws-token is asked of the clients of a websocket"),
        (["--lsl", ""], "is empty"),
        (["--lsl", "Ana's face"], "holds a '"),
        (["--no-faces-out", "--person", "0=ana", "--profile", "p"], "exclude each other"),
    ],
)
def test_a_stream_that_cannot_be_is_a_wrong_command(words, why):
    ran = subprocess.run([*EMOTRACK, "a.mp4", *words], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert why in ran.stderr


def test_beyond_this_machine_without_a_token_there_is_a_warning(caplog):
    pytest.importorskip("websockets")
    for host, token, said in [("0.0.0.0", None, 1), ("0.0.0.0", "a", 0), ("127.0.0.1", None, 0)]:
        caplog.clear()
        with open_websocket(host, free_port(), token, HEADER):
            assert len(caplog.records) == said


def test_streams_leave_no_file_open(steps, tmp_path):
    def files():
        return len(os.listdir("/proc/self/fd"))

    def once():
        name = f"emotrack {uuid4()}"
        with websocket() as (sink, address), connected(address) as client:
            wait_for_clients(sink, 1)
            sink.write(steps[0])
            client.recv(timeout=30)
        with osc_server() as (port, _), open_osc("127.0.0.1", port, HEADER) as sink:
            sink.write(steps[0])
        with open_lsl(name, HEADER, FILM) as sink:
            sink.write(steps[0])

    for package in ("pylsl", "pythonosc", "websockets"):
        pytest.importorskip(package)
    once()  # what a library opens once and keeps
    before = files()
    once()
    deadline = time.monotonic() + 10
    while files() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert files() <= before


# Nobody followed.


def test_without_ids_nothing_but_the_face_id_is_missing(tmp_path):
    plain, bare = tmp_path / "plain.csv", tmp_path / "bare.csv"
    for out, words in [(plain, []), (bare, ["--no-faces-out"])]:
        ran = subprocess.run(
            [*EMOTRACK, str(DEMO), "--csv", str(out), "--end", "1", *words], timeout=120
        )
        assert ran.returncode == 0
    rows = [read_table(path) for path in (plain, bare)]
    assert {row["face_id"] for row in rows[1]} == {""}
    assert rows[1] == [{**row, "face_id": ""} for row in rows[0]]


def test_without_ids_no_stream_carries_one(steps):
    for package in ("pylsl", "pythonosc", "websockets"):
        pytest.importorskip(package)
    name, header, step = f"emotrack {uuid4()}", columns(ids=False), steps[0]
    with open_lsl(name, header, FILM) as lsl, lsl_inlet(name) as inlet:
        lsl.write(step)
        ((sample, *_), _) = pulled(inlet, 1)
        labels = inlet.info(timeout=30).get_channel_labels()
    port = free_port()
    with (
        osc_server() as (udp, heard),
        open_osc("127.0.0.1", udp, header) as osc,
        open_websocket("127.0.0.1", port, None, header) as ws,
        connected(f"ws://127.0.0.1:{port}/") as client,
    ):
        wait_for_clients(ws, 1)
        osc.write(step)
        ws.write(step)
        (row,) = json.loads(client.recv(timeout=30))["rows"]
        deadline = time.monotonic() + 10
        while not any("/face/" in address for address, _ in heard) and time.monotonic() < deadline:
            time.sleep(0.01)
    said = dict(zip(labels, sample, strict=True))
    assert math.isnan(said["face_id"])
    assert row["face_id"] is None
    assert said["face_x"] == row["face_x"] == round(step.result.people[0].face.box.x0, 1)
    of_faces = [(address, cells) for address, cells in heard if "/face/" in address]
    assert {cells[0] for _, cells in of_faces} == {None}


def test_without_ids_the_order_of_rows_tells_nobody_apart(steps):
    (person,) = steps[0].result.people

    def at(track, x):
        return replace(person, face=replace(person.face, track=track, box=Box(x, 0.0, x + 9, 9.0)))

    found = nameless(replace(steps[0].result, people=(at(4, 50.0), at(7, 10.0))))
    assert [(p.face.track, p.face.box.x0) for p in found.people] == [(0, 10.0), (1, 50.0)]


def test_without_ids_the_summary_speaks_of_nobody():
    ran = subprocess.run(
        [*EMOTRACK, str(DEMO), "--no-faces-out"], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0
    assert "150 frames, faces in " in ran.stdout
    assert "strongest moments: what faces show" in ran.stdout
    assert "face 0" not in ran.stdout
