"""Teaching the spatial token on made-up sounds, a spherical head and a random language model: what each stage changes
and leaves alone, the table of parameters, one batch learnt by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.audio_qa.prompt import IGNORED, SPATIAL, TURN_END, encode
from synesthesia.audio_qa.qwen2_audio import AudioLM, save_tiny
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.localization.encoder import SpatialEncoderConfig
from synesthesia.localization.localizer import Localizer, LocalizerConfig
from synesthesia.nn.lora import LoraSettings, is_trained, load_trained
from tests.audio_qa.foundations import ear, foundation, noises
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio_qa import train as train_spatial
from training.audio_qa import train_language_model
from training.audio_qa.questions import KINDS, Exchange
from training.audio_qa.spoken_scenes import ask, draw
from training.audio_qa.train import Asked, SpatialTraining, Trainee, foundation_of, resume, table, trainable
from training.audio_qa.train_language_model import Lesson
from training.audio_qa.warm_projector import warm
from training.binaural.response_bank import GROUP, Bank, bank
from training.binaural.scenes import Scenes
from training.common.audio_data import SoundStore, read_manifest
from training.common.run_state import JsonlLog

LABELS = {"hiss": "dog", "tone": "clock_tick"}  # sounds that an answer has names for, and the ear too
PARTS = {
    "audio tower": "model.audio_tower.", "audio projector": "model.multi_modal_projector.",
    "words": "model.language_model.", "mouth": "lm_head.",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds, and the models that a training starts from."""
    folder = tiny_sounds(tmp_path_factory.mktemp("spatial"))
    manifest = (folder / "manifest.csv").read_text()
    for there, here in LABELS.items():
        manifest = manifest.replace(f",{there},", f",{here},")
    (folder / "manifest.csv").write_text(manifest)
    ear().save(folder / "ear", half=False)
    save_tiny(foundation("ear"), folder / "language")
    torch.manual_seed(3)
    small = SpatialEncoderConfig(widths=(4, 4, 8), heads=2)
    localiser = Localizer(LocalizerConfig(extractor=small, hidden=16))
    with torch.no_grad():
        for weight in localiser.extractor.parameters():
            weight.mul_(5.0 if weight.ndim == 4 else 1.0)  # as they begin, tokens of unlike clips hardly differ
    localiser.save(folder / "localiser")
    return folder


@pytest.fixture(scope="module", autouse=True)
def responses(folder: Path) -> Iterator[Bank]:
    """In the place of the heads of a data folder."""
    made = bank([SphereHRTF()], [], GROUP, folder / "cache", seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_language_model, "all_responses", lambda *_: made)
        patch.setattr(train_language_model, "SECONDS", (0.4,) * 3)
        patch.setattr(train_spatial, "SECONDS", (0.4,) * 3)
        yield made


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> SpatialTraining:
    return SpatialTraining(
        data=folder, out=tmp_path / "out", language=folder / "language", localiser=folder / "localiser",
        ear=folder / "ear", runs=tmp_path / "runs", cache=folder / "cache", steps=4, bank=GROUP, clips=3, questions=2,
        bf16=False, warm_minutes=0.0,
    )  # fmt: skip


@pytest.fixture
def scenes(folder: Path, responses: Bank) -> Scenes:
    clips = read_manifest(folder)
    rows = [i for i, clip in enumerate(clips) if clip.split == "train"]
    return Scenes(SoundStore(folder, clips, folder / "cache"), rows, responses, np.random.default_rng(0))


def before(config: SpatialTraining) -> tuple[dict[str, Tensor], LoraSettings]:
    """The model that `main` begins with, to the bit."""
    torch.manual_seed(config.seed)
    made = foundation_of(config)
    settings = resume(config, made)
    return {name: value.clone() for name, value in made.model.state_dict().items()}, settings


def changed(there: dict[str, Tensor], made: AudioLM) -> set[str]:
    here = made.model.state_dict()
    assert here.keys() == there.keys()
    return {name for name, value in here.items() if not torch.equal(value, there[name])}


def extractor(folder: Path) -> dict[str, Tensor]:
    return Localizer.load(folder).extractor.state_dict()


def a_trainee(config: SpatialTraining, made: AudioLM | None = None) -> Trainee:
    torch.manual_seed(0)
    made = made or foundation_of(config)
    resume(config, made)
    localiser = Localizer.load(config.localiser)
    return Trainee(made.model, localiser.cues, localiser.extractor)


def test_stage_1_changes_the_projector_alone(config: SpatialTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    there, settings = before(config)
    localiser = Localizer.load(config.localiser)
    monkeypatch.setattr(train_spatial.Localiser, "load", lambda _: localiser)
    assert settings.rank == 0 and all(any(name.startswith(part) for name in there) for part in PARTS.values())
    made = train_spatial.main(config)
    assert changed(there, made) == {name for name in there if name.startswith("spatial_projector.")}
    assert not made.model.training and not (config.out / "localiser").exists()
    monkeypatch.undo()
    first, last = extractor(config.localiser), localiser.extractor.state_dict()
    assert all(torch.equal(first[name], value) for name, value in last.items()), "its running means too"
    fresh = foundation_of(config)
    assert load_trained(fresh.model, config.out) == LoraSettings(rank=0)
    for name, value in made.model.spatial_projector.state_dict().items():
        again = fresh.model.spatial_projector.state_dict()[name]
        assert (again - value).abs().max() <= value.abs().max() / 127, "the end of the training is what is kept"


def test_stage_2_changes_projector_and_lora_alone(config: SpatialTraining, tmp_path: Path) -> None:
    train_spatial.main(config)
    second = replace(config, stage=2, first=config.out, out=tmp_path / "second", runs=tmp_path / "runs_2")
    there, settings = before(second)
    assert settings == LoraSettings()
    fresh = foundation_of(config)
    load_trained(fresh.model, config.out)
    for name, value in fresh.model.spatial_projector.state_dict().items():
        assert torch.equal(there[f"spatial_projector.{name}"], value), "it goes on from stage 1"
    made = train_spatial.main(second)
    assert changed(there, made) == {name for name in there if is_trained(name)}
    assert sum(".lora_" in name for name in there) == 8, "two layers, queries and values, A and B"
    assert load_trained(foundation_of(config).model, second.out) == LoraSettings()


def test_the_extractor_learns_when_asked_to(config: SpatialTraining) -> None:
    there, _ = before(config)
    made = train_spatial.main(replace(config, train_extractor=True))
    assert changed(there, made) == {name for name in there if name.startswith("spatial_projector.")}
    first, last = extractor(config.localiser), extractor(config.out / "localiser")
    same = {name for name, value in first.items() if torch.equal(value, last[name])}
    assert not any(name.endswith("weight") for name in same if "norm" not in name), same
    rest = [Localizer.load(path).state_dict() for path in (config.localiser, config.out / "localiser")]
    own = [name for name in rest[0] if not name.startswith("extractor.")]
    assert own and all(torch.equal(rest[0][name], rest[1][name]) for name in own)


@pytest.mark.parametrize(
    "stage, train_extractor, learning",
    [(1, False, {"projector"}), (1, True, {"extractor", "projector"}), (2, False, {"projector", "LoRA"})],
)
def test_the_table_adds_up(
    config: SpatialTraining, stage: int, train_extractor: bool, learning: set[str]
) -> None:  # fmt: skip
    wanted = replace(config, stage=stage, train_extractor=train_extractor)
    trainee = a_trainee(wanted)
    groups = trainable(trainee, wanted)
    counted = {}
    for line in table(trainee).splitlines()[1:]:
        part, every, some = line.replace(",", "").rsplit(maxsplit=2)
        counted[part] = int(every), int(some)
    total = counted.pop("total")
    assert total == tuple(sum(column) for column in zip(*counted.values(), strict=True))
    parameters = list(trainee.parameters())
    assert total[0] == sum(p.numel() for p in parameters)
    assert total[1] == sum(p.numel() for p in parameters if p.requires_grad)
    assert total[1] == sum(p.numel() for group in groups for p in group["params"])  # type: ignore[attr-defined]
    for part, (whole, learnt) in counted.items():
        assert learnt == (whole if part in learning else 0), part
    model = trainee.model.model
    sizes = {
        "extractor": trainee.extractor, "projector": trainee.model.spatial_projector, "audio tower": model.audio_tower,
        "audio projector": model.multi_modal_projector,
    }  # fmt: skip
    assert all(counted[part][0] == sum(p.numel() for p in module.parameters()) for part, module in sizes.items())
    assert counted["LoRA"][0] == (4 * 16 * (32 + 32) if stage == 2 else 0)


def test_the_table_is_printed(config: SpatialTraining, capsys: pytest.CaptureFixture[str]) -> None:
    train_spatial.main(replace(config, steps=1))
    assert table(a_trainee(config)).splitlines()[0] in capsys.readouterr().out


def test_the_projector_learns_directions_before_it_meets_words(config: SpatialTraining, scenes: Scenes) -> None:
    made = foundation_of(config)
    trainee, projector = a_trainee(config, made).eval(), made.model.spatial_projector
    there = {name: value.clone() for name, value in projector.state_dict().items()}
    batch = train_spatial.heard(scenes, config)
    log = Log()
    warm(projector, trainee.token, lambda: batch, 1.0, log, steps=51)
    changed = {name for name, value in projector.state_dict().items() if not torch.equal(value, there[name])}
    assert changed == {name for name in there if not name.startswith(("layers.8.", "layers.9."))}
    told = [one["azimuth_loss"] for one in log.lines]
    assert len(told) == 2 and told[1] < told[0] - 0.5, told


def test_batches_ask_about_what_is_heard(config: SpatialTraining, scenes: Scenes) -> None:
    made = foundation_of(config)
    asked = next(train_spatial.questions(made, config, scenes, np.random.default_rng(0)))
    assert asked.waveform.shape == (3, 2, 6400) and asked.rows.tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(asked.mel, made.front(list(asked.waveform.mean(dim=1).numpy()))[0]), "both ears, mixed"
    spatial = made.model.config.spatial_token_id
    assert ((asked.input_ids == spatial).sum(dim=1) == 1).all()
    answers = [made.tokenizer.decode(row[row != IGNORED]) for row in asked.labels]
    assert all(answer.endswith(TURN_END) and SPATIAL not in answer for answer in answers)


class Log(JsonlLog):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(None)
        self.lines: list[dict] = []

    def write(self, **values) -> None:
        self.lines.append(values)


def descent(loss_of: Callable[[], Tensor], optimiser: torch.optim.Optimizer, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def test_every_question_meets_the_token_of_its_clip(config: SpatialTraining, scenes: Scenes) -> None:
    made = foundation_of(config)
    trainee = a_trainee(config, made).eval()
    asked = next(train_spatial.questions(made, config, scenes, np.random.default_rng(0)))
    with torch.no_grad():
        token = trainee.token(asked.waveform)
        assert token.shape == (3, 256) and token.std(dim=0).mean() > 1e-2
        by_hand = made.model(
            input_ids=asked.input_ids, attention_mask=asked.attention_mask, labels=asked.labels,
            input_features=asked.mel.repeat_interleave(2, 0), feature_attention_mask=asked.mask.repeat_interleave(2, 0),
            spatial=token.repeat_interleave(2, 0),
        ).loss  # fmt: skip
        assert torch.allclose(trainee(asked), by_hand, atol=1e-5)
        elsewhere = replace(asked, waveform=asked.waveform.flip(0))
        assert abs(float(trainee(elsewhere) - by_hand)) > 1e-4


def two_sides(made: AudioLM) -> tuple[Lesson, Asked]:
    """Two clips that sound the same in mono: nothing but notes, or the token, tells one answer from the other."""
    louder = torch.tensor([[1.0], [0.1]])
    one = louder * torch.from_numpy(noises(0.4)[0])
    waveform = torch.stack([one, one.flip(0)])
    mel, mask = made.front(list(waveform.mean(dim=1).numpy()))
    counts = made.model.audio_tokens(mask)
    with torch.no_grad():
        embeddings = list(made.model.audio_embeddings(mel, mask).split(counts))
    exchanges = [Exchange("side", "en", "Where is it?", f"From the {side}.") for side in ("left", "right")]
    batch = encode(
        made.tokenizer, counts, [one.question for one in exchanges], [one.answer for one in exchanges], spatial=True
    )  # fmt: skip
    assert batch.labels is not None
    rows = torch.tensor([0, 1])
    told = Lesson(embeddings, counts, [0, 1], exchanges, ["left", "right"])
    return told, Asked(waveform, mel, mask, rows, batch.input_ids, batch.attention_mask, batch.labels)


def test_one_batch_is_learnt_by_heart(config: SpatialTraining) -> None:
    """By the language model from notes; then, all else frozen, by the projector."""
    made = foundation_of(config)
    model = made.model.requires_grad_(True)
    model.model.audio_tower.requires_grad_(False)
    told, asked = two_sides(made)
    taught = torch.optim.AdamW(model.parameters(), 1e-2)
    losses = descent(lambda: told.loss(made, bf16=False), taught, 40)
    assert losses[-1] < 0.02, losses
    assert all(p.grad is None for p in model.spatial_projector.parameters()), "notes stand in its place"
    trainee = a_trainee(config, made)
    learning = torch.optim.AdamW(trainable(trainee, config), lr=1e-3)
    losses = descent(lambda: trainee(asked), learning, 100)
    assert losses[-1] < 0.1 * losses[0], losses
    with torch.no_grad():
        crossed = float(trainee(replace(asked, waveform=asked.waveform.flip(0))))
    assert crossed > losses[0], "it is the token that it goes by"


def test_what_is_asked_can_be_answered(scenes: Scenes) -> None:
    spoken = draw(scenes, 150, 0.2, second_share=0.5)
    assert spoken.waveform.shape == (150, 2, 3200) and len(spoken.mono) == 150
    rng, without = np.random.default_rng(1), 0
    for waveform, truth in zip(spoken.waveform, spoken.truths, strict=True):
        assert set(truth.labels) <= set(LABELS.values())
        assert ask(truth, rng, KINDS).answer
        if not truth.azimuths_deg:
            without += 1
            gain = waveform.abs().amax(dim=1)
            assert torch.allclose(waveform[0] / gain[0], waveform[1] / gain[1], atol=1e-4), "one sound in both ears"
    assert 1 <= without <= 25 and any(len(truth.labels) == 2 for truth in spoken.truths)
