"""Qwen2-Audio with a spatial token: without the token it is the plain model bit for bit; with it, the prompt after the
token depends on it.

Tested with the tagger and with a tower of Qwen2-Audio's own type.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

from synesthesia.audio_qa.projector import SpatialProjector
from synesthesia.audio_qa.prompt import AUDIO, IGNORED, SPATIAL, SPECIAL, TURN_END
from synesthesia.audio_qa.qwen2_audio import AudioLM
from tests.audio_qa.tiny_models import QUESTIONS, TOWERS, model_inputs, noises, spatial_tokens, tiny_language_model

ANSWERS = ("From the left.", "A dog, from the front right, about 60 degrees to the right.", "从左边传来。")
DIFFERENT = noises(1.0, 0.4, 2.3)
ALIKE = noises(0.8, 0.8, 0.8)


@pytest.fixture(scope="module", params=TOWERS)
def made(request: pytest.FixtureRequest) -> AudioLM:
    return tiny_language_model(request.param)


def ids(made: AudioLM, *names: str) -> list[int]:
    return [int(made.tokenizer.convert_tokens_to_ids(name)) for name in names]


@torch.no_grad()
def logits(made: AudioLM, inputs: dict[str, Tensor]) -> Tensor:
    out: Tensor = made.model(**inputs).logits
    return out


@torch.no_grad()
def llm_inputs(made: AudioLM, inputs: dict[str, Tensor]) -> Tensor:
    """Input embeddings of the language model in a forward pass, (B, S, d_llm)."""
    inputs_embeds: list[Tensor] = []

    def record(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs_embeds.append(kwargs["inputs_embeds"])

    hook = made.model.model.language_model.register_forward_pre_hook(record, with_kwargs=True)
    made.model(**inputs)
    hook.remove()
    return inputs_embeds[0]


def greedy(made: AudioLM, inputs: dict[str, Tensor], use_cache: bool = True, length: int = 12) -> Any:
    return made.model.generate(
        **inputs, do_sample=False, use_cache=use_cache, max_new_tokens=length, min_new_tokens=length,
        pad_token_id=made.tokenizer.pad_token_id, suppress_tokens=ids(made, *SPECIAL), output_logits=True,
        return_dict_in_generate=True,
    )  # fmt: skip


def test_the_projectors_layers() -> None:
    layers = SpatialProjector(256, 96).layers
    inner = [nn.Linear, nn.GELU, nn.LayerNorm, nn.Dropout]
    assert [type(layer) for layer in layers] == [*inner, *inner, nn.Linear, nn.LayerNorm]
    linear = [tuple(layer.weight.shape) for layer in layers if isinstance(layer, nn.Linear)]
    assert linear == [(1024, 256), (2048, 1024), (96, 2048)]
    assert [layer.normalized_shape for layer in layers if isinstance(layer, nn.LayerNorm)] == [(1024,), (2048,), (96,)]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.1, 0.1]


@pytest.mark.parametrize("tower", TOWERS)
@pytest.mark.parametrize("width", [32, 48])
def test_the_projector_has_the_language_models_width(tower: Any, width: int) -> None:
    model = tiny_language_model(tower, width=width, layers=1).model
    assert model.config.text_config.hidden_size == width
    assert model.spatial_projector(spatial_tokens(3)).shape == (3, width)


def test_audio_embeddings_are_bit_equal_with_and_without_the_token(made: AudioLM) -> None:
    _, without = model_inputs(made, DIFFERENT, None)
    _, beside = model_inputs(made, DIFFERENT, spatial_tokens(3))
    (audio,) = ids(made, AUDIO)
    places = without["input_ids"] == audio, beside["input_ids"] == audio
    counts = places[1].sum(dim=1).tolist()
    assert counts == made.model.audio_token_counts(beside["feature_attention_mask"]) and len(set(counts)) == 3
    plain, changed = llm_inputs(made, without)[places[0]], llm_inputs(made, beside)[places[1]]
    assert plain.shape == (sum(counts), 32) and plain.std() > 0
    assert torch.equal(plain, changed)


def test_the_projected_token_is_at_its_position(made: AudioLM) -> None:
    _, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3))
    place = inputs["input_ids"] == ids(made, SPATIAL)[0]
    assert place.sum(dim=1).tolist() == [1, 1, 1]
    with torch.no_grad():
        assert torch.equal(llm_inputs(made, inputs)[place], made.model.spatial_projector(spatial_tokens(3)))


@pytest.mark.parametrize("answers", [None, ANSWERS], ids=["left-padded", "right-padded"])
def test_without_the_token_it_equals_plain_qwen2_audio(made: AudioLM, answers: tuple[str, ...] | None) -> None:
    plain = Qwen2AudioForConditionalGeneration(made.model.config).eval()
    missing, unexpected = plain.load_state_dict(made.model.state_dict(), strict=False)
    assert missing == [] and all(name.startswith("spatial_projector.") for name in unexpected)
    batch, inputs = model_inputs(made, DIFFERENT, None, answers=answers)
    assert int(batch.attention_mask.sum(dim=1).min()) < batch.attention_mask.shape[1], "some row is padded"
    with torch.no_grad():
        theirs, ours = plain(**inputs, labels=batch.labels), made.model(**inputs, labels=batch.labels)
    assert torch.equal(theirs.logits, ours.logits)
    assert answers is None or torch.equal(theirs.loss, ours.loss)


def test_what_follows_the_token_depends_on_it_and_what_precedes_does_not(made: AudioLM) -> None:
    _, one = model_inputs(made, ALIKE[:1], spatial_tokens(1, seed=1))
    there, elsewhere = logits(made, one)[0], logits(made, one | {"spatial": spatial_tokens(1, seed=2)})[0]
    at = int((one["input_ids"][0] == ids(made, SPATIAL)[0]).nonzero())
    assert torch.equal(there[:at], elsewhere[:at])
    assert ((there[at:] - elsewhere[at:]).abs().amax(dim=1) > 1e-3).all()


def test_every_row_of_a_batch_gets_its_own_token(made: AudioLM) -> None:
    clip, question, where = [ALIKE[0]] * 3, (QUESTIONS[0],) * 3, spatial_tokens(3)
    _, inputs = model_inputs(made, clip, where, question)
    found = logits(made, inputs)
    assert all((found[i, -1] - found[j, -1]).abs().max() > 1e-2 for i, j in ((0, 1), (0, 2), (1, 2)))
    order = torch.tensor([2, 0, 1])
    assert torch.allclose(logits(made, inputs | {"spatial": where[order]}), found[order], atol=1e-4)
    for row in range(3):
        _, alone = model_inputs(made, clip[:1], where[row : row + 1], question)
        assert torch.allclose(logits(made, alone)[0], found[row], atol=1e-4)


def test_the_answer_is_the_same_alone_and_in_a_padded_batch(made: AudioLM) -> None:
    where = spatial_tokens(3)
    _, together = model_inputs(made, ALIKE, where)
    assert sorted((together["attention_mask"] == 0).sum(dim=1).tolist())[1] > 0, "two rows are padded"
    assert (together["attention_mask"][:, -1] == 1).all(), "on the left"
    answered = greedy(made, together)
    for row in range(3):
        _, alone = model_inputs(made, ALIKE[row : row + 1], where[row : row + 1], QUESTIONS[row:])
        one = greedy(made, alone)
        assert torch.allclose(one.logits[0][0], answered.logits[0][row], atol=1e-4)
        length = alone["input_ids"].shape[1], together["input_ids"].shape[1]
        assert torch.equal(one.sequences[0, length[0] :], answered.sequences[row, length[1] :])


def test_decoding_with_and_without_the_cache_agree(made: AudioLM) -> None:
    _, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3))
    cached, uncached = greedy(made, inputs), greedy(made, inputs, use_cache=False)
    assert torch.equal(cached.sequences, uncached.sequences)
    assert torch.allclose(torch.stack(cached.logits), torch.stack(uncached.logits), atol=1e-3)
    other = greedy(made, inputs | {"spatial": spatial_tokens(3, seed=5)})
    assert (other.logits[-1] - cached.logits[-1]).abs().max() > 1e-3, "the token counts to the end"


def test_a_step_with_the_cache_accepts_all_inputs_again(made: AudioLM) -> None:
    _, inputs = model_inputs(made, DIFFERENT[:1], spatial_tokens(1))
    whole = logits(made, inputs)
    whole_ids, mask = inputs["input_ids"], inputs["attention_mask"]
    before = inputs | {"input_ids": whole_ids[:, :-1], "attention_mask": mask[:, :-1]}
    with torch.no_grad():
        held = made.model(**before, use_cache=True).past_key_values
        last = made.model(**inputs | {"input_ids": whole_ids[:, -1:]}, past_key_values=held).logits
    assert torch.allclose(last[:, 0], whole[:, -1], atol=1e-4)


def test_labels_are_the_answer_and_the_end_of_the_turn(made: AudioLM) -> None:
    batch, _ = model_inputs(made, DIFFERENT, spatial_tokens(3), answers=ANSWERS)
    assert batch.labels is not None
    for row, answer in enumerate(ANSWERS):
        at = (batch.labels[row] != IGNORED).nonzero()[:, 0]
        assert made.tokenizer.decode(batch.labels[row, at]) == answer + TURN_END
        assert torch.equal(batch.labels[row, at], batch.input_ids[row, at])
        assert int(at[-1] - at[0]) + 1 == len(at), "in one piece"
        assert int(at[-1]) + 1 == int(batch.attention_mask[row].sum()), "and nothing after it but padding"
        before = made.tokenizer.decode(batch.input_ids[row, : at[0]])
        assert QUESTIONS[row] in before and before.endswith("assistant\n")


def test_the_loss_covers_the_answers_alone(made: AudioLM) -> None:
    batch, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3), answers=ANSWERS)
    assert batch.labels is not None
    with torch.no_grad():
        out = made.model(**inputs, labels=batch.labels)
    expected = []
    for row, column in (batch.labels != IGNORED).nonzero().tolist():
        expected.append(-F.log_softmax(out.logits[row, column - 1], dim=0)[batch.input_ids[row, column]])
    assert len(expected) == sum(len(made.tokenizer(answer)["input_ids"]) + 1 for answer in ANSWERS)
    assert torch.allclose(out.loss, torch.stack(expected).mean(), atol=1e-5)


@pytest.mark.parametrize("rows", [1, 4])
def test_a_wrong_number_of_spatial_tokens_is_refused(made: AudioLM, rows: int) -> None:
    _, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3))
    with pytest.raises(ValueError, match=f"3 spatial tokens for {rows} spatial"):
        made.model(**inputs | {"spatial": spatial_tokens(rows)})


def test_a_wrong_number_of_audio_tokens_is_refused(made: AudioLM) -> None:
    _, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3))
    audio = inputs["input_ids"] == ids(made, AUDIO)[0]
    (last,) = audio[0].nonzero()[-1].tolist()
    inputs["input_ids"][0, last] = ids(made, TURN_END)[0]
    count = int(audio.sum())
    with pytest.raises(ValueError, match=f"{count - 1} audio tokens for {count} audio"):
        made.model(**inputs)


def test_a_token_in_the_prompt_requires_features(made: AudioLM) -> None:
    _, inputs = model_inputs(made, DIFFERENT, spatial_tokens(3))
    del inputs["spatial"]
    with pytest.raises(ValueError, match="no spatial features"):
        made.model(**inputs)
