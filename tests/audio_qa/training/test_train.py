"""Training of the spatial token on tiny models: which parameters each stage changes, the parameter table, overfitting
one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from synesthesia.audio_qa.checkpoint import is_spatial_token, load_spatial_token
from synesthesia.audio_qa.prompt import IGNORED, SPATIAL, TURN_END
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.localization.localizer import Localizer
from synesthesia.nn.lora import LoraSettings
from tests.audio_qa.tiny_models import noises
from tests.audio_qa.training.conftest import LABELS
from training.audio_qa.answer_templates import KINDS
from training.audio_qa.batches import QABatch, answer_loss, make_batch, question_batch
from training.audio_qa.clips import AnnotatedClips, sample_clips
from training.audio_qa.examples import QAExample, SceneAnnotation, sample_example
from training.audio_qa.train import (
    SpatialQA,
    SpatialTokenTraining,
    load_base,
    main,
    parameter_table,
    prepare_stage,
    trainable_groups,
    warm_up_batch,
)
from training.audio_qa.warm_projector import warm_up
from training.binaural.clip_sampler import ClipSampler
from training.binaural.response_bank import GROUP, ResponseBank
from training.common.run_state import JsonlLog

PARTS = {
    "audio tower": "model.audio_tower.", "audio projector": "model.multi_modal_projector.",
    "transformer": "model.language_model.", "output layer": "lm_head.",
}  # fmt: skip
PROJECTOR = "spatial_projector."


def configure(folder: Path, place: Path) -> SpatialTokenTraining:
    return SpatialTokenTraining(
        data=folder, out=place / "out", language=folder / "language", localizer=folder / "localiser",
        tagger=folder / "ear", runs=place / "runs", cache=folder / "cache", steps=2, bank=GROUP, clips=3, questions=2,
        clip_seconds=(0.4, 0.4, 0.4), bf16=False, warm_minutes=0.0,
    )  # fmt: skip


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> SpatialTokenTraining:
    return configure(folder, tmp_path)


class Run(NamedTuple):
    """One training: its settings, the model before it and after it, and LoRA's settings."""

    config: SpatialTokenTraining
    before: dict[str, Tensor]
    after: AudioLM
    lora: LoraSettings
    output: str

    def changed(self) -> set[str]:
        after = self.after.model.state_dict()
        assert after.keys() == self.before.keys()
        return {name for name, value in after.items() if not torch.equal(value, self.before[name])}


def run(config: SpatialTokenTraining, responses: ResponseBank, output: Callable[[], str] = str) -> Run:
    torch.manual_seed(config.seed)
    model = load_base(config)
    lora = prepare_stage(config, model)
    before = {name: value.clone() for name, value in model.model.state_dict().items()}
    output()
    return Run(config, before, main(config, responses), lora, output())


@pytest.fixture(scope="module")
def stage_1(folder: Path, responses: ResponseBank, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(configure(folder, tmp_path_factory.mktemp("stage_1")), responses)


def projector_of(model: AudioLM) -> dict[str, Tensor]:
    state: dict[str, Tensor] = model.model.spatial_projector.state_dict()
    return state


def encoder_state(folder: Path) -> dict[str, Tensor]:
    return Localizer.load(folder).encoder.state_dict()


def build(config: SpatialTokenTraining, model: AudioLM | None = None) -> SpatialQA:
    torch.manual_seed(0)
    model = model or load_base(config)
    prepare_stage(config, model)
    return SpatialQA(model.model, Localizer.load(config.localizer))


def test_stage_1_changes_the_projector_alone(stage_1: Run) -> None:
    config, before, after, lora, _ = stage_1
    assert lora.rank == 0 and all(any(name.startswith(part) for name in before) for part in PARTS.values())
    assert stage_1.changed() == {name for name in before if name.startswith(PROJECTOR)}
    assert not after.model.training and not (config.out / "localiser").exists()
    reloaded = load_base(config)
    assert load_spatial_token(reloaded.model, config.out) == LoraSettings(rank=0)
    for name, value in projector_of(after).items():
        error = (projector_of(reloaded)[name] - value).abs().max()
        assert error <= value.abs().max() / 127, "the last weights are saved"


def test_stage_1_leaves_the_spatial_encoder_as_it_is(
    config: SpatialTokenTraining, responses: ResponseBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    localizer = Localizer.load(config.localizer)
    before = {name: value.clone() for name, value in localizer.encoder.state_dict().items()}
    monkeypatch.setattr(Localizer, "load", lambda _: localizer)
    main(config, responses)
    after = localizer.encoder.state_dict()
    assert all(torch.equal(before[name], value) for name, value in after.items()), "its running means too"


def test_stage_2_changes_projector_and_lora_alone(stage_1: Run, responses: ResponseBank, tmp_path: Path) -> None:
    config = replace(stage_1.config, stage=2, first=stage_1.config.out, out=tmp_path / "out", runs=tmp_path / "runs")
    second = run(config, responses)
    assert second.lora == LoraSettings()
    reloaded = load_base(config)
    load_spatial_token(reloaded.model, stage_1.config.out)
    for name, value in projector_of(reloaded).items():
        assert torch.equal(second.before[PROJECTOR + name], value), "it continues from stage 1"
    assert second.changed() == {name for name in second.before if is_spatial_token(name)}
    assert sum(".lora_" in name for name in second.before) == 8, "two layers, queries and values, A and B"
    assert load_spatial_token(load_base(config).model, config.out) == LoraSettings()


def test_the_spatial_encoder_trains_on_request(config: SpatialTokenTraining, responses: ResponseBank) -> None:
    made = run(replace(config, train_extractor=True), responses)
    assert made.changed() == {name for name in made.before if name.startswith(PROJECTOR)}
    first, last = encoder_state(config.localizer), encoder_state(config.out / "localiser")
    same = {name for name, value in first.items() if torch.equal(value, last[name])}
    assert not any(name.endswith("weight") for name in same if "norm" not in name), same
    rest = [Localizer.load(path).state_dict() for path in (config.localizer, config.out / "localiser")]
    own = [name for name in rest[0] if not name.startswith("encoder.")]
    assert own and all(torch.equal(rest[0][name], rest[1][name]) for name in own)


@pytest.mark.parametrize(
    "stage, train_extractor, learning",
    [(1, False, {"projector"}), (1, True, {"spatial encoder", "projector"}), (2, False, {"projector", "LoRA"})],
)
def test_the_parameter_table_adds_up(
    config: SpatialTokenTraining, stage: int, train_extractor: bool, learning: set[str]
) -> None:
    wanted = replace(config, stage=stage, train_extractor=train_extractor)
    spatial_qa = build(wanted)
    groups = trainable_groups(spatial_qa, wanted)
    counted = {}
    for line in parameter_table(spatial_qa).splitlines()[1:]:
        part, every, some = line.replace(",", "").rsplit(maxsplit=2)
        counted[part] = int(every), int(some)
    total = counted.pop("total")
    assert total == tuple(sum(column) for column in zip(*counted.values(), strict=True))
    parameters = list(spatial_qa.parameters())
    assert total[0] == sum(p.numel() for p in parameters)
    assert total[1] == sum(p.numel() for p in parameters if p.requires_grad)
    assert total[1] == sum(p.numel() for group in groups for p in group.params)
    for part, (whole, trained) in counted.items():
        assert trained == (whole if part in learning else 0), part
    model = spatial_qa.model.model
    sizes = {
        "spatial encoder": spatial_qa.encoder, "projector": spatial_qa.model.spatial_projector,
        "audio tower": model.audio_tower, "audio projector": model.multi_modal_projector,
    }  # fmt: skip
    assert all(counted[part][0] == sum(p.numel() for p in module.parameters()) for part, module in sizes.items())
    assert counted["LoRA"][0] == (4 * 16 * (32 + 32) if stage == 2 else 0)


def test_the_parameter_table_is_printed(
    config: SpatialTokenTraining, responses: ResponseBank, capsys: pytest.CaptureFixture[str]
) -> None:
    main(replace(config, steps=1), responses)
    assert parameter_table(build(config)).splitlines()[0] in capsys.readouterr().out


class Log(JsonlLog):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(None)
        self.lines: list[dict] = []

    def write(self, **values) -> None:
        self.lines.append(values)


def test_the_projector_learns_directions_before_it_meets_the_language_model(
    config: SpatialTokenTraining, sampler: ClipSampler
) -> None:
    model = load_base(config)
    spatial_qa, projector = build(config, model).eval(), model.model.spatial_projector
    before = {name: value.clone() for name, value in projector.state_dict().items()}
    batch, log = warm_up_batch(config, sampler), Log()
    warm_up(projector, spatial_qa.token, lambda: batch, 1.0, Accelerator(cpu=True), log, steps=49, rows=24)
    changed = {name for name, value in projector.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if not name.startswith(("layers.8.", "layers.9."))}
    losses = [line["azimuth_loss"] for line in log.lines]
    assert len(losses) == 2 and losses[1] < losses[0] - 0.5, losses


def test_batches_ask_about_their_clips(config: SpatialTokenTraining, sampler: ClipSampler) -> None:
    model = load_base(config)
    batch = question_batch(model, config, sampler, np.random.default_rng(0))
    assert batch.waveform.shape == (3, 2, 6400) and batch.rows.tolist() == [0, 0, 1, 1, 2, 2]
    mono = list(batch.waveform.mean(dim=1).numpy())
    assert torch.equal(batch.features, model.frontend(mono)[0]), "both ears, mixed"
    assert ((batch.input_ids == model.model.config.spatial_token_id).sum(dim=1) == 1).all()
    answers = [model.tokenizer.decode(row[row != IGNORED]) for row in batch.labels]
    assert all(answer.endswith(TURN_END) and SPATIAL not in answer for answer in answers)


def test_every_question_gets_the_token_of_its_clip(config: SpatialTokenTraining, sampler: ClipSampler) -> None:
    model = load_base(config)
    spatial_qa = build(config, model).eval()
    batch = question_batch(model, config, sampler, np.random.default_rng(0))
    with torch.no_grad():
        token = spatial_qa.token(batch.waveform)
        assert token.shape == (3, 256) and token.std(dim=0).mean() > 1e-2
        expected = model.model(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels,
            input_features=batch.features.repeat_interleave(2, 0),
            feature_attention_mask=batch.mask.repeat_interleave(2, 0), spatial=token.repeat_interleave(2, 0),
        ).loss  # fmt: skip
        assert torch.allclose(spatial_qa(batch), expected, atol=1e-5)
        swapped = replace(batch, waveform=batch.waveform.flip(0))
        assert abs(float(spatial_qa(swapped) - expected)) > 1e-4


def descent(loss_of: Callable[[], Tensor], optimiser: torch.optim.Optimizer, steps: int, enough: float) -> list[float]:
    """Losses of at most `steps` steps, until one is below this share of the first."""
    losses: list[float] = []
    for _ in range(steps):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if losses[-1] < enough * losses[0]:
            break
    return losses


def two_sides(model: AudioLM) -> tuple[QABatch, QABatch]:
    """Two clips that are the same in mono: only the notes of the first batch, or the token of the second, separate
    their answers."""
    louder = torch.tensor([[1.0], [0.1]])
    one = louder * torch.from_numpy(noises(0.4)[0])
    scenes = tuple(SceneAnnotation(("dog",), (azimuth_deg,)) for azimuth_deg in (-90.0, 90.0))
    clips = AnnotatedClips(torch.stack([one, one.flip(0)]), scenes)
    examples = [QAExample("side", "en", "Where is it?", f"From the {side}.") for side in ("left", "right")]
    return make_batch(model, clips, [0, 1], examples, ["left", "right"]), make_batch(model, clips, [0, 1], examples)


def test_one_batch_is_overfitted(config: SpatialTokenTraining) -> None:
    """By the language model from notes; then, with everything else frozen, by the projector."""
    language_model = load_base(config)
    model = language_model.model.requires_grad_(True)
    model.model.audio_tower.requires_grad_(False)
    with_notes, with_token = two_sides(language_model)
    losses = descent(
        lambda: answer_loss(model, with_notes, None), torch.optim.AdamW(model.parameters(), 1e-2), 40, 0.003
    )
    assert losses[-1] < 0.02, losses
    assert all(p.grad is None for p in model.spatial_projector.parameters()), "notes stand in its place"
    spatial_qa = build(config, language_model)
    groups = [{"params": list(group.params)} for group in trainable_groups(spatial_qa, config)]
    losses = descent(lambda: spatial_qa(with_token), torch.optim.AdamW(groups, lr=1e-3), 100, 0.03)
    assert losses[-1] < 0.1 * losses[0], losses
    with torch.no_grad():
        swapped = float(spatial_qa(replace(with_token, waveform=with_token.waveform.flip(0))))
    assert swapped > losses[0], "the answers follow the token"


def test_every_sampled_question_has_an_answer(sampler: ClipSampler) -> None:
    clips = sample_clips(sampler, 150, 0.2, second_share=0.5)
    assert clips.waveform.shape == (150, 2, 3200) and len(clips.mono) == 150
    rng, without = np.random.default_rng(1), 0
    for waveform, scene in zip(clips.waveform, clips.annotations, strict=True):
        assert set(scene.labels) <= set(LABELS.values())
        assert sample_example(scene, rng, KINDS).answer
        if not scene.azimuths_deg:
            without += 1
            gain = waveform.abs().amax(dim=1)
            assert torch.allclose(waveform[0] / gain[0], waveform[1] / gain[1], atol=1e-4), "one sound in both ears"
    assert 1 <= without <= 25 and any(len(scene.labels) == 2 for scene in clips.annotations)
