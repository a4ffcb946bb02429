"""The physics adapter's training on made-up features that say plainly what each patch is of."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.physics_net import PhysicsNet, PhysicsNetConfig
from training.impact.code_names import count_votes
from training.impact.data import (
    Photos,
    Pictures,
    Scenes,
    belief,
    cell_weights,
    joined,
    mirror,
    read_in_half,
    read_photos,
    read_scenes,
)
from training.impact.features import CELLS, TAUGHT, Photo, rationed
from training.impact.train import (
    CodeMeans,
    TrainConfig,
    Truth,
    deviation,
    eased,
    late_rows,
    net_config,
    set_scales,
    train,
    training_pictures,
)

KINDS, TIMES, EARLY = len(MATERIALS), 8, (8, 8)  # each material is named by eight features: training withholds some
DIM = KINDS * TIMES
TINY = PhysicsNetConfig(DIM, EARLY, width=24, layers=1, heads=2, codes=20, code_dim=8)


def pictures(material: Tensor, seed: int) -> Pictures:
    """material: (N, 256), -1 for nothing -> features that name it, in noise."""
    random = torch.Generator().manual_seed(seed)
    named = torch.nn.functional.one_hot(material.clamp(min=0), KINDS) * (material >= 0)[..., None]
    named = named.repeat(1, 1, TIMES)
    features = 2.0 * named + 0.1 * torch.randn(*material.shape, DIM, generator=random)
    early = tuple(
        torch.randn(len(material), channels, n * CELLS, n * CELLS, generator=random)
        for channels, n in zip(EARLY, (2, 1), strict=True)
    )
    windows = torch.randn(len(material), 5, DIM, generator=random)
    late = torch.arange(len(features))
    return Pictures(features.half(), windows.half(), tuple(layer.half() for layer in early), late)


def some_scenes(count: int = 12, seed: int = 0) -> Scenes:
    """Each scene: nothing at the top, one thing on the left, one on the right."""
    random = np.random.default_rng(seed)
    thing = np.full((count, CELLS, CELLS), -1)
    things = []
    for scene in range(count):
        for side in (slice(0, 8), slice(8, 16)):
            thing[scene, 6:, side] = len(things)
            shape, size = int(random.integers(7)), float(np.exp(random.uniform(np.log(0.05), 0)))
            things.append([scene, random.integers(KINDS), shape, size, 0.7, 0.4, 0.01, 0.0])
    rows = torch.tensor(np.array(things)).float()
    at = torch.from_numpy(thing.reshape(count, -1))
    material = torch.where(at >= 0, rows[at.clamp(min=0), 1].long(), -1)
    return Scenes(pictures(material, seed), at, torch.rand(count, CELLS**2, 2), rows)


def some_photos(count: int = 16, seed: int = 1) -> Photos:
    material = torch.from_numpy(np.random.default_rng(seed).integers(0, KINDS, count))
    return Photos(pictures(material[:, None].expand(-1, CELLS**2), seed), material, torch.ones(count))


def net_for(scenes: Scenes, photos: Photos) -> PhysicsNet:
    torch.manual_seed(0)
    net = PhysicsNet(TINY)
    set_scales(net, scenes, photos)
    return net


def test_it_learns_materials_without_their_names_and_counts_names_afterwards() -> None:
    scenes, photos = some_scenes(), some_photos()
    net = net_for(scenes, photos)
    assert train(net, scenes, photos, TrainConfig(steps=220, scenes=6, photos=6, rate=5e-3, warm=10))
    count_votes(net, scenes, photos)
    fresh = some_photos(26, seed=9)
    read = read_in_half(net, fresh.pictures.views(torch.arange(len(fresh))))
    middle = CELLS * CELLS // 2 + CELLS // 2
    named = (read.codes[:, middle].exp() @ net.codebook.votes).argmax(dim=1)
    assert float((named == fresh.material).float().mean()) > 0.8  # chance is 1/13
    assert torch.allclose(net.codebook.votes.sum(dim=1), torch.ones(TINY.codes), atol=1e-5)
    assert float(net.codebook.weight.sum()) == pytest.approx(1.0, abs=1e-5)


def test_a_run_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    scenes, photos = some_scenes(4), some_photos(4)
    config = TrainConfig(steps=6, scenes=2, photos=2)
    whole = net_for(scenes, photos)
    train(whole, scenes, photos, config)
    parts = net_for(scenes, photos)
    state = tmp_path / "state"
    train(parts, scenes, photos, replace(config, steps=6), state, stop=3)
    assert state.exists()
    other = net_for(scenes, photos)
    assert train(other, scenes, photos, config, state)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, other.state_dict()[name], atol=1e-4), name


def test_the_deviation_shrinks_to_its_last_value() -> None:
    config = TrainConfig(steps=300)
    told = [deviation(step, config) for step in (0, 70, 150, 299)]
    assert told[0] == config.deviations[0] and told[0] > told[1] > told[2] == pytest.approx(config.deviations[1])
    assert told[3] == pytest.approx(config.deviations[1])
    assert deviation(0, replace(config, learned=True)) == config.deviations[1]


def test_a_net_that_has_learned_keeps_its_codebook() -> None:
    scenes, photos = some_scenes(4), some_photos(4)
    config = TrainConfig(steps=1, scenes=2, photos=2)
    moved = []
    for learned in (False, True):
        net = net_for(scenes, photos)
        before = net.codebook.numbers.clone()
        train(net, scenes, photos, replace(config, learned=learned))
        moved.append(float((net.codebook.numbers - before).abs().max()))
    assert moved[1] < 0.3 * moved[0]  # one step of the running means


def test_a_code_takes_the_mean_of_what_it_explains_and_an_idle_one_begins_anew() -> None:
    net = net_for(some_scenes(2), some_photos(2))
    means, random = CodeMeans(net), torch.Generator().manual_seed(0)
    wanted = net.codebook.scaled(Properties.of(["glass", "rubber"]))
    joint = torch.full((2, TINY.codes), -50.0)
    joint[0, 3] = joint[1, 5] = 0.0  # code 3 explains the first, code 5 the second
    for _ in range(1000):
        means.add(joint, wanted, torch.tensor([0.5, 0.5]))
    assert torch.allclose(net.codebook.numbers[[3, 5]], wanted, atol=1e-2)
    means.revive(wanted[:1], random)
    assert torch.allclose(net.codebook.numbers[[3, 5]], wanted, atol=1e-2), "one in use stays"
    assert torch.allclose(net.codebook.numbers[0], wanted[0])


def test_the_joint_prefers_the_code_with_the_right_properties() -> None:
    book = MaterialCodebook(len(MATERIALS), 4)
    book.numbers.copy_(book.scaled(Properties.of(list(MATERIALS))))
    even = torch.zeros(len(MATERIALS), len(MATERIALS)).log_softmax(dim=1)
    assert book.joint(even, book.numbers, 0.15).argmax(dim=1).tolist() == list(range(len(MATERIALS)))


def test_every_thing_and_every_patch_weighs_half() -> None:
    thing = torch.full((1, CELLS**2), -1)
    thing[0, :30], thing[0, 30:40] = 0, 1  # a large and a small thing
    weights = cell_weights(thing)[0]
    assert float(weights.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(weights[:30].sum()) == pytest.approx(0.5 * 30 / 40 + 0.25, abs=1e-5)
    assert float(weights[40:].sum()) == 0.0
    assert int(belief().argmax()) in (119, 120, 135, 136) and float(belief().sum()) == pytest.approx(1.0, abs=1e-5)


def test_a_mirrored_picture_has_mirrored_labels() -> None:
    scenes = some_scenes(2)
    at, mirrored = torch.arange(2), torch.tensor([True, False])
    plain, turned = scenes.pictures.views(at), scenes.pictures.views(at, mirrored)
    labels = mirror(scenes.thing, mirrored)
    assert labels[0, 100] == scenes.thing[0, 100 // CELLS * CELLS + CELLS - 1 - 100 % CELLS]
    assert torch.equal(labels[1], scenes.thing[1]) and torch.equal(turned.features[1], plain.features[1])
    named = turned.features.float().argmax(dim=-1)[labels >= 0] % KINDS
    assert torch.equal(named, scenes.things[labels[labels >= 0], 1].long())


def test_caches_are_read_with_each_thing_in_its_own_scene(tmp_path: Path) -> None:
    scenes = some_scenes(3)
    for shard, rows in enumerate((slice(0, 2), slice(2, 3))):
        of = (scenes.things[:, 0] >= rows.start) & (scenes.things[:, 0] < rows.stop)
        things = scenes.things[of].numpy().copy()
        things[:, 0] -= rows.start
        number = np.where(scenes.thing[rows] >= 0, scenes.thing[rows] % 2 + 1, 0)
        kept = {f"early{level}": layer[rows].numpy() for level, layer in enumerate(scenes.pictures.early)}
        np.savez(tmp_path / f"scenes-0000{shard}-0.npz", features=scenes.pictures.features[rows].numpy(),
                 windows=scenes.pictures.windows[rows].numpy(), thing=number.astype(np.uint8),
                 place=np.zeros((len(number), CELLS**2, 2), np.uint8), things=things,
                 split=np.array("train"), **kept)  # fmt: skip
    read = read_scenes(tmp_path, "train")
    assert torch.equal(read.thing, scenes.thing) and torch.equal(read.things, scenes.things)
    assert torch.equal(read.pictures.features, scenes.pictures.features)
    photos = some_photos(3)
    keep(photos, tmp_path / "photos-trashnet-val.npz")
    assert torch.equal(read_photos(tmp_path, ("trashnet", "caltech101"), "val").material, photos.material)
    for source, count in (("trashnet", 3), ("caltech101", 2)):
        keep(some_photos(count), tmp_path / f"photos-{source}-train.npz")
    shown = {
        sources: len(training_pictures(Namespace(features=tmp_path, shards=9, sources=sources))[1])
        for sources in (TAUGHT, ("caltech101",), ("trashnet", "tiny-imagenet"))
    }
    assert list(shown.values()) == [5, 2, 3], "what is asked for and kept"


def keep(photos: Photos, path: Path) -> None:
    early = {f"early{level}": layer.numpy() for level, layer in enumerate(photos.pictures.early)}
    np.savez(path, features=photos.pictures.features.numpy(), windows=photos.pictures.windows.numpy(),
             material=photos.material.numpy(), weight=photos.weight.numpy(), **early)  # fmt: skip


def test_many_small_pictures_are_rationed_by_material() -> None:
    kinds = [("vase", 0, 0.5)] * 3 + [("bottle", 0, 1.0)] * 5 + [("glass", 0, 1.0)] * 2 + [("book", 1, 0.5)]
    found = [
        Photo("tiny.tar", str(k), "tiny-imagenet", label, material, weight, "train")
        for k, (label, material, weight) in enumerate(kinds)
    ]
    kept = [photo.member for photo in rationed(found, 5)]
    assert kept == ["3", "4", "5", "8", "9", "10"], "the unsure vases give way, bottle and glass come alike"


def test_pictures_without_late_layers_of_their_own_go_with_none_or_with_others() -> None:
    whole, bare = pictures(torch.zeros(4, CELLS**2, dtype=torch.long), 0), pictures(torch.ones(4, CELLS**2).long(), 1)
    bare = replace(bare, features=bare.features[:0], windows=bare.windows[:0], late=torch.full((4,), -1))
    both = joined([bare, whole])
    assert both.late.tolist() == [-1, -1, -1, -1, 0, 1, 2, 3] and len(both) == 8
    at = torch.arange(8)
    seen = both.views(at)
    assert not bool(seen.features[:4].any()) and torch.equal(seen.features[4:].half(), whole.features.bfloat16().half())
    random = torch.Generator().manual_seed(0)
    assert torch.equal(late_rows(both, at, 1.0, 0.0, random), both.late)
    drawn = late_rows(both, at, 1.0, 1.0, random)
    assert torch.equal(drawn[4:], both.late[4:]) and bool((drawn[:4] >= 0).all())
    assert late_rows(both, at, 0.0, 0.0, random).tolist() == [-1] * 8
    assert torch.equal(both.views(at, late=drawn).features[0], both.features[drawn[0]].bfloat16())


def test_no_patch_costs_more_than_a_few_nats() -> None:
    sure = torch.tensor([[0.0, -90.0, -90.0, -90.0]])
    told = eased(sure).exp()
    assert float(told.sum()) == pytest.approx(1.0, abs=1e-5) and float(told[0, 1]) == pytest.approx(0.005, rel=1e-3)


def test_the_network_fits_the_eyes_that_saw_the_pictures() -> None:
    config = net_config(some_scenes(2).pictures, 24)
    assert (config.feature_dim, config.early, config.width) == (DIM, EARLY, 24)


def test_targets_lie_at_the_things_own_numbers() -> None:
    scenes, photos = some_scenes(3), some_photos(2)
    net = net_for(scenes, photos)
    truth = Truth(scenes, net)
    from synesthesia.impact.physics_net import SIZE

    told = SIZE.quantile(truth.by_shape[0], 0.5)
    assert torch.allclose(told.log(), scenes.things[:, 3].log(), atol=SIZE.step / 2)
