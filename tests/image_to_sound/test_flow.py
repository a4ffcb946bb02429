"""Flow and perceptron on tiny configurations: shapes, seeds, guidance, overfitting one batch, save and load."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.core.requests import FlowRequest
from synesthesia.image_to_sound.flow import Condition, FlowConfig, RectifiedFlow
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from synesthesia.nn.transformer import apply_rotary, rotary_table
from training.image_to_sound.train_distilled import begin_student

TINY = FlowConfig(width=32, depth=2, heads=2, query_dim=6, descriptor_dim=10, descriptor_tokens=2)


def tiny_flow(seed: int = 0) -> RectifiedFlow:
    torch.manual_seed(seed)
    flow = RectifiedFlow(TINY)
    torch.nn.init.normal_(flow.leave.weight, std=0.1)  # a fresh flow predicts zeros, whatever its condition
    return flow.eval()


def conditions(count: int, seed: int = 1) -> Condition:
    generator = torch.Generator().manual_seed(seed)
    query = torch.nn.functional.normalize(torch.randn(count, 6, generator=generator), dim=1)
    return Condition.of(query, torch.randn(count, 10, generator=generator), 10)


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def test_tokens_and_latents_are_two_views_of_one_thing() -> None:
    flow = tiny_flow()
    flow.mean.normal_()
    flow.std.uniform_(0.5, 2.0)
    latents = torch.randn(2, 8, 10, 16)
    tokens = flow.to_tokens(latents)
    assert tokens.shape == (2, 5, 256)
    assert torch.allclose(flow.to_latents(tokens), latents, atol=1e-5)


@pytest.mark.parametrize("frames", [25, 100, 250])
def test_samples_have_the_length_asked_for(frames: int) -> None:
    out = tiny_flow().sample(conditions(1), frames, seeds(0), FlowRequest(steps=2, guidance=2.0))
    assert out.shape == (1, 8, frames, 16) and torch.isfinite(out).all()


def test_same_seed_same_samples_other_seed_others_whatever_the_batch() -> None:
    flow, two = tiny_flow(), conditions(2)
    first = flow.sample(two, 20, seeds(5, 6), FlowRequest(steps=3, guidance=3.0))
    again = flow.sample(two, 20, seeds(5, 6), FlowRequest(steps=3, guidance=3.0))
    assert torch.equal(first, again)
    other = flow.sample(two, 20, seeds(5, 7), FlowRequest(steps=3, guidance=3.0))
    assert torch.allclose(first[0], other[0], atol=1e-5) and not torch.allclose(first[1], other[1], atol=1e-2)


def test_guidance_of_one_is_the_conditional_model_and_of_zero_the_free_one() -> None:
    flow, condition = tiny_flow(), conditions(1)
    plain = flow.sample(condition, 20, seeds(1), FlowRequest(steps=4, guidance=1.0))
    near = flow.sample(condition, 20, seeds(1), FlowRequest(steps=4, guidance=1.0 + 1e-6))
    assert torch.allclose(plain, near, atol=1e-4)
    free = flow.sample(condition, 20, seeds(1), FlowRequest(steps=4, guidance=0.0))
    assert torch.allclose(
        free, flow.sample(condition.unconditional(), 20, seeds(1), FlowRequest(steps=4, guidance=1.0)), atol=1e-4
    )
    assert not torch.allclose(free, plain, atol=1e-3)


def test_rotary_positions_keep_lengths_and_see_distances_only() -> None:
    x = torch.randn(1, 1, 6, 8)
    turned = apply_rotary(x, rotary_table(torch.arange(6), 8))
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    later = apply_rotary(x, rotary_table(torch.arange(6) + 11, 8))
    assert torch.allclose(turned @ turned.transpose(2, 3), later @ later.transpose(2, 3), atol=1e-4)


def test_one_batch_can_be_learnt_by_heart() -> None:
    torch.manual_seed(0)
    flow, latents, condition = RectifiedFlow(TINY), torch.randn(4, 8, 8, 16) * 0.3, conditions(4)
    optimiser = torch.optim.Adam(flow.parameters(), lr=5e-3)
    before = flow.loss(latents, condition, torch.Generator().manual_seed(9)).item()
    for step in range(120):
        loss = flow.loss(latents, condition, torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert flow.loss(latents, condition, torch.Generator().manual_seed(9)).item() < 0.5 * before


def test_flow_and_mlp_load_back(tmp_path: Path) -> None:
    flow = tiny_flow()
    flow.save(tmp_path)
    made = flow.sample(conditions(1), 20, seeds(3), FlowRequest(steps=2, guidance=2.0))
    again = RectifiedFlow.load(tmp_path).sample(conditions(1), 20, seeds(3), FlowRequest(steps=2, guidance=2.0))
    assert (again - made).abs().mean() < 0.02 * made.std(), "eight bits a weight"
    mlp = Mlp(MlpConfig(width=16, layers=1, query_dim=6, descriptor_dim=10)).eval()
    mlp.save(tmp_path)
    with torch.no_grad():
        assert torch.allclose(Mlp.load(tmp_path)(conditions(2), 30), mlp(conditions(2), 30), atol=2e-2)
    with pytest.raises(UserError, match="incomplete"):
        RectifiedFlow.load(tmp_path / "nothing")


def test_mlp_answers_each_frame() -> None:
    out = Mlp(MlpConfig(width=16, layers=1, query_dim=6, descriptor_dim=10))(conditions(3), 25)
    assert out.shape == (3, 8, 25, 16)


def test_a_distilled_flow_reads_its_scale_and_begins_as_its_teacher() -> None:
    teacher = tiny_flow()
    student = begin_student(teacher).eval()
    request = FlowRequest(steps=2, guidance=1.0)
    made = student.sample(conditions(2), 20, seeds(1, 2), request)
    assert torch.allclose(made, teacher.sample(conditions(2), 20, seeds(1, 2), request), atol=1e-5)
    torch.nn.init.normal_(student.scale.weight, std=0.5)
    other = student.sample(conditions(2), 20, seeds(1, 2), FlowRequest(steps=2, guidance=4.0))
    assert not torch.allclose(other, student.sample(conditions(2), 20, seeds(1, 2), request), atol=1e-3)
    with pytest.raises(AssertionError, match="guidance scale"):
        teacher(torch.zeros(2, 10, 256), torch.zeros(2), conditions(2), torch.ones(2))
