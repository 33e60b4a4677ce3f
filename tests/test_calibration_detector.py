"""The detector's training on pictures drawn here: it runs, resumes, learns and ships."""

from itertools import repeat

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import cv2  # noqa: E402
import onnxruntime  # noqa: E402

from calibration.detector import compose, measures, pictures, teacher, views  # noqa: E402
from calibration.detector.lighten import lighten  # noqa: E402
from calibration.detector.losses import generous_iou, losses  # noqa: E402
from calibration.detector.material import is_validation  # noqa: E402
from calibration.detector.network import Detector, Shipped  # noqa: E402
from calibration.detector.teacher import overlap  # noqa: E402
from calibration.detector.train import (  # noqa: E402
    Settings,
    sampler,
    ship,
    train,
)
from calibration.training import Run  # noqa: E402
from tracker.detectors.boxes import decode, suppress  # noqa: E402

TINY = Settings(epochs=2, batch=4)
PICTURES = {"train": 8, "turned": 4, "validation": 4}


def face_row(x, y, side, score=0.9):
    """A face of this side around (x, y)."""
    half = side / 2
    shape = ((-0.4, -0.3), (0.4, -0.3), (0, 0), (-0.3, 0.5), (0.3, 0.5))
    points = [v for dx, dy in shape for v in (x + dx * half, y + dy * half)]
    return np.array([x - half, y - half, x + half, y + half, *points, score], np.float32)


def drawn(seed):
    """A grey picture with one drawn face: a canvas and its rows."""
    rng = np.random.default_rng(seed)
    side = float(rng.uniform(50, 150))
    x, y = rng.uniform(80, 300), rng.uniform(80, 240)
    picture = np.full((compose.HEIGHT, compose.WIDTH, 3), 90, np.uint8)
    cv2.circle(picture, (int(x), int(y)), int(side / 2), (220, 170, 140), -1)
    for dx in (-0.2, 0.2):
        centre = int(x + dx * side), int(y - 0.15 * side)
        cv2.circle(picture, centre, max(2, int(side / 12)), (20, 20, 20), -1)
    return picture, face_row(x, y, side)[None]


@pytest.fixture
def folder(tmp_path):
    """A cache of drawn canvases, as `pictures.render` would leave it."""
    for name, count in PICTURES.items():
        made = [drawn(seed) for seed in range(count)]
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "000000.npy", np.stack([canvas for canvas, _ in made]))
        faces = np.concatenate([rows for _, rows in made])
        np.savez(tmp_path / name / "000000.npz", faces=faces, lengths=np.ones(count, int))
    return tmp_path


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_network(folder, monkeypatch):
    whole = train(folder, folder / "whole", TINY, workers=0).state_dict()
    save = Run.save

    def save_and_die(run, row):
        save(run, row)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(folder, folder / "killed", TINY, workers=0)
    monkeypatch.setattr(Run, "save", save)
    resumed = train(folder, folder / "killed", TINY, workers=0).state_dict()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    assert len((folder / "killed" / "log.csv").read_text().splitlines()) == 1 + TINY.epochs


def test_a_later_stage_draws_as_often_from_a_small_folder_as_from_a_large_one(folder):
    canvases = pictures.Canvases(folder / "train", folder / "turned")
    assert canvases.sizes == [8, 4]
    stage = Settings(folders=("train", "turned"), views=3000)
    drawn_rows = torch.tensor(list(sampler(canvases, stage, torch.Generator().manual_seed(1))))
    assert len(drawn_rows) == 3000
    assert (drawn_rows >= 8).float().mean() == pytest.approx(0.5, abs=0.05)


def test_a_later_stage_goes_on_from_the_network_before(folder):
    start = train(folder, folder / "first", TINY, workers=0)
    still = Settings(folders=("train", "turned"), views=8, epochs=1, batch=4, rate=0.0, decay=0.0)
    second = train(folder, folder / "second", still, start=start, workers=0)
    for name, value in dict(start.named_parameters()).items():
        assert torch.allclose(value, dict(second.named_parameters())[name], atol=1e-6), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter's own
def test_the_shipped_file_computes_what_torch_computes(tmp_path):
    torch.manual_seed(0)
    network = Detector()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.5, 2)
    path = tmp_path / "tiny.onnx"
    assert ship(network, path) < 1e-3
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    image = (torch.rand(2, 3, 64, 96) * 255).float()
    score, geometry = session.run(None, {"image": image.numpy()})
    logits, expected = network.eval()(image)
    np.testing.assert_allclose(score, torch.sigmoid(logits).detach(), atol=1e-4)
    np.testing.assert_allclose(geometry, expected.detach(), atol=1e-3)
    assert score.shape == (2, 8 * 12 + 4 * 6 + 2 * 3)


def test_a_few_steps_on_one_batch_lower_every_loss(folder):
    torch.manual_seed(0)
    seen = views.Views(pictures.Canvases(folder / "train"), seed=0, epoch=0)
    images, wanted = zip(*(seen[at] for at in range(4)), strict=True)
    batch = torch.stack(images), torch.stack(wanted)
    network = Detector()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    first = losses(network, batch).detach()
    for _ in range(12):
        optimiser.zero_grad()
        losses(network, batch).sum().backward()
        optimiser.step()
    assert (losses(network, batch).detach() < first).all()


def test_a_lighter_network_takes_over_the_layers_and_learns_the_first_ones():
    torch.manual_seed(0)
    trained, light = Detector().eval(), Detector(light=True).eval()
    batch = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    before = (trained.stem(batch.float()) - light.stem(batch.float())).square().mean()
    lighten(trained, light, repeat(batch), steps=80)
    light.eval()
    after = (trained.stem(batch.float()) - light.stem(batch.float())).square().mean()
    assert after < 0.5 * before
    assert torch.equal(trained.fine[0][0].weight, light.fine[0][0].weight)
    assert light(batch.float())[1].shape == trained(batch.float())[1].shape


def test_a_view_is_the_same_whenever_it_is_asked_for_and_differs_between_epochs(folder):
    canvases = pictures.Canvases(folder / "train")
    one, again, other = (views.Views(canvases, 3, epoch)[1] for epoch in (0, 0, 1))
    assert torch.equal(one[0], again[0])
    assert torch.equal(one[1], again[1])
    assert not torch.equal(one[0], other[0])


@pytest.mark.parametrize("side", [14, 32, 60, 80, 200])
def test_targets_decode_to_the_face_they_were_made_from(side):
    face = face_row(150, 120, side)
    made = views.targets(face[None], views.SIZE_WH)
    found = decode(made[:, 0], made[:, 2:].T, views.SIZE_WH, 0.5)
    assert len(found) >= 1
    np.testing.assert_allclose(found, np.repeat(face[None], len(found), 0), atol=0.01)


def test_uncertain_tiny_and_cut_faces_are_neither_asked_for_nor_punished():
    for face in (face_row(150, 120, 40, score=0.4), face_row(150, 120, 7), face_row(9, 9, 40, 0)):
        made = views.targets(face[None], views.SIZE_WH)
        assert made[:, 0].max() == 0
        assert made[:, 1].min() == 0
        assert made[:, 1].mean() > 0.9


def test_a_mirrored_face_keeps_its_image_left_eye_first():
    mirror = np.array([[-1.0, 0, 320], [0, 1, 0]])
    (moved,) = views.moved(face_row(100, 100, 40)[None], mirror, views.SIZE_WH)
    np.testing.assert_allclose(moved, face_row(220, 100, 40), atol=1e-3)


def test_a_face_outside_the_view_is_gone_and_one_half_outside_is_clipped():
    aside = np.array([[1.0, 0, -105], [0, 1, 0]])
    faces = np.stack([face_row(50, 100, 40), face_row(110, 100, 40)])
    (left,) = views.moved(faces, aside, views.SIZE_WH)
    np.testing.assert_allclose(left[:4], [0, 80, 25, 120])
    assert left[14] == pytest.approx(0.9)


def test_generous_iou_of_equal_boxes_is_one_and_of_distant_ones_negative():
    box = torch.tensor([[0.5, -0.5, 0.2, 0.3]])
    assert generous_iou(box, box).item() == pytest.approx(1, abs=1e-5)
    assert generous_iou(box, box + torch.tensor([[9.0, 0, 0, 0]])).item() < -0.5


def test_views_of_the_teacher_are_merged_into_one_opinion():
    both = [face_row(50, 50, 20, 0.8)[None], face_row(51, 50, 20, 0.9)[None]]
    assert teacher.merge(both)[:, 14].tolist() == pytest.approx([0.9])
    alone = [face_row(50, 50, 20, 0.8)[None], np.zeros((0, 15), np.float32)]
    assert teacher.merge(alone)[:, 14].tolist() == pytest.approx([0.6])


def test_photographs_of_one_person_stay_on_one_side():
    names = [f"Person_{n}_000{k}.jpg" for n in "abcdefghij" for k in range(4)]
    sides = {name.rsplit("_", 1)[0]: set() for name in names}
    for name in names:
        sides[name.rsplit("_", 1)[0]].add(is_validation(name))
    assert all(len(side) == 1 for side in sides.values())


def test_what_is_measured_is_what_is_said():
    seen = np.stack([face_row(50, 50, 40), face_row(150, 50, 40), face_row(250, 50, 16, 0.65)])
    ours = np.stack([face_row(50, 50, 40), face_row(250, 52, 16, 0.8), face_row(90, 200, 30)])
    report = measures.measure([measures.Look(seen, ours), measures.Look(seen[:0], ours[:0])], 0.5)
    assert report["faces"] == 2
    assert report["found"] == 0.5
    assert report["weak_found"] == pytest.approx(2 / 3)
    assert report["false"] == 0.5
    assert report["slip_mean"] == 0


def test_batch_norms_are_merged_without_a_trace():
    made = Shipped(Detector())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in made.modules())
    assert len(suppress(np.zeros((0, 15), np.float32))) == 0


def test_overlap_of_known_boxes():
    a = np.array([[0, 0, 2, 2]], np.float32)
    b = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    assert overlap(a, b)[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert overlap(np.zeros((0, 4), np.float32), b).shape == (0, 4)
