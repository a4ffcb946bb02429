"""Material codebook in training (VQ, van den Oord et al. 2017): moving-average update, material counts, usage."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.physics_net import PhysicsNet
from training.impact.data import PhotoData, SceneData, cell_weights, centre_weights, forward_bf16

EMA, MIN_USAGE = 0.99, 2e-4  # of the moving averages; below it a code is restarted
SMOOTHING = 1.0  # pseudo-count of patches of every material per code (Laplace)
IN_USE = 0.1  # of an equal share of the training patches


class CodebookEma(nn.Module):
    """M-step of the codebook: a code's properties are the moving average of those of the patches assigned to it, as in
    van den Oord et al. 2017, appendix A.1. A code without patches is restarted."""

    count: Tensor
    sums: Tensor

    def __init__(self, book: MaterialCodebook) -> None:
        super().__init__()
        codes = len(book.codes)
        self.register_buffer("count", torch.full((codes,), 1 / codes))
        self.register_buffer("sums", book.code_properties / codes)

    @torch.no_grad()
    def reset(self, book: MaterialCodebook, properties: Tensor) -> None:
        """properties: (K, P), to start from."""
        book.code_properties.copy_(properties)
        self.sums.copy_(properties * self.count[:, None])

    @torch.no_grad()
    def update(self, book: MaterialCodebook, joint: Tensor, target: Tensor, weights: Tensor) -> None:
        """joint: (N, K), see `MaterialCodebook.joint`; target: (N, P); weights: (N,)."""
        responsibility = joint.softmax(dim=1) * weights[:, None]
        self.count.lerp_(responsibility.sum(dim=0), 1 - EMA)
        self.sums.lerp_(responsibility.T @ target, 1 - EMA)
        book.code_properties.copy_(self.sums / self.count[:, None].clamp(min=1e-9))

    @torch.no_grad()
    def restart_unused(self, book: MaterialCodebook, properties: Tensor, random: torch.Generator) -> None:
        """properties: (N, P) to choose from."""
        for code in (self.count < MIN_USAGE).nonzero()[:, 0].tolist():
            self.count[code] = 10 * MIN_USAGE
            book.code_properties[code] = properties[int(torch.randint(len(properties), (), generator=random))]
            self.sums[code] = book.code_properties[code] * self.count[code]
            book.codes[code] = torch.randn(book.codes.shape[1], generator=random)


@torch.inference_mode()
def count_materials(net: PhysicsNet, scenes: SceneData, photos: PhotoData, batch: int = 32) -> None:
    """Sets the codebook's material shares and usage: soft counts over the training patches of renders and photographs,
    a picture of either weighing the same. Names are counted after training and are never a target."""
    net.eval()
    book = net.codebook
    counts = torch.zeros(len(book.codes), len(MATERIALS))

    def add(probabilities: Tensor, material: Tensor, weight: Tensor) -> None:
        counts.index_add_(1, material, (probabilities * weight[:, None]).T)

    for at in torch.arange(len(scenes)).split(batch):
        posterior, rows = forward_bf16(net, scenes.pictures.views(at)), scenes.object_at[at]
        solid = rows >= 0
        material = scenes.objects[rows[solid], 1].long()
        add(posterior.codes[solid].exp(), material, 256 * cell_weights(rows)[solid])
    centre = centre_weights()
    for at in (photos.material >= 0).nonzero()[:, 0].split(batch):
        posterior = forward_bf16(net, photos.pictures.views(at))
        weight = 256 * photos.weight[at][:, None] * centre
        material = photos.material[at][:, None].expand(-1, len(centre))
        add(posterior.codes.exp().flatten(0, 1), material.flatten(), weight.flatten())
    book.usage.copy_(counts.sum(dim=1) / counts.sum())
    counts += SMOOTHING
    book.material_shares.copy_(counts / counts.sum(dim=1, keepdim=True))


def codebook_statistics(book: MaterialCodebook) -> dict[str, Any]:
    """Purity of a code: share of its majority material among its training patches. perplexity: exp of the entropy of
    the codes' use."""
    name, purity = book.majority_material()
    usage = book.usage.float().clamp(min=0)
    usage = usage / usage.sum()
    used = usage > IN_USE / len(usage)
    entropy = -torch.special.xlogy(usage, usage).sum()
    by_name: dict[str, Any] = {}
    for number, material in enumerate(MATERIALS):
        own = used & (name == number)
        share = float(usage[own].sum())
        if own.any():
            mean = float((usage * purity)[own].sum()) / share if share > 0 else math.nan
            by_name[material] = {"codes": int(own.sum()), "share": share, "purity": mean}
    return {
        "codes": len(usage),
        "in use": int(used.sum()),
        "mean purity": float((usage * purity).sum()),
        "perplexity": float(entropy.exp()),
        "materials with a code": len(by_name),
        "by name": by_name,
    }
