"""Where the scene network's readings come from, by gradients, and whether its maps tell."""

import av
import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import engines  # noqa: E402  # torch first, or skip
from calibration.scene import explain, gradients, pictures, sanity  # noqa: E402
from calibration.scene.material import SIZE  # noqa: E402
from calibration.scene.shipped import restored  # noqa: E402
from conftest import DEMO  # noqa: E402
from tracker.models import open_shipped  # noqa: E402


def first_frame(format_):
    with av.open(str(DEMO)) as film:
        return next(film.decode(video=0)).to_ndarray(format=format_)


@pytest.fixture(scope="module")
def network():
    return restored(open_shipped("scene-s").path).requires_grad_(False)


def test_the_restored_network_says_what_the_file_says(network):
    frame = np.random.default_rng(8).uniform(-1, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    engine = engines.load(open_shipped("scene-s").path, "onnx", max_batch=1)
    with torch.no_grad():
        ours = network(torch.from_numpy(frame))
    for one, other in zip(ours, engine.infer(frame), strict=True):
        assert np.allclose(one.numpy(), other, atol=1e-3)


def test_erasing_what_the_map_marks_moves_valence_further_than_erasing_at_random(shared, network):
    files = sanity.some(pictures.load_rated(shared).files, 12)
    raising, lowering, drawn = sanity.changes(network, files, 0).mean(0)
    assert raising < drawn < lowering


def test_a_network_with_random_weights_draws_another_map(shared, network):
    files = sanity.some(pictures.load_rated(shared).files, 8)
    other = sanity.randomised(network, seed=0)
    assert np.abs(sanity.likeness(network, other, files, 0)).mean() < 0.5
    assert sanity.likeness(network, network, files, 0).min() > 0.999


def test_erasing_paints_the_picked_cells_in_the_mean_colour():
    frame = torch.arange(3 * 64 * 64.0).view(1, 3, 64, 64)
    erased = sanity.without(frame, torch.tensor([1]), 2, 2)
    assert torch.equal(erased[..., :32], frame[..., :32])
    assert torch.allclose(erased[0, :, :32, 32:].mean((1, 2)), frame.mean((2, 3))[0])


def test_integrated_gradients_add_up_to_the_change_of_the_score(network):
    chance = np.random.default_rng(9)
    frame = torch.from_numpy(chance.uniform(-1, 1, (1, 3, 128, 128)).astype(np.float32))
    fine, change = gradients.integrated(network, frame, 1)
    assert fine.shape == (128, 128)
    assert abs(change) > 0.1
    assert fine.sum() == pytest.approx(change, abs=gradients.CLOSE)


def test_a_path_too_rough_for_its_parts_is_refused(network, monkeypatch):
    monkeypatch.setattr(gradients, "STEPS", 1)
    monkeypatch.setattr(gradients, "MOST", 1)
    chance = np.random.default_rng(9)
    frame = torch.from_numpy(chance.uniform(-1, 1, (1, 3, 128, 128)).astype(np.float32))
    with pytest.raises(ValueError, match="1 parts of the path miss"):
        gradients.integrated(network, frame, 1)


def test_explaining_a_photo_writes_its_maps_and_dreams_that_climb(tmp_path, monkeypatch):
    for name, value in (("CLOSE", 9.0), ("STEPS", 2), ("OCTAVES", 2), ("CLIMBS", 2)):
        monkeypatch.setattr(gradients, name, value)
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), first_frame("bgr24"))
    written = explain.explain(photo, tmp_path / "out", open_shipped("scene-s").path)
    names = ["maps.png", "integrated.png", "dream_valence.png", "dream_arousal.png"]
    assert [path.name for path in written] == names
    assert all(pictures.read_rgb(path).std() > 5 for path in written)


def test_gradient_ascent_raises_the_score_and_descent_lowers_it(network, monkeypatch):
    monkeypatch.setattr(gradients, "OCTAVES", 1)
    monkeypatch.setattr(gradients, "CLIMBS", 3)
    seen = pictures.squashed(first_frame("rgb24"), (192, 192))
    frame = torch.from_numpy(seen).permute(2, 0, 1)[None] / 127.5 - 1
    totals = []
    for sign in (-1.0, 1.0):
        dream = gradients.ascended(network, frame, 0, sign)
        totals.append(float(gradients.total_of(network, dream, 0)[0]))
    now = float(gradients.total_of(network, frame, 0)[0])
    assert totals[0] < now < totals[1]
