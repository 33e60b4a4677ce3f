"""The scene's reader: when it looks, what it holds, and what a network may leave unsaid."""

import json
import math

import numpy as np
import pytest

import engines
from tiny_scene import FELT, MEAN, PLACES, SIZE, STD, write_scene
from tracker.models import ModelError, open_card, open_shipped
from tracker.scene import MAPS, Layout, SceneReader
from tracker.sinks.scene_columns import best_place, scene_columns, score_of
from tracker.smoothing import LstmSmoother
from tracker.values import EMOTIONS, Box, Frame, FrameResult

RED = np.zeros((40, 60, 3), np.uint8)
RED[:] = (255, 0, 0)
BLUE = RED[:, :, ::-1].copy()
GREY = np.full((40, 60, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def memory():
    return engines.load(open_shipped("memory-s").path, "onnx")


@pytest.fixture
def reader(tmp_path, memory):
    return a_reader(write_scene(tmp_path), memory)


def a_reader(card, memory, *, interval=0.25, maps=False):
    model = open_card(card)
    smoother = LstmSmoother(memory, forget_after=math.inf)
    engine = engines.load(model.path, "onnx")
    return SceneReader(engine, Layout.of(model), smoother, interval=interval, maps=maps)


def frame(pts, image=GREY):
    return Frame(0, pts, 0.0, image)


def read(reader, frame, cut):
    return reader(reader.look(frame, cut))


def looks(reader, times, cuts=()):
    """When it looked; the first frame of a stream is a cut."""
    cuts = {times[0], *cuts}
    return sorted({read(reader, frame(pts), pts in cuts).pts for pts in times})


def test_it_looks_at_its_own_rate_whatever_the_frame_rate(reader):
    times = [i / 25 for i in range(26)]
    assert looks(reader, times) == [0.0, 0.28, 0.52, 0.76, 1.0]
    reader.begin()
    assert looks(reader, [i / 4 for i in range(5)]) == [0.0, 0.25, 0.5, 0.75, 1.0]
    reader.begin()
    assert looks(reader, [0.0, 7.0, 7.1, 7.3, 9.0]) == [0.0, 7.0, 7.3, 9.0]


def test_looks_ahead_of_their_reading_say_the_same_as_one_by_one(reader):
    frames = [frame(i / 10, picture) for i, picture in enumerate((RED, BLUE, GREY) * 4)]
    one_by_one = [read(reader, f, f.pts == 0.0) for f in frames]
    reader.begin()
    ahead = [reader(seen) for seen in [reader.look(f, f.pts == 0.0) for f in frames]]
    assert [(r.pts, r.affect) for r in ahead] == [(r.pts, r.affect) for r in one_by_one]


def test_a_network_that_is_slow_is_one_look_behind_and_never_more(tmp_path, memory):
    reader = a_reader(write_scene(tmp_path), memory, interval=0.0)
    looks = [reader.look(frame(i / 100), i == 0) for i in range(50)]
    assert len(set(looks)) == 50
    assert all(look.done() for look in looks[:-1])


def test_a_look_that_fails_is_told_to_whoever_reads_it(tmp_path, memory):
    model = open_card(write_scene(tmp_path))
    engine = engines.load(model.path, "onnx")
    smoother = LstmSmoother(memory, forget_after=math.inf)
    reader = SceneReader(engine, Layout.of(model), smoother, interval=0.25)
    engine.close()
    seen = reader.look(frame(0.0), True)
    with pytest.raises(engines.EngineError, match="closed"):
        reader(seen)


def test_a_cut_is_looked_at_at_once_and_counts_as_a_look(reader):
    times = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert looks(reader, times, cuts=(0.0, 0.2)) == [0.0, 0.2, 0.5]


def test_between_two_looks_it_holds_what_it_saw(reader):
    first = read(reader, frame(0.0, RED), True)
    assert read(reader, frame(0.2, BLUE), False) is first
    assert read(reader, frame(0.25, BLUE), False) is not first


def test_an_interval_of_0_looks_at_every_frame(tmp_path, memory):
    reader = a_reader(write_scene(tmp_path), memory, interval=0.0)
    assert looks(reader, [0.0, 0.01, 0.02]) == [0.0, 0.01, 0.02]


def test_raw_is_what_the_network_says_of_the_squashed_picture(reader, tmp_path):
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8), np.ones((2, 4, 1), np.uint8))
    said = read(reader, frame(0.0, image), True)
    small = image.reshape(SIZE, 2, SIZE, 4, 3)[:, 0, :, 0].astype(np.float32) / 255
    tensor = ((small - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1)[None]
    engine = engines.load(tmp_path / "scene-tiny.onnx", "onnx")
    names = [spec.name for spec in engine.outputs]
    out = dict(zip(names, engine.infer(np.ascontiguousarray(tensor, np.float32)), strict=True))
    assert (said.affect.raw.arousal, said.affect.raw.valence) == pytest.approx(out["affect"][0])
    assert (said.spread.arousal, said.spread.valence) == pytest.approx(out["spread"][0])
    assert said.place.labels == tuple(PLACES)
    assert said.place.values == pytest.approx(out["place"][0])


def test_emotions_and_maps_come_in_our_order_whatever_the_cards(tmp_path, memory):
    said = read(a_reader(write_scene(tmp_path), memory, maps=True), frame(0.0, RED), True)
    engine = engines.load(tmp_path / "scene-tiny.onnx", "onnx")
    tensor = ((np.float32([1, 0, 0]) - np.float32(MEAN)) / np.float32(STD)).reshape(1, 3, 1, 1)
    out = engine.infer(np.tile(tensor, (1, 1, SIZE, SIZE)).astype(np.float32))
    names = [spec.name for spec in engine.outputs]
    theirs = dict(zip(FELT, out[names.index("emotions")][0], strict=True))
    assert said.emotions.labels == EMOTIONS
    assert said.emotions.values == pytest.approx([theirs[label] for label in EMOTIONS])
    assert said.maps.shape == (10, 4, 4)
    maps = dict(zip(MAPS, said.maps, strict=True))
    assert math.tanh(maps["valence"].mean()) == pytest.approx(said.affect.raw.valence, abs=1e-6)
    logits = np.array([maps[label].mean() for label in EMOTIONS])
    assert np.exp(logits) / np.exp(logits).sum() == pytest.approx(said.emotions.values, abs=1e-6)


def test_black_bars_change_nothing_and_the_maps_say_which_part_they_cover(tmp_path, memory):
    reader = a_reader(write_scene(tmp_path), memory, maps=True)
    shown = np.random.default_rng(2).integers(40, 256, (48, 64, 3), np.uint8)
    whole = reader.look(frame(0.0, shown), True).result()
    barred = reader.look(frame(1.0, np.pad(shown, ((9, 9), (30, 30), (0, 0)))), True).result()
    assert barred.affect.raw == whole.affect.raw
    assert np.array_equal(barred.maps, whole.maps)
    assert whole.area == Box(0, 0, 64, 48)
    assert barred.area == Box(30, 9, 94, 57)


def test_maps_are_kept_only_when_asked_for(reader):
    assert read(reader, frame(0.0), True).maps is None


def test_the_first_look_is_as_it_is_and_later_ones_are_steadied(reader):
    first = read(reader, frame(0.0, RED), True).affect
    assert first.smooth.valence == pytest.approx(first.raw.valence, abs=1e-5)
    second = read(reader, frame(0.25, BLUE), False).affect
    assert second.raw.valence < second.smooth.valence < first.smooth.valence
    assert second.spread.valence > 0


def test_a_viewers_mood_outlives_the_cut_but_not_the_film(reader):
    for i in range(8):
        read(reader, frame(i / 4, RED), i == 0)
    after = read(reader, frame(2.0, BLUE), True).affect
    assert after.smooth.valence > after.raw.valence + 0.1
    reader.begin()
    anew = read(reader, frame(2.25, BLUE), True).affect
    assert anew.smooth.valence == pytest.approx(anew.raw.valence, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (700, 3), (90, 20_000)])
def test_pictures_of_any_shape_fit(reader, size):
    image = np.full((*size, 3), 200, np.uint8)
    grey = read(reader, frame(0.0, np.full((16, 16, 3), 200, np.uint8)), True)
    reader.begin()
    assert read(reader, frame(0.0, image), True).affect.raw == grey.affect.raw


def test_a_very_wide_picture_is_averaged_not_sampled(reader):
    """Stripes of one pixel become grey, however far the picture is squashed."""
    wide = np.zeros((8, 20_000, 3), np.uint8)
    wide[:, ::2] = 255
    striped = read(reader, frame(0.0, wide), True)
    reader.begin()
    grey = read(reader, frame(0.0, np.full((16, 16, 3), 128, np.uint8)), True)
    assert striped.affect.raw.valence == pytest.approx(grey.affect.raw.valence, abs=0.01)


MISSING = {
    "affect": ["scene_valence", "scene_arousal_raw"],
    "spread": ["scene_valence_spread", "scene_arousal_spread"],
    "emotions": ["scene_awe", "scene_sadness", "scene_positive"],
    "place": ["scene_outdoor", "scene_place", "scene_place_score"],
}


@pytest.mark.parametrize("name", MISSING)
def test_what_a_network_does_not_say_is_empty_and_the_rest_is_there(tmp_path, memory, name):
    outputs = [output for output in MISSING if output != name]
    card = write_scene(tmp_path, outputs=outputs)
    assert name in Layout.of(open_card(card)).lacks
    said = read(a_reader(card, memory), frame(0.0), True)
    result = FrameResult(0, 0.0, 0.0, True, (), scene=said)
    cells = {column.name: column.read(result, None) for column in scene_columns()}
    for other, names in MISSING.items():
        assert all((cells[column] is None) == (other == name) for column in names)


def test_a_network_may_name_no_outdoor_or_nothing_else(tmp_path, memory):
    card = write_scene(tmp_path, outputs=["place"])
    about = json.loads(card.read_text())
    about["outputs"][0]["labels"] = ["forest", *PLACES[1:]]
    card.write_text(json.dumps(about))
    layout = Layout.of(open_card(card))
    assert "outdoor" in layout.lacks
    assert "place" not in layout.lacks
    said = read(a_reader(card, memory), frame(0.0), True)
    assert said.affect is None
    assert score_of(said.place, "outdoor") is None
    assert best_place(said.place)[0] in PLACES
    about["outputs"][0]["labels"] = ["outdoor"]
    card.write_text(json.dumps(about))
    assert "place" in Layout.of(open_card(card)).lacks


@pytest.mark.parametrize(
    "change, why",
    [
        ({"colour": "grey"}, "colour 'grey', expected 'RGB'"),
        ({"fit": "crop"}, "fit 'crop', expected 'squash'"),
    ],
)
def test_a_card_that_asks_for_another_picture_is_refused(tmp_path, memory, change, why):
    card = write_scene(tmp_path)
    about = json.loads(card.read_text())
    about["input"] |= change
    card.write_text(json.dumps(about))
    with pytest.raises(ModelError, match=f"^scene-tiny.onnx: .*{why}"):
        a_reader(card, memory)


def test_a_card_with_other_emotions_is_refused(tmp_path, memory):
    card = write_scene(tmp_path)
    about = json.loads(card.read_text())
    about["outputs"][2]["labels"][0] = "boredom"
    card.write_text(json.dumps(about))
    with pytest.raises(ModelError, match=r"output 'emotions' has other labels: .*boredom"):
        a_reader(card, memory)


def test_a_network_may_know_fewer_emotions(tmp_path, memory):
    card = write_scene(tmp_path)
    eight = read(a_reader(card, memory), frame(0.0, RED), True).emotions
    about = json.loads(card.read_text())
    about["outputs"][2]["labels"] = ["fear", "awe"]  # the first two columns
    card.write_text(json.dumps(about))
    said = read(a_reader(card, memory), frame(0.0, RED), True).emotions
    assert said.labels == ("awe", "fear")  # in our order
    assert said.values == (score_of(eight, FELT[1]), score_of(eight, FELT[0]))
    assert "anger" in Layout.of(open_card(card)).lacks
    assert "awe" not in Layout.of(open_card(card)).lacks


def test_a_card_that_promises_more_than_the_graph_gives_is_refused(tmp_path, memory):
    card = write_scene(tmp_path, outputs=["affect"])
    about = json.loads(card.read_text())
    about["outputs"].append({"name": "spread", "labels": ["valence", "arousal"]})
    card.write_text(json.dumps(about))
    with pytest.raises(ModelError, match="the output 'spread', its graph has not"):
        a_reader(card, memory)
