"""Recordings from Debian's packages: who speaks where in them, and what is no voice."""

import hashlib
import io
import re
import shutil
import subprocess
import wave

import numpy as np
import pytest

pytest.importorskip("torch")

from calibration.samples import RecipeError
from calibration.sound import recorded
from calibration.sound.made import SECONDS
from calibration.sound.material import HOP
from tracker.sound import RATE


def burst(seconds, silence, level=0.3, noise=0.0):
    """A buzz with silence on both sides, all of it in noise."""
    quiet = np.zeros(round(silence * RATE))
    times = np.arange(round(seconds * RATE)) / RATE
    buzz = level * np.sign(np.sin(2 * np.pi * 140 * times))
    whole = np.concatenate([quiet, buzz, quiet])
    return whole + noise * np.random.default_rng(0).standard_normal(len(whole))


def write(place, samples):
    with wave.open(place, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The one package that the recipe knows; its file is in tmp_path."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is missing: packages are read on Debian and its kin only")
    root = tmp_path / "root"
    share = root / "usr/share/talk"
    sounds = {
        "voices/ana/1.wav": burst(1.0, 0.5),
        "voices/ana/2.wav": burst(0.6, 0.2, level=0.01, noise=3e-4),
        "voices/ben/1.wav": burst(2.0, 0.1),
        "voices/ben/short.wav": burst(0.1, 0.1),
        "music/long.wav": burst(19.0, 0.5),
        "music/short.wav": burst(0.5, 0.1),
        "elsewhere.wav": burst(5.0, 0.5),
    }
    for path, samples in sounds.items():
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        write(str(share / path), samples)
    about = "Package: talk\nVersion: 1:2-3\nArchitecture: all\nMaintainer: a\nDescription: b\n"
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(about)
    file = tmp_path / "talk_1%3a2-3_all.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], check=True, capture_output=True)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    talk = recorded.Package(
        "talk", "1:2-3", "CC0-1.0", r"talk/voices/(\w+)/.+\.wav", r"talk/music/.+\.wav", sha256
    )
    monkeypatch.setattr(recorded, "packages", lambda: [talk])
    return file


def test_utterances_of_a_package_carry_their_speaker_and_no_silence_around(package, tmp_path):
    recorded.check(tmp_path)
    clips = recorded.recorded_speech(tmp_path, tmp_path / "kept")
    seconds = {(clip.act[0], round(len(clip.mel) * HOP, 1)) for clip in clips}
    assert seconds == {(1, 1.0), (1, 0.6), (2, 2.0)}
    assert all(clip.voiced.mean() > 0.95 for clip in clips)
    loud = [float(np.percentile(clip.mel.max(1), 95)) for clip in clips]
    assert max(loud) - min(loud) < 1  # dB
    again = recorded.recorded_speech(tmp_path / "gone", tmp_path / "kept")
    assert [clip.act for clip in again] == [clip.act for clip in clips]


def test_an_utterance_that_is_too_short_or_hardly_above_its_noise_is_left_out():
    def content(samples):
        file = io.BytesIO()
        write(file, samples)
        return file.getvalue()

    assert recorded._utterance("a.wav", content(burst(1.0, 0.5))) is not None
    assert recorded._utterance("a.wav", content(burst(0.1, 0.1))) is None
    hissing = content(burst(1.0, 0.5, level=0.02, noise=0.01))
    assert recorded._utterance("a.wav", hissing) is None


def test_who_speaks_softly_in_some_noise_is_heard_where_they_speak():
    there = recorded.spoken(burst(1.0, 0.5, level=0.01, noise=3e-4).astype(np.float32))
    assert there.sum() * HOP == pytest.approx(1.0, abs=0.05)


def test_music_comes_in_stretches_of_one_length_without_a_voice(package, tmp_path):
    clips = recorded.recorded_music(tmp_path, tmp_path / "kept")
    assert len(clips) == recorded.STRETCHES + 1
    for clip in clips:
        assert len(clip.mel) * HOP == pytest.approx(SECONDS, abs=0.05)
        assert not clip.voiced.any()
    short = clips[-1]  # over and over, with rests
    loud = short.mel.max(1) > -60
    assert 0.2 < loud.mean() < 0.9


def test_a_package_that_is_missing_or_another_one_is_named(package, tmp_path):
    with pytest.raises(RecipeError, match=r"talk_1%3a2-3_all.deb: not there.*download talk=1:2-3"):
        recorded.check(tmp_path / "empty")
    package.write_bytes(package.read_bytes() + b"\n")
    with pytest.raises(RecipeError, match=r"talk_1%3a2-3_all.deb: its sha256 is not"):
        recorded.check(tmp_path)


def test_where_packages_cannot_be_read_the_program_that_does_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RecipeError, match="dpkg-deb is missing"):
        recorded.check(tmp_path)


def test_every_package_of_the_table_has_a_licence_a_hash_and_something_to_hear():
    found = recorded.packages()
    assert len({package.name for package in found}) == len(found) > 10
    for package in found:
        assert len(package.sha256) == 64
        assert package.licence
        patterns = [re.compile(p) for p in (package.voices, package.music) if p]
        assert patterns
        assert not package.voices or patterns[0].groups  # who speaks
