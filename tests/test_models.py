import hashlib
import http.server
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tracker import models
from tracker.cli import main
from tracker.downloads import pull
from tracker.models import Fetched, ModelError, find_fetched, open_card, open_shipped, registry

SHIPPED = ("detector-s", "face-s", "face-s-int8", "memory-s", "scene-s")
BYTES = b"a network" * 1000


@pytest.fixture
def server(tmp_path):
    """Serves a folder on this machine, and nothing else."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(BYTES)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield Fetched(
            name="net",
            role="detector",
            file="net.onnx",
            url=f"http://127.0.0.1:{httpd.server_port}/net.onnx",
            sha256=hashlib.sha256(BYTES).hexdigest(),
            bytes=len(BYTES),
            licence="CC0",
        )
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_network_is_the_one_its_card_describes(name):
    model = open_shipped(name)
    assert model.name == name
    assert model.path.stat().st_size < 10_000_000
    for data in model.card["data"]:
        assert data["name"]
        assert data["licence"]
    for score in model.card["scores"]:
        assert {"metric", "value", "set", "n", "command"} <= set(score)


def a_copy(tmp_path, name="memory-s"):
    model = open_shipped(name)
    for suffix in (".onnx", ".json"):
        file = model.path.with_suffix(suffix)
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / f"{name}.json"


def test_one_flipped_byte_is_refused_with_both_sums(tmp_path):
    card = a_copy(tmp_path)
    onnx = card.with_suffix(".onnx")
    data = bytearray(onnx.read_bytes())
    data[len(data) // 2] ^= 1
    onnx.write_bytes(data)
    expected = json.loads(card.read_text("utf-8"))["sha256"]
    found = hashlib.sha256(data).hexdigest()
    with pytest.raises(ModelError, match=f"sha256 is {found}, its card says {expected}"):
        open_card(card)


@pytest.mark.parametrize("field", models.MANDATORY)
def test_a_card_without_a_mandatory_field_is_refused_by_its_name(tmp_path, field):
    path = a_copy(tmp_path)
    card = json.loads(path.read_text("utf-8"))
    del card[field]
    path.write_text(json.dumps(card))
    why = rf"memory-s\.json: the card has no '{field}'; it has format, .*, and needs .*{field}"
    with pytest.raises(ModelError, match=why):
        open_card(path)
    path.write_text(json.dumps(card | {field: None}))
    with pytest.raises(ModelError, match=rf"memory-s\.json: '{field}' is None, not a "):
        open_card(path)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', "\udce4"])
def test_what_is_no_card_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError, match=r"x\.json: not a model card"):
        open_card(path)


def test_a_folder_of_emotrack_models_comes_before_the_wheel(tmp_path, monkeypatch):
    a_copy(tmp_path)
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    assert open_shipped("memory-s").path.parent == tmp_path


def test_an_unknown_model_names_the_known_ones():
    with pytest.raises(ModelError, match=r"no model is named 'magic'; shipped: .*face-s"):
        open_shipped("magic")


def test_an_unknown_model_names_those_of_your_own_folders_too(tmp_path, monkeypatch):
    a_copy(tmp_path)
    (tmp_path / "settings.json").write_text("{}")  # beside no network
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=r"speech-s; in EMOTRACK_MODELS: memory-s$"):
        open_shipped("magic")


def test_the_list_holds_what_lies_in_your_own_folders_and_says_what_is_no_card(
    tmp_path, monkeypatch, capsys
):
    a_copy(tmp_path)
    for suffix in (".onnx", ".json"):
        (tmp_path / f"broken{suffix}").write_bytes(b"?")
    monkeypatch.setenv("EMOTRACK_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    listed = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["memory-s", "memory"] in [words[:2] for words in listed if str(tmp_path) in words[2]]
    (broken,) = (words for words in listed if words[0] == "broken")
    assert "broken.json: not a model card" in broken[2]


def test_a_card_that_is_not_there_is_said_to_be_absent():
    with pytest.raises(ModelError, match=r"^nothere\.json: cannot read \(No such file"):
        open_card(Path("nothere.json"))


def test_an_absent_third_party_file_names_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "cache_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="emotrack models pull yunet"):
        find_fetched("yunet")


def test_a_third_party_file_in_emotrack_models_is_found_and_checked(fetched):
    assert find_fetched("yunet").name == registry()["yunet"].file


def test_a_fetched_file_arrives_whole_under_its_name(tmp_path, server):
    path = pull(server, tmp_path / "cache", quiet=True)
    assert path.read_bytes() == BYTES
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    "change, why",
    [
        ({"sha256": "0" * 64}, "refused what .* sha256 is .*, expected 000"),
        ({"bytes": 100}, "sha256 is"),
        ({"url": "http://127.0.0.1:9/net.onnx"}, "cannot fetch"),
    ],
    ids=["wrong hash", "longer than announced", "nobody there"],
)
def test_a_download_that_is_not_the_file_leaves_nothing(tmp_path, server, change, why):
    wrong = replace(server, **change)
    if "bytes" in change:
        wrong = replace(wrong, sha256=hashlib.sha256(BYTES[:100]).hexdigest())
    with pytest.raises(ModelError, match=f"net: .*{why}"):
        pull(wrong, tmp_path / "cache", quiet=True)
    assert list((tmp_path / "cache").iterdir()) == []
