"""What lies under each code of the material codebook: counted once it has been learnt, never a target."""

from __future__ import annotations

import torch
from torch import Tensor

from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.physics_net import PhysicsNet
from training.impact.data import Photos, Scenes, belief, cell_weights, read_in_half

SMOOTH = 1.0  # patches of every material that each code is given before any is counted


@torch.inference_mode()
def count_votes(net: PhysicsNet, scenes: Scenes, photos: Photos, batch: int = 32) -> None:
    """Sets the codebook's votes and weight from training pictures: soft counts of patches, renders and photographs
    alike weighed as much as there are pictures of them."""
    net.eval()
    book = net.codebook
    votes = torch.zeros(len(book.codes), len(MATERIALS))

    def add(shares: Tensor, material: Tensor, weight: Tensor) -> None:
        votes.index_add_(1, material, (shares * weight[:, None]).T)

    for at in torch.arange(len(scenes)).split(batch):
        read, thing = read_in_half(net, scenes.pictures.views(at)), scenes.thing[at]
        there = thing >= 0
        add(read.codes[there].exp(), scenes.things[thing[there], 1].long(), 256 * cell_weights(thing)[there])
    bell = belief()
    for at in (photos.material >= 0).nonzero()[:, 0].split(batch):
        read = read_in_half(net, photos.pictures.views(at))
        weight = 256 * photos.weight[at][:, None] * bell
        material = photos.material[at][:, None].expand(-1, len(bell))
        add(read.codes.exp().flatten(0, 1), material.flatten(), weight.flatten())
    book.weight.copy_(votes.sum(dim=1) / votes.sum())
    votes += SMOOTH
    book.votes.copy_(votes / votes.sum(dim=1, keepdim=True))
