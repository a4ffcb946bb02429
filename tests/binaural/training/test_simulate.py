"""Simulated clips: every kind says the truth about itself, a seed freezes the bytes, shards read back; heads load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import difference
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from tests.binaural.heads import itd_us, level_db, measured_grid
from tests.training_common.tiny_sounds import tiny_sounds
from training.binaural import simulate as simulate_binaural
from training.binaural import train_sh_hrtf as train_head
from training.binaural.measured_heads import load_heads
from training.binaural.simulate import KINDS, SHARES, Simulator, read_shard
from training.common.audio_data import SoundStore, read_manifest


def tiny_heads(folder: Path) -> Path:
    """Two heads of a split each, as the shared data hold them: azimuth positive to the left."""
    (folder / "hrtf").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        ir, azimuth, elevation = measured_grid(directions=40)
        np.savez(folder / "hrtf" / f"{split}_head.npz", ir=ir, az_deg=-azimuth, el_deg=elevation, samplerate=44_100,
                 receivers=np.array(["left", "right"]), licence="none", source="made up", split=split)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_heads(tiny_sounds(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def store(data: Path, tmp_path_factory: pytest.TempPathFactory) -> SoundStore:
    return SoundStore(data, read_manifest(data), tmp_path_factory.mktemp("cache"))


def simulated(store: SoundStore, seed: int = 0) -> Simulator:
    rows = [i for i, clip in enumerate(store.clips) if clip.split == "train"]
    return Simulator([("sphere", SphereHRTF())], store, rows, np.random.default_rng(seed))


def test_heads_are_turned_to_the_projects_sense(data: Path) -> None:
    assert [(named.name, named.split) for named in load_heads(data)] == [("train_head", "train"), ("val_head", "val")]
    head = load_heads(data, "val")[0].head
    assert itd_us(head.responses(np.array([90.0]), np.array([0.0]))[0]) > 500  # the right ear leads
    with pytest.raises(UserError, match="no measured heads"):
        load_heads(data / "nothing")


def spectral_flatness(binaural: np.ndarray) -> float:
    """Geometric over arithmetic mean of the power in 64 bands: 1 for white noise, near 0 for a narrow band."""
    bands = np.square(np.abs(np.fft.rfft(binaural, axis=1)))[:, 1:].reshape(2, 64, -1).mean(axis=(0, 2))
    return float(np.exp(np.log(bands + 1e-12).mean()) / bands.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_clip_with_sound_and_a_label(store: SoundStore, kind: str) -> None:
    for example in (simulated(store).draw(kind) for _ in range(2)):
        assert example.kind == kind and example.label in ("hiss", "tone")
        assert example.waveform.shape == (2, 16_000) and example.waveform.dtype == np.float32
        assert 0.02 < np.abs(example.waveform).max() <= 0.89
        assert example.track_deg.shape == (10,)
        assert np.isnan(example.azimuth_deg) == (kind in ("mono", "panned")) == (example.head == "")
        assert np.isnan(example.second_deg) == (kind != "two") == (example.second_label == "")
        assert np.isfinite(example.snr_db) == (kind == "noisy")


def test_anechoic_clips_come_from_their_azimuth(store: SoundStore) -> None:
    source = simulated(store)
    for _ in range(20):
        example = source.draw("anechoic")
        lateral = np.sin(np.radians(example.azimuth_deg)) * np.cos(np.radians(example.elevation_deg))
        if abs(lateral) > 0.3 and example.label == "hiss":
            assert np.sign(itd_us(example.waveform)) == np.sign(lateral)
            assert np.sign(np.diff(level_db(example.waveform))[0]) == np.sign(lateral)


def test_azimuths_cover_the_circle_and_rooms_have_echo(store: SoundStore) -> None:
    source = simulated(store)
    azimuth = np.array([source.draw("anechoic").azimuth_deg for _ in range(200)])
    assert (np.histogram(azimuth, 4, (-180, 180))[0] > 25).all()
    assert source.draw("room").t60_s >= 0.15 and source.draw("anechoic").t60_s == 0


def test_two_sources_stand_apart(store: SoundStore) -> None:
    source = simulated(store)
    for example in (source.draw("two") for _ in range(12)):
        assert abs(difference(example.azimuth_deg, example.second_deg)) >= 30
        assert example.label != example.second_label


def test_a_moving_source_tells_its_way(store: SoundStore) -> None:
    example = simulated(store).draw("moving")
    steps = np.abs(difference(example.track_deg[1:], example.track_deg[:-1]))
    assert steps.max() > 1 and steps.max() <= 60
    between = np.abs(difference(example.track_deg[4:6].astype(float), np.full(2, example.azimuth_deg)))
    assert between.max() < 20


def test_mono_and_panned_have_levels_only(store: SoundStore) -> None:
    source = simulated(store)
    for _ in range(6):
        panned, mono = source.draw("panned"), source.draw("mono")
        assert np.diff(level_db(panned.waveform))[0] == pytest.approx(panned.pan_db, abs=0.5)
        assert np.diff(level_db(mono.waveform))[0] == pytest.approx(0.0, abs=0.1)
        assert mono.pan_db == 0


def test_short_clips_are_short_and_dull_ones_narrow(store: SoundStore) -> None:
    source = simulated(store)
    loud = [np.abs(source.draw("short").waveform).max(axis=0) for _ in range(6)]
    assert all((clip > 0.2 * clip.max()).mean() < 0.6 for clip in loud)
    flatness = [spectral_flatness(source.draw(kind).waveform) for kind in ("dull", "anechoic") for _ in range(8)]
    assert np.median(flatness[:8]) < 0.5 * max(flatness[8:])


def test_one_seed_one_example_and_shares_add_up(store: SoundStore) -> None:
    for _ in range(2):
        one, other = (simulated(store, 7).draw() for _ in range(2))
        assert one.kind == other.kind and one.azimuth_deg == pytest.approx(other.azimuth_deg, nan_ok=True)
        np.testing.assert_array_equal(one.waveform, other.waveform)
    assert sum(SHARES) == pytest.approx(1.0) and len(SHARES) == len(KINDS)
    with pytest.raises(UserError, match="no kind"):
        simulated(store).draw("nonsense")


def test_the_command_writes_the_same_bytes_and_reads_back(data: Path, tmp_path: Path) -> None:
    def write(out: Path, split: str = "val", seed: int = 1) -> list[Path]:
        return simulate_binaural.main(simulate_binaural.Config(
            data=data, out=out, clips=5, split=split, seed=seed, kinds=("anechoic", "mono"), shard=3,
            cache=tmp_path / "cache"))  # fmt: skip

    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.name for path in first] == ["val-00000.npz", "val-00001.npz"]
    assert first[0].read_bytes() != write(tmp_path / "c", seed=2)[0].read_bytes()
    examples = read_shard(first[0])
    assert [e.kind for e in examples] == ["anechoic", "mono", "anechoic"] and examples[0].head == "val_head"
    assert examples[0].waveform.shape == (2, 16_000) and np.isnan(examples[1].azimuth_deg)
    assert {e.head for e in read_shard(write(tmp_path / "d", "train")[0])} == {"train_head", ""}


def test_the_heads_training_saves_and_measures(data: Path, tmp_path: Path) -> None:
    head = train_head.main(train_head.Config(data=data, out=tmp_path / "head", order=4, runs=tmp_path / "runs"))
    assert (tmp_path / "head/model.safetensors").is_file() and (tmp_path / "runs/log.jsonl").is_file()
    distortion_db, itd_us_error = train_head.errors(head, load_heads(data, "val")[0].head)
    assert distortion_db < 2.5 and itd_us_error < 30
    assert train_head.front_back_db(SphereHRTF()) == pytest.approx(0.0, abs=1e-6)
