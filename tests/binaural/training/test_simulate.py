"""Simulated clips: labels of every kind, a seed decides the bytes, shards read back; HRTFs load and are fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import angle_difference
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import itd_us, level_db, measured_grid
from tests.training_common.tiny_sounds import tiny_sounds
from training.binaural import simulate, train_sh_hrtf
from training.binaural.hrtf_data import load_hrtfs
from training.binaural.simulate import KINDS, SHARES, Simulator, read_shard
from training.common.audio_data import SoundStore, read_manifest


def tiny_hrtfs(folder: Path) -> Path:
    """An HRTF of each split, as a data folder holds them: azimuth positive to the left."""
    (folder / "hrtf").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        ir, azimuth, elevation = measured_grid(directions=40)
        np.savez(folder / "hrtf" / f"{split}_hrtf.npz", ir=ir, az_deg=-azimuth, el_deg=elevation, samplerate=44_100,
                 receivers=np.array(["left", "right"]), licence="none", source="made up", split=split)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hrtfs(tiny_sounds(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def store(data: Path, tmp_path_factory: pytest.TempPathFactory) -> SoundStore:
    return SoundStore(data, read_manifest(data), tmp_path_factory.mktemp("cache"))


def simulator(store: SoundStore, seed: int = 0) -> Simulator:
    rows = [i for i, clip in enumerate(store.clips) if clip.split == "train"]
    return Simulator([("sphere", SphereHRTF())], store, rows, np.random.default_rng(seed))


def test_hrtfs_take_the_project_s_convention(data: Path) -> None:
    assert [(named.name, named.split) for named in load_hrtfs(data)] == [("train_hrtf", "train"), ("val_hrtf", "val")]
    hrtf = load_hrtfs(data, "val")[0].hrtf
    assert itd_us(hrtf.responses(np.array([90.0]), np.array([0.0]))[0]) > 500  # the right ear leads
    with pytest.raises(UserError, match="no measured HRTFs"):
        load_hrtfs(data / "nothing")


def spectral_flatness(binaural: np.ndarray) -> float:
    """Geometric over arithmetic mean of the power in 64 bands: 1 for white noise, near 0 for a narrow band."""
    bands = np.square(np.abs(np.fft.rfft(binaural, axis=1)))[:, 1:].reshape(2, 64, -1).mean(axis=(0, 2))
    return float(np.exp(np.log(bands + 1e-12).mean()) / bands.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_clip_with_sound_and_a_label(store: SoundStore, kind: str) -> None:
    for clip in (simulator(store).draw(kind) for _ in range(2)):
        assert clip.kind == kind and clip.label in ("hiss", "tone")
        assert clip.waveform.shape == (2, 16_000) and clip.waveform.dtype == np.float32
        assert 0.02 < np.abs(clip.waveform).max() <= 0.89
        assert clip.track_deg.shape == (10,)
        assert np.isnan(clip.azimuth_deg) == (kind in ("mono", "panned")) == (clip.hrtf == "")
        assert np.isnan(clip.second_deg) == (kind != "two") == (clip.second_label == "")
        assert np.isfinite(clip.snr_db) == (kind == "noisy")


def test_anechoic_clips_come_from_their_azimuth(store: SoundStore) -> None:
    source = simulator(store)
    for _ in range(20):
        clip = source.draw("anechoic")
        lateral = np.sin(np.radians(clip.azimuth_deg)) * np.cos(np.radians(clip.elevation_deg))
        if abs(lateral) > 0.3 and clip.label == "hiss":
            assert np.sign(itd_us(clip.waveform)) == np.sign(lateral)
            assert np.sign(np.diff(level_db(clip.waveform))[0]) == np.sign(lateral)


def test_azimuths_cover_the_circle_and_rooms_have_echo(store: SoundStore) -> None:
    source = simulator(store)
    azimuth = np.array([source.draw("anechoic").azimuth_deg for _ in range(200)])
    assert (np.histogram(azimuth, 4, (-180, 180))[0] > 25).all()
    assert source.draw("room").t60_s >= 0.15 and source.draw("anechoic").t60_s == 0


def test_two_sources_stand_apart(store: SoundStore) -> None:
    source = simulator(store)
    for clip in (source.draw("two") for _ in range(12)):
        assert abs(angle_difference(clip.azimuth_deg, clip.second_deg)) >= 30
        assert clip.label != clip.second_label


def test_a_moving_source_tells_its_way(store: SoundStore) -> None:
    clip = simulator(store).draw("moving")
    steps = np.abs(angle_difference(clip.track_deg[1:], clip.track_deg[:-1]))
    assert steps.max() > 1 and steps.max() <= 60
    between = np.abs(angle_difference(clip.track_deg[4:6].astype(float), np.full(2, clip.azimuth_deg)))
    assert between.max() < 20


def test_mono_and_panned_have_levels_only(store: SoundStore) -> None:
    source = simulator(store)
    for _ in range(6):
        panned, mono = source.draw("panned"), source.draw("mono")
        assert np.diff(level_db(panned.waveform))[0] == pytest.approx(panned.pan_db, abs=0.5)
        assert np.diff(level_db(mono.waveform))[0] == pytest.approx(0.0, abs=0.1)
        assert mono.pan_db == 0


def test_short_clips_are_short_and_dull_ones_narrow(store: SoundStore) -> None:
    source = simulator(store)
    loud = [np.abs(source.draw("short").waveform).max(axis=0) for _ in range(6)]
    assert all((clip > 0.2 * clip.max()).mean() < 0.6 for clip in loud)
    flatness = [spectral_flatness(source.draw(kind).waveform) for kind in ("dull", "anechoic") for _ in range(8)]
    assert np.median(flatness[:8]) < 0.5 * max(flatness[8:])


def test_one_seed_one_example_and_shares_add_up(store: SoundStore) -> None:
    for _ in range(2):
        one, other = (simulator(store, 7).draw() for _ in range(2))
        assert one.kind == other.kind and one.azimuth_deg == pytest.approx(other.azimuth_deg, nan_ok=True)
        np.testing.assert_array_equal(one.waveform, other.waveform)
    assert sum(SHARES) == pytest.approx(1.0) and len(SHARES) == len(KINDS)
    with pytest.raises(UserError, match="no kind"):
        simulator(store).draw("nonsense")


def test_the_command_writes_the_same_bytes_and_reads_back(data: Path, tmp_path: Path) -> None:
    def write(out: Path, split: str = "val", seed: int = 1) -> list[Path]:
        return simulate.main(simulate.SimulateConfig(
            data=data, out=out, clips=5, split=split, seed=seed, kinds=("anechoic", "mono"), shard=3,
            cache=tmp_path / "cache"))  # fmt: skip

    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.name for path in first] == ["val-00000.npz", "val-00001.npz"]
    assert first[0].read_bytes() != write(tmp_path / "c", seed=2)[0].read_bytes()
    examples = read_shard(first[0])
    assert [clip.kind for clip in examples] == ["anechoic", "mono", "anechoic"] and examples[0].hrtf == "val_hrtf"
    assert examples[0].waveform.shape == (2, 16_000) and np.isnan(examples[1].azimuth_deg)
    assert {clip.hrtf for clip in read_shard(write(tmp_path / "d", "train")[0])} == {"train_hrtf", ""}


def test_the_hrtf_fit_saves_and_evaluates(data: Path, tmp_path: Path) -> None:
    hrtf = train_sh_hrtf.main(
        train_sh_hrtf.FitConfig(data=data, out=tmp_path / "head", order=4, draws=200, runs=tmp_path / "runs")
    )
    assert (tmp_path / "head/model.safetensors").is_file() and (tmp_path / "head/itd_table.json").is_file()
    assert (tmp_path / "runs/log.jsonl").is_file()
    distortion_db, itd_us_error = train_sh_hrtf.errors(hrtf, load_hrtfs(data, "val")[0].hrtf)
    assert distortion_db < 2.5 and itd_us_error < 30
    assert train_sh_hrtf.front_back_db(SphereHRTF()) == pytest.approx(0.0, abs=1e-6)
