"""Training on made-up pictures, sounds and a made-up head: what each stage changes, resuming, overfitting one batch."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.nn.lora import LoraSettings, add_lora
from synesthesia.nn.quantised import load_quantised
from synesthesia.vlm_to_sound.audio_head import AudioHead
from synesthesia.vlm_to_sound.checkpoint import load_audio_head, save_audio_head, stored_name
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, load_tiny
from synesthesia.vlm_to_sound.sampling import TokenSampler, decode
from synesthesia.vlm_to_sound.thinker import Thinker
from tests.vlm_to_sound.training.tiny import CODES, small_config, small_decoder, some_codes
from training.vlm_to_sound import train
from training.vlm_to_sound.clicked_sounds import Clicks, sample_clicks
from training.vlm_to_sound.hidden_state_cache import CacheConfig
from training.vlm_to_sound.image_dataset import FeatureStore, ImageStore
from training.vlm_to_sound.losses import audio_head_loss
from training.vlm_to_sound.train import VlmToSoundTraining
from training.vlm_to_sound.trainable import TrainableAudioHead, add_trainable_lora, parameter_table


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> VlmToSoundTraining:
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "seen").symlink_to(folder / "runs" / "seen")
    return VlmToSoundTraining(
        data=folder, stage="decoder", out=tmp_path / "out", runs=runs, cache=folder / "cache",
        thinker=folder / "thinker", tokens=folder / "tokens", hrtf=folder / "head", mapper=folder / "mapper", steps=3,
        clicks=4, frames=(6, 12), bf16=False, thinker_width=32, thinker_layers=2, width=32, layers=2, heads=2,
    )  # fmt: skip


def untrained(folder: Path) -> TrainableAudioHead:
    thinker = load_tiny(folder / "thinker")
    add_trainable_lora(thinker, LoraSettings(), new_embeddings=False)
    torch.manual_seed(0)
    tokens = MelTokens.load(folder / "tokens")
    return TrainableAudioHead(thinker, AudioHead(small_decoder(hidden_size=32, tokens=tokens.config), tokens)).eval()


def changed(there: dict[str, Tensor], here: dict[str, Tensor]) -> set[str]:
    assert there.keys() == here.keys()
    return {name for name, value in here.items() if not torch.equal(value, there[name])}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every optimisation step."""
    steps: list[int] = []

    def counting(store: ImageStore, count: int, rng: np.random.Generator) -> Clicks:
        steps.append(count)
        return sample_clicks(store, count, rng)

    monkeypatch.setattr(train, "sample_clicks", counting)
    return steps


@pytest.mark.parametrize("bf16", [False, True])
def test_the_thinker_learns_and_loads(config: VlmToSoundTraining, store: FeatureStore, bf16: bool) -> None:
    torch.manual_seed(config.seed)
    fresh = build_tiny(small_config(4)).state_dict()
    made = train.train_thinker(replace(config, bf16=bf16))
    assert not made.training
    same = {name for name in fresh if torch.equal(fresh[name], made.state_dict()[name])}
    assert not any(name.endswith("weight") and "norm" not in name for name in same), "everything trains"
    deviation = torch.from_numpy(store.content.astype(np.float32)).std(0)
    assert torch.allclose(made.model.visual.feature_std, deviation, rtol=1e-3)
    loaded = load_tiny(config.out)
    for name, value in made.state_dict().items():
        assert torch.allclose(loaded.state_dict()[name], value, atol=float(value.abs().max()) / 200), name


def test_the_decoder_trains_lora_and_the_audio_head_alone(config: VlmToSoundTraining, folder: Path) -> None:
    there = untrained(folder).state_dict()
    made = train.train_audio_head(config)
    here = made.state_dict()
    moved = changed({n: v for n, v in there.items() if n.startswith("thinker.")},
                    {n: v for n, v in here.items() if n.startswith("thinker.")})  # fmt: skip
    assert moved == {name for name in there if ".lora_" in name}
    assert len(moved) == 2 * 2 * 2, "two layers, queries and values, A and B"
    assert any(".visual." in name for name in there) and any("embed_tokens" in name for name in there)
    trained = {name for name, p in made.named_parameters() if p.requires_grad}
    assert trained == moved | {name for name, _ in made.named_parameters() if name.startswith("head.")}
    tokens = MelTokens.load(folder / "tokens")
    assert made.head.config.tokens == tokens.config and torch.equal(made.head.tokens.books, tokens.books)


def test_the_decoder_trains_in_half_precision(config: VlmToSoundTraining) -> None:
    made = train.train_audio_head(replace(config, bf16=True, condition_dropout=0.5))
    log = [json.loads(line) for line in (config.runs / "decoder" / "log.jsonl").read_text().splitlines()]
    assert 0.5 * math.log(CODES) < log[0]["token_loss"] < 2 * math.log(CODES)
    assert all(p.isfinite().all() and p.dtype == torch.float32 for p in made.parameters())


def test_what_the_decoder_saved_loads(config: VlmToSoundTraining, folder: Path, clicks: Clicks) -> None:
    made = train.train_audio_head(config)
    fields = json.loads((config.out / "config.json").read_text())
    tokens = MelTokens.load(folder / "tokens")
    read = load_audio_head(config.out, load_tiny(folder / "thinker"), tokens).config
    assert read == made.head.config and LoraSettings(**fields["lora"]) == LoraSettings()
    state = load_quantised(config.out / "model.safetensors")
    lora = {name[len("lora.") :]: state.pop(name) for name in list(state) if name.startswith("lora.")}
    decoder, thinker = AudioHead(read, tokens), load_tiny(folder / "thinker")
    decoder.load_state_dict({name: state[stored_name(name)] for name in decoder.state_dict()})
    add_lora(thinker.model, LoraSettings(**fields["lora"]))
    assert thinker.load_state_dict(lora, strict=False).unexpected_keys == [] and len(lora) == 8
    again = TrainableAudioHead(thinker, decoder).eval()
    codes, conditioned = some_codes(6), torch.ones(6, dtype=torch.bool)
    with torch.no_grad():
        (there, hidden), (here, hidden_again) = made(clicks, codes, conditioned), again(clicks, codes, conditioned)
    assert torch.allclose(hidden.states, hidden_again.states, atol=0.02)
    assert torch.nn.functional.cosine_similarity(there.codes, here.codes, dim=3).min() > 0.98
    assert not torch.equal(there.codes, here.codes)


@pytest.mark.parametrize("stage", ["thinker", "decoder"])
def test_a_training_resumes_at_its_last_step(
    config: VlmToSoundTraining, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, runs = counted(monkeypatch), config.runs / stage
    first = replace(config, stage=stage, steps=2)
    train.main(first)
    assert len(steps) == 2 and json.loads((runs / "state.json").read_text())["step"] == 2
    saved, out = load_file(runs / "state.safetensors"), load_file(config.out / "model.safetensors")
    train.main(first)
    assert len(steps) == 2, "there was nothing left to do"
    again = load_file(runs / "state.safetensors")
    assert all(torch.equal(again[name], value) for name, value in saved.items())
    assert all(torch.equal(value, out[name]) for name, value in load_file(config.out / "model.safetensors").items())
    train.main(replace(first, steps=5))
    assert len(steps) == 5 and json.loads((runs / "state.json").read_text())["step"] == 5
    last = load_file(runs / "state.safetensors")
    counts = {float(value.max()) for name, value in last.items() if name.endswith(".step")}
    assert counts == {5.0}, "the optimiser's moments were resumed too"
    assert changed(out, load_file(config.out / "model.safetensors"))


def test_the_audio_head_trains_on_cached_hidden_states(
    config: VlmToSoundTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thinker is not run and stays as it is."""
    config = replace(config, cached=CacheConfig(shard=32, seconds=0.48), rehearsals=32)
    train.main(replace(config, stage="rehearse"))
    steps = counted(monkeypatch)
    monkeypatch.setattr(Thinker, "forward", None)
    made = train.train_audio_head(replace(config, rehearsed=True, sounds=2)).state_dict()
    there = untrained(config.data).state_dict()
    assert not steps and {"head.class_embedding.weight", "head.class_head.weight"} <= changed(there, made)
    thinker = {name for name in there if name.startswith("thinker.") and ".lora_A" not in name}
    assert not thinker & changed(there, made) and any(".lora_B" in name for name in thinker)


def test_every_click_has_several_sounds(folder: Path, clicks: Clicks) -> None:
    """Hidden states shared by the sounds of a click equal those computed for each."""
    model, codes = untrained(folder), some_codes(12)
    conditioned = torch.tensor([True, True, False] * 4)
    with torch.no_grad():
        once, hidden = model(clicks, codes, conditioned)
        again, hiddens = model(clicks.repeat(2), codes, conditioned)
    assert torch.allclose(once.codes, again.codes, atol=1e-4) and torch.allclose(once.itd, again.itd, atol=1e-4)
    assert torch.equal(hidden.positions, hiddens.positions) and torch.equal(hidden.image_mask, hiddens.image_mask)
    assert not torch.allclose(once.codes[::2], once.codes[1::2], atol=1e-2), "other sounds of the same clicks"


def test_longer_excerpts_come_in_smaller_batches(config: VlmToSoundTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = counted(monkeypatch)
    train.main(replace(config, steps=8, clicks=8, frames=(6, 24)))
    assert set(steps) == {8, 2}


def test_the_table_adds_up(folder: Path) -> None:
    model = untrained(folder)
    rows = {line[:16].strip(): [int(n.replace(",", "")) for n in line[16:].split()]
            for line in parameter_table(model).splitlines()[1:]}  # fmt: skip
    assert sum(every for every, _ in rows.values()) == sum(p.numel() for p in model.parameters())
    assert sum(some for _, some in rows.values()) == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert rows["visual tower"] == [sum(p.numel() for p in model.thinker.model.visual.parameters()), 0]
    head = sum(p.numel() for p in model.head.parameters())
    assert rows["audio head"] == [head, head]
    lora = 2 * 2 * (16 * 32 + 32 * 16)
    assert rows["LoRA"] == [lora, lora] and rows["language model"][0] > 0 == rows["language model"][1]


def test_untrained_lora_changes_no_hidden_state(folder: Path, clicks: Clicks) -> None:
    plain, with_lora = load_tiny(folder / "thinker"), untrained(folder).thinker
    images = [image.tower_input for image in clicks.images]
    with torch.no_grad():
        assert torch.equal(with_lora(images, clicks.boxes).states, plain(images, clicks.boxes).states)


@pytest.fixture
def overfitted(folder: Path, clicks: Clicks) -> tuple[TrainableAudioHead, Tensor, list[float]]:
    """A model trained on one batch again and again, and its losses."""
    model, codes, conditioned = untrained(folder), some_codes(6), torch.ones(6, dtype=torch.bool)
    itd_s = torch.linspace(-400e-6, 400e-6, 6)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    losses = []
    for _ in range(60):
        made, hidden = model(clicks, codes, conditioned)
        loss, token_loss = audio_head_loss(made, hidden, clicks.boxes, codes, itd_s, conditioned, model.head.config)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(token_loss))
    return model, codes, losses


@torch.no_grad()
def test_one_batch_overfits(overfitted: tuple[TrainableAudioHead, Tensor, list[float]], clicks: Clicks) -> None:
    model, codes, losses = overfitted
    assert losses[0] > 0.8 * math.log(CODES) and losses[-1] < 0.05 * losses[0], losses[::10]
    conditioned = torch.ones(6, dtype=torch.bool)
    inline = codes.permute(0, 3, 1, 2).flatten(1, 2)

    def first(clicks: Clicks, conditioned: Tensor) -> Tensor:
        """(B,) whether the very first code, which has no history, is correct."""
        return model(clicks, codes, conditioned)[0].codes[:, 0, 0].argmax(dim=1) == inline[:, 0, 0]

    assert len(inline[:, 0, 0].unique()) > 3 and first(clicks, conditioned).all()
    others = Clicks(clicks.images[1:] + clicks.images[:1], clicks.boxes.roll(-1, 0), clicks.targets.roll(-1, 0))
    assert first(others, conditioned).sum() <= 2, "from the hidden states alone"
    assert first(clicks, ~conditioned).sum() <= 2, "and not without it"
    hidden = model.thinker([clicks.images[2].tower_input], clicks.boxes[[2]])
    generators = [torch.Generator().manual_seed(0)]
    sampler = TokenSampler(temperature=0.0, guidance=1.0)
    steps = list(decode(model.head, model.head.memory(hidden), 4, generators, sampler))
    assert torch.equal(torch.cat([step.codes for step in steps]), inline[2]), "decoded step by step, both ears in turn"


def test_the_saved_file_has_the_expected_tensors(folder: Path, tmp_path: Path) -> None:
    model = untrained(folder)
    save_audio_head(model.head, model.thinker, LoraSettings(), tmp_path)
    names = set(load_quantised(tmp_path / "model.safetensors"))
    assert {name for name in names if not name.startswith("lora.")} == {
        stored_name(name) for name in model.head.state_dict()
    }
    assert len([name for name in names if name.startswith("lora.")]) == 8
