"""Teaching the language path on made-up pictures, sounds and a made-up head: what each stage changes and leaves alone,
going on after a stop, one batch learnt by heart."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.nn.lora import LoraSettings, add_lora
from synesthesia.nn.quantised import load_quantised
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.checkpoint import save_audio_head
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import load_tiny, tiny
from synesthesia.vlm_to_sound.thinker import Thinker
from tests.vlm_to_sound.training.tiny import CODES, language_path_folder, small_config, small_decoder, some_codes
from training.vlm_to_sound import hidden_state_cache as rehearsal
from training.vlm_to_sound import train as train_language
from training.vlm_to_sound.clicked_sounds import Clicks, click
from training.vlm_to_sound.losses import decoder_loss
from training.vlm_to_sound.pictures import Pictures, SeenStore
from training.vlm_to_sound.train import LanguagePathTraining
from training.vlm_to_sound.trainable import TrainableAudioHead, opened, table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_path_folder(tmp_path_factory.mktemp("language_path"))


@pytest.fixture(autouse=True)
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiny models, nothing that lies in the repository, and an accelerate that remembers no other training."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(train_language, "tiny_config", small_config)
    monkeypatch.setattr(train_language, "TokenDecoderConfig", small_decoder)
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> LanguagePathTraining:
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "seen").symlink_to(folder / "runs" / "seen")
    return LanguagePathTraining(
        data=folder, out=tmp_path / "out", runs=runs, cache=folder / "cache", thinker=folder / "thinker",
        tokens=folder / "tokens", head=folder / "head", steps=3, clicks=4, frames=(6, 12), bf16=False,
    )  # fmt: skip


@pytest.fixture
def store(folder: Path) -> SeenStore:
    return SeenStore(folder / "runs" / "seen")


@pytest.fixture
def clicks(store: SeenStore) -> Clicks:
    return click(store, 6, np.random.default_rng(0))


def a_speaker(folder: Path) -> TrainableAudioHead:
    thinker = load_tiny(folder / "thinker")
    opened(thinker, LoraSettings(), words=False)
    torch.manual_seed(0)
    tokens = MelTokens.load(folder / "tokens")
    return TrainableAudioHead(thinker, AudioHead(small_decoder(thought=32, tokens=tokens.config), tokens)).eval()


def changed(there: dict[str, Tensor], here: dict[str, Tensor]) -> set[str]:
    assert there.keys() == here.keys()
    return {name for name, value in here.items() if not torch.equal(value, there[name])}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every optimisation step."""
    steps: list[int] = []

    def counting(store: Pictures, count: int, rng: np.random.Generator) -> Clicks:
        steps.append(count)
        return click(store, count, rng)

    monkeypatch.setattr(train_language, "click", counting)
    return steps


@pytest.mark.parametrize("bf16", [False, True])
def test_the_thinker_learns_and_loads(config: LanguagePathTraining, bf16: bool) -> None:
    torch.manual_seed(config.seed)
    fresh = tiny(small_config(4)).state_dict()
    made = train_language.train_thinker(replace(config, bf16=bf16))
    assert not made.training
    same = {name for name in fresh if torch.equal(fresh[name], made.state_dict()[name])}
    assert not any(name.endswith("weight") and "norm" not in name for name in same), "everything learns"
    store = SeenStore(config.runs / "seen")
    deviation = torch.from_numpy(store.merged.astype(np.float32)).std(0)
    assert torch.allclose(made.model.visual.deviation, deviation, rtol=1e-3)
    loaded = load_tiny(config.out)
    for name, value in made.state_dict().items():
        assert torch.allclose(loaded.state_dict()[name], value, atol=float(value.abs().max()) / 200), name


def test_the_decoder_changes_lora_and_the_audio_head_alone(config: LanguagePathTraining, folder: Path) -> None:
    there = a_speaker(folder).state_dict()
    made = train_language.train_decoder(config)
    here = made.state_dict()
    moved = changed({n: v for n, v in there.items() if n.startswith("thinker.")},
                    {n: v for n, v in here.items() if n.startswith("thinker.")})  # fmt: skip
    assert moved == {name for name in there if ".lora_" in name}
    assert len(moved) == 2 * 2 * 2, "two layers, queries and values, A and B"
    assert any(".visual." in name for name in there) and any("embed_tokens" in name for name in there)
    trained = {name for name, p in made.named_parameters() if p.requires_grad}
    assert trained == moved | {name for name, _ in made.named_parameters() if name.startswith("decoder.")}
    tokens = MelTokens.load(folder / "tokens")
    assert made.decoder.config.tokens == tokens.config and torch.equal(made.decoder.tokens.books, tokens.books)


def test_the_decoder_trains_in_half_precision(config: LanguagePathTraining) -> None:
    made = train_language.train_decoder(replace(config, bf16=True, untold=0.5))
    log = [json.loads(line) for line in (config.runs / "decoder" / "log.jsonl").read_text().splitlines()]
    assert 0.5 * math.log(CODES) < log[0]["token_loss"] < 2 * math.log(CODES)
    assert all(p.isfinite().all() and p.dtype == torch.float32 for p in made.parameters())


def test_what_the_decoder_saved_loads(config: LanguagePathTraining, folder: Path, clicks: Clicks) -> None:
    made = train_language.train_decoder(config)
    fields = json.loads((config.out / "config.json").read_text())
    tokens = MelTokens.load(folder / "tokens")
    read = AudioHeadConfig(**fields["decoder"] | {"tokens": MelTokenConfig(**fields["decoder"]["tokens"])})
    assert read == made.decoder.config and LoraSettings(**fields["lora"]) == LoraSettings()
    state = load_quantised(config.out / "model.safetensors")
    lora = {name[len("lora.") :]: state.pop(name) for name in list(state) if name.startswith("lora.")}
    decoder, thinker = AudioHead(read, tokens), load_tiny(folder / "thinker")
    decoder.load_state_dict(state)
    add_lora(thinker.model, LoraSettings(**fields["lora"]))
    assert thinker.load_state_dict(lora, strict=False).unexpected_keys == [] and len(lora) == 8
    again = TrainableAudioHead(thinker, decoder).eval()
    codes, told = some_codes(6), torch.ones(6, dtype=torch.bool)
    with torch.no_grad():
        (there, thought), (here, thought_again) = made(clicks, codes, told), again(clicks, codes, told)
    assert torch.allclose(thought.states, thought_again.states, atol=0.02)
    assert torch.nn.functional.cosine_similarity(there.codes, here.codes, dim=3).min() > 0.98
    assert not torch.equal(there.codes, here.codes)


@pytest.mark.parametrize("stage", ["thinker", "decoder"])
def test_a_training_goes_on_from_the_step_where_it_stopped(
    config: LanguagePathTraining, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, runs = counted(monkeypatch), config.runs / stage
    first = replace(config, stage=stage, steps=2)
    train_language.main(first)
    assert len(steps) == 2 and json.loads((runs / "state.json").read_text())["step"] == 2
    saved, out = load_file(runs / "state.safetensors"), load_file(config.out / "model.safetensors")
    train_language.main(first)
    assert len(steps) == 2, "there was nothing left to do"
    again = load_file(runs / "state.safetensors")
    assert all(torch.equal(again[name], value) for name, value in saved.items())
    assert all(torch.equal(value, out[name]) for name, value in load_file(config.out / "model.safetensors").items())
    train_language.main(replace(first, steps=5))
    assert len(steps) == 5 and json.loads((runs / "state.json").read_text())["step"] == 5
    last = load_file(runs / "state.safetensors")
    counts = {float(value.max()) for name, value in last.items() if name.endswith(".step")}
    assert counts == {5.0}, "the optimiser's moments went on too"
    assert changed(out, load_file(config.out / "model.safetensors"))


def test_the_audio_head_learns_from_what_was_written_down(
    config: LanguagePathTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a thought of the thinker, which stays as it is."""
    monkeypatch.setattr(rehearsal, "SHARD", 32)
    monkeypatch.setattr(rehearsal, "SECONDS", 0.48)
    train_language.main(replace(config, stage="rehearse", rehearsals=32))
    steps = counted(monkeypatch)
    monkeypatch.setattr(Thinker, "forward", None)
    made = train_language.train_decoder(replace(config, rehearsed=True, sounds=2)).state_dict()
    there = a_speaker(config.data).state_dict()
    assert not steps and {"decoder.kind.weight", "decoder.choose.weight"} <= changed(there, made)
    thinker = {name for name in there if name.startswith("thinker.") and ".lora_A" not in name}
    assert not thinker & changed(there, made) and any(".lora_B" in name for name in thinker)


def test_every_click_is_heard_as_several_sounds(folder: Path, clicks: Clicks) -> None:
    """One thought for all of its sounds is the same as thinking again for each."""
    speaker, codes = a_speaker(folder), some_codes(12)
    told = torch.tensor([True, True, False] * 4)
    with torch.no_grad():
        once, thought = speaker(clicks, codes, told)
        again, thoughts = speaker(clicks.repeated(2), codes, told)
    assert torch.allclose(once.codes, again.codes, atol=1e-4) and torch.allclose(once.lead, again.lead, atol=1e-4)
    assert torch.equal(thought.at, thoughts.at) and torch.equal(thought.patches, thoughts.patches)
    assert not torch.allclose(once.codes[::2], once.codes[1::2], atol=1e-2), "other sounds of the same clicks"


def test_longer_excerpts_come_in_smaller_batches(config: LanguagePathTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = counted(monkeypatch)
    train_language.main(replace(config, steps=8, clicks=8, frames=(6, 24)))
    assert set(steps) == {8, 2}


def test_the_table_adds_up(folder: Path) -> None:
    speaker = a_speaker(folder)
    rows = {line[:16].strip(): [int(n.replace(",", "")) for n in line[16:].split()]
            for line in table(speaker).splitlines()[1:]}  # fmt: skip
    assert sum(every for every, _ in rows.values()) == sum(p.numel() for p in speaker.parameters())
    assert sum(some for _, some in rows.values()) == sum(p.numel() for p in speaker.parameters() if p.requires_grad)
    assert rows["visual tower"] == [sum(p.numel() for p in speaker.thinker.model.visual.parameters()), 0]
    head = sum(p.numel() for p in speaker.decoder.parameters())
    assert rows["audio head"] == [head, head]
    lora = 2 * 2 * (16 * 32 + 32 * 16)
    assert rows["LoRA"] == [lora, lora] and rows["language model"][0] > 0 == rows["language model"][1]


def test_an_untrained_lora_changes_no_thought(folder: Path, clicks: Clicks) -> None:
    plain, with_lora = load_tiny(folder / "thinker"), a_speaker(folder).thinker
    seen = [sight.seen for sight in clicks.sights]
    with torch.no_grad():
        assert torch.equal(with_lora(seen, clicks.boxes).states, plain(seen, clicks.boxes).states)


@pytest.fixture
def learnt(folder: Path, clicks: Clicks) -> tuple[TrainableAudioHead, Tensor, list[float]]:
    """A speaker that was shown one batch again and again, and its losses."""
    speaker, codes, told = a_speaker(folder), some_codes(6), torch.ones(6, dtype=torch.bool)
    lead_s = torch.linspace(-400e-6, 400e-6, 6)
    optimiser = torch.optim.Adam([p for p in speaker.parameters() if p.requires_grad], 1e-2)
    losses = []
    for _ in range(60):
        made, thought = speaker(clicks, codes, told)
        loss, speech = decoder_loss(made, thought, clicks.boxes, codes, lead_s, told, speaker.decoder.config)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(speech))
    return speaker, codes, losses


@torch.no_grad()
def test_one_batch_is_learnt_by_heart(learnt: tuple[TrainableAudioHead, Tensor, list[float]], clicks: Clicks) -> None:
    speaker, codes, losses = learnt
    assert losses[0] > 0.8 * math.log(CODES) and losses[-1] < 0.05 * losses[0], losses[::10]
    told = torch.ones(6, dtype=torch.bool)
    inline = codes.permute(0, 3, 1, 2).flatten(1, 2)

    def first(clicks: Clicks, told: Tensor) -> Tensor:
        """(B,) whether the very first code, before which nothing was written, is known."""
        return speaker(clicks, codes, told)[0].codes[:, 0, 0].argmax(dim=1) == inline[:, 0, 0]

    assert len(inline[:, 0, 0].unique()) > 3 and first(clicks, told).all()
    others = Clicks(clicks.sights[1:] + clicks.sights[:1], clicks.boxes.roll(-1, 0), clicks.wanted.roll(-1, 0))
    assert first(others, told).sum() <= 2, "from the thought alone"
    assert first(clicks, ~told).sum() <= 2, "and not without it"
    thought = speaker.thinker([clicks.sights[2].seen], clicks.boxes[[2]])
    generators = [torch.Generator().manual_seed(0)]
    steps = list(speaker.decoder.write(speaker.decoder.memory(thought), 4, generators, temperature=0.0, guidance=1.0))
    assert torch.equal(torch.cat([step.codes for step in steps]), inline[2]), "written step by step, both ears in turn"


def test_saved_by_hand_it_is_the_same_file(folder: Path, tmp_path: Path) -> None:
    speaker = a_speaker(folder)
    save_audio_head(speaker.decoder, speaker.thinker, LoraSettings(), tmp_path)
    names = set(load_quantised(tmp_path / "model.safetensors"))
    assert {name for name in names if not name.startswith("lora.")} == set(speaker.decoder.state_dict())
    assert len([name for name in names if name.startswith("lora.")]) == 8
