"""Named frames of the demo clip keep their readings; docs/numbers.md shows the same table."""

import re

import pytest

import tracker
from conftest import DEMO, ROOT

TOLERANCE = 0.03  # decoders and processors differ in the last bits, so landmarks do in fractions
LOOK = re.compile(r"^\| look ([\d.]+) \|" + r"([^|]+)\|" * 4, re.M)
ROW = re.compile(r"^\| (\d+) \| ([\d.]+) \|" + r"([^|]+)\|" * 4, re.M)


@pytest.fixture(scope="module")
def results():
    return {result.index + 1: result for result in tracker.watch(DEMO)}


def section():
    """The document from the heading of its tables on; others have tables of other things."""
    text = (ROOT / "docs" / "numbers.md").read_text("utf-8")
    return text[text.index("## Golden values") :]


def golden():
    """frame, timestamp, valence_raw, arousal_raw, happiness, neutral of the document's table."""
    return [tuple(cell.strip() for cell in row) for row in ROW.findall(section())]


def looks():
    """scene_timestamp, and four columns, of the document's second table."""
    return [tuple(cell.strip() for cell in row) for row in LOOK.findall(section())]


def test_the_document_lists_frames_with_and_without_a_face():
    rows = golden()
    assert len(rows) >= 4
    assert any(row[2] == "" for row in rows)


@pytest.mark.parametrize("row", golden(), ids=lambda row: f"frame {row[0]}")
def test_a_named_frame_reads_as_documented(results, row):
    result = results[int(row[0])]
    assert f"{result.pts:.6f}" == row[1]
    if row[2] == "":
        assert result.people == ()
        return
    (person,) = result.people
    shown = dict(zip(person.expression.labels, person.expression.values, strict=True))
    found = [
        person.affect.raw.valence,
        person.affect.raw.arousal,
        shown["happiness"],
        shown["neutral"],
    ]
    assert found == pytest.approx([float(cell) for cell in row[2:]], abs=TOLERANCE)


@pytest.mark.parametrize("row", looks(), ids=lambda row: f"look {row[0]}")
def test_a_named_look_reads_as_documented(results, row):
    scenes = {f"{result.scene.pts:.6f}": result.scene for result in results.values()}
    scene = scenes[row[0]]
    raw = scene.affect.raw
    found = [raw.valence, raw.arousal, scene.spread.valence, sum(scene.emotions.values[:4])]
    assert found == pytest.approx([float(cell) for cell in row[1:]], abs=TOLERANCE)


def test_the_document_lists_looks():
    assert len(looks()) >= 4
