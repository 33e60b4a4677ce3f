"""What every training shares: a folder that survives a kill, and is refused to another recipe."""

import pytest

torch = pytest.importorskip("torch")

from calibration.samples import RecipeError, run  # noqa: E402
from calibration.training import Run  # noqa: E402


def begun(folder, settings):
    return Run(folder, settings, {"network": torch.nn.Linear(2, 1)})


def test_a_training_goes_on_after_its_last_epoch(tmp_path):
    first = begun(tmp_path, {"rate": 0.1})
    first.save({"loss": 2.0})
    again = begun(tmp_path, {"rate": 0.1})
    assert (again.epoch, again.rows) == (1, [{"epoch": 0, "loss": 2.0}])


def test_a_folder_begun_with_other_settings_is_refused_in_one_line(tmp_path, capsys):
    begun(tmp_path, {"rate": 0.1}).save({"loss": 2.0})
    with pytest.raises(RecipeError, match=r"begun with .*0\.1.*asked for .*0\.2"):
        begun(tmp_path, {"rate": 0.2})
    with pytest.raises(SystemExit) as ended:
        run(lambda: begun(tmp_path, {"rate": 0.2}) and None)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"emotrack: {tmp_path}: begun with")
