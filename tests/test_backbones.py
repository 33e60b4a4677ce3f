"""Backbones by name, and what is said when one cannot be had."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.backbones import NAMES, TIMM, open_backbone  # noqa: E402  # torch first, or skip
from calibration.samples import (  # noqa: E402
    RecipeError,
    existing,
    gathered,
    part_of,
    read_picture,
    run,
    squashed,
)
from conftest import timm_or_skip  # noqa: E402

NOWHERE = Path("nowhere")


def maps_of(backbone, size=96):
    with torch.no_grad():
        return backbone.body.eval()(torch.zeros(2, 3, size, size))


def test_the_small_one_gives_maps_of_its_width():
    backbone = open_backbone("small", NOWHERE)
    assert maps_of(backbone).shape == (2, backbone.width, 12, 12)


def test_ours_gives_the_features_of_the_published_loader(shared):
    path = shared / "models" / "mobilenet_v2" / "load_in_torch.py"
    spec = importlib.util.spec_from_file_location("load_in_torch", path)
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    backbone = open_backbone("mobilenet-v2", shared)
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        ours = backbone.body(pictures).mean((2, 3))
        theirs = published.load().eval().features(pictures)
    assert ours.shape == (2, backbone.width)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)  # sums in another order


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_the_librarys_give_maps_of_their_width(name):
    timm_or_skip()
    backbone = open_backbone(name, NOWHERE, untrained=True)
    maps = maps_of(backbone)
    assert maps.shape[:2] == (2, backbone.width)
    assert backbone.size == 299
    assert backbone.origin == "nothing: random weights"


@pytest.mark.parametrize("name", TIMM)
def test_without_the_library_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(RecipeError, match=f"{name}.* needs timm: pip install timm") as said:
        open_backbone(name, NOWHERE)
    assert "\n" not in str(said.value)


def test_a_library_that_does_not_load_is_one_line_too(tmp_path, monkeypatch):
    """As beside a torch that its torchvision was not made for."""
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(RecipeError, match=r"does not load \(operator nms does not exist\)"):
        open_backbone("inception-v3", NOWHERE)


def test_a_missing_file_or_name_is_said_in_one_line():
    with pytest.raises(RecipeError, match=r"no weights at nowhere.*\.npz"):
        open_backbone("mobilenet-v2", NOWHERE)
    with pytest.raises(RecipeError, match=f"known: {', '.join(NAMES)}"):
        open_backbone("vgg", NOWHERE)
    with pytest.raises(RecipeError, match="only timm's come untrained"):
        open_backbone("small", NOWHERE, untrained=True)


def test_a_part_follows_from_the_name_and_parts_have_their_shares():
    parts = [part_of(f"picture {i}", (0.8, 0.05, 0.15)) for i in range(4000)]
    assert parts[7] == part_of("picture 7", (0.8, 0.05, 0.15))
    np.testing.assert_allclose(np.bincount(parts) / 4000, (0.8, 0.05, 0.15), atol=0.02)


def test_a_missing_picture_names_its_row_unless_it_may_be_left_out(tmp_path, capsys):
    (tmp_path / "a.jpg").write_bytes(b"")
    rows = [("a.jpg", "list.csv, row 1"), ("b.jpg", "list.csv, row 2")]

    def found(skip, some=rows):
        return gathered(some, lambda r: existing(tmp_path / r[0], r[1]), skip=skip)

    with pytest.raises(RecipeError, match=r"list\.csv, row 2: no picture .*b\.jpg"):
        found(skip=False)
    assert found(skip=True) == [tmp_path / "a.jpg"]
    assert "1 left out; the first: list.csv, row 2: no picture" in capsys.readouterr().err
    with pytest.raises(RecipeError, match="nothing is left"):
        found(skip=True, some=rows[1:])
    with pytest.raises(RecipeError, match=r"list\.csv, row 1: a\.jpg: the file is empty"):
        read_picture(tmp_path / "a.jpg", "list.csv, row 1")


def test_bad_input_ends_a_recipe_with_one_line_and_code_2(capsys):
    def main():
        raise RecipeError("list.csv, row 2: no picture b.jpg")

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "emotrack: list.csv, row 2: no picture b.jpg\n"


def test_a_picture_of_any_shape_becomes_a_square():
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 30:] = 200
    out = squashed(image, 10)
    assert out.shape == (3, 10, 10)
    assert (out[:, :, :4] == 0).all()
    assert (out[:, :, 6:] == 200).all()
