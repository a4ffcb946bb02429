"""Photograph -> patch grid, by one class for every backbone: the embedded network and DINOv2 differ in config alone.

Convolutional networks run at output stride 16: their last stage keeps its resolution and dilates instead (the à trous
trick of DeepLab, Chen et al. 2017, arXiv:1706.05587), so weights learnt at stride 32 give a grid twice as fine.
Vision transformers give their patch tokens, and the class token as the whole picture (DINOv2, Oquab et al. 2023,
arXiv:2304.07193; registers, Darcet et al. 2023, arXiv:2309.16588). Beside the grid of one pass, windows are looked at
one by one (see `glimpse`), by a convolutional network at the stride it was trained with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import VisionConfig
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.image import picture_key
from synesthesia.vision.multi_crop import LEVELS, crop_grid

if TYPE_CHECKING:
    from torch import Tensor, nn

GLIMPSE_PX = 224  # side of a window as the network sees it
MAX_ASPECT = 3.0  # a longer picture is squeezed to this: its grid still covers all of it


@dataclass(frozen=True)
class BackboneConfig:
    """How one timm network is built and fed; read from its config.json.

    patch_px: pixels of the resized picture per grid cell; mean, std: of the input, per RGB channel, for values 0..1.
    """

    architecture: str
    patch_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    same_padding: bool = False

    @property
    def is_transformer(self) -> bool:
        return self.architecture.startswith("vit_")

    def build(self, output_stride: int | None = None) -> nn.Module:
        """The network without a classifier, at random. output_stride: of a convolutional one, `patch_px` by default."""
        if self.is_transformer:
            return timm.create_model(self.architecture, pretrained=False, num_classes=0, dynamic_img_size=True)
        padding = "same" if self.same_padding else ""
        return timm.create_model(
            self.architecture, pretrained=False, num_classes=0, output_stride=output_stride or self.patch_px,
            pad_type=padding,
        )  # fmt: skip


def read_backbone(config: dict) -> BackboneConfig:
    """From our own config.json or a timm hub one (`architecture`, `pretrained_cfg` with mean and std)."""
    card = config.get("pretrained_cfg", config)
    architecture = str(config["architecture"])
    patch_px = 14 if "patch14" in architecture else 16
    return BackboneConfig(
        architecture,
        int(config.get("patch_px", patch_px)),
        tuple(card["mean"]),
        tuple(card["std"]),
        bool(config.get("same_padding", False)),
    )


class PatchEncoder:
    """A frozen network that turns a photograph of any size into a PatchGrid."""

    def __init__(self, backbone: BackboneConfig, net: nn.Module, short_side_px: int, device: str = "cpu") -> None:
        assert short_side_px >= 14 * backbone.patch_px, "the grid must have at least 14 x 14 patches"
        self.backbone, self.short_side_px, self.device = backbone, short_side_px, device
        self.net = net.eval().requires_grad_(False).to(device)
        self.closer = self.net  # what looks at windows
        if not backbone.is_transformer:
            self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.closer = backbone.build(output_stride=32).eval()
            self.closer.load_state_dict(self.net.state_dict(), assign=True)  # one copy of the weights
            self.closer.requires_grad_(False)

    @classmethod
    def load(cls, config: VisionConfig, device: str = "cpu") -> PatchEncoder:
        """UserError when the weights are missing, damaged or of another architecture."""
        config_path, tensors_path = checkpoints.files(config.weights)
        backbone = read_backbone(json.loads(config_path.read_text(encoding="utf-8")))
        if backbone.architecture.split(".")[0] != config.architecture:
            raise UserError(
                f"{config.weights.where} holds a '{backbone.architecture}', "
                f"but the preset asks for '{config.architecture}'."
            )
        net = backbone.build()
        tensors = {name: value.float() for name, value in load_file(tensors_path).items()}
        missing, _ = net.load_state_dict(tensors, strict=False)  # the classifier's tensors have no place here
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing:
            raise UserError(f"{config.weights.where} lacks {len(missing)} tensors of '{backbone.architecture}'.")
        return cls(backbone, net, config.short_side_px, device)

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """(width, height) that a photograph is resized to: short side as configured, whole patches, aspect to 3:1."""
        short = min(width_px, height_px)
        scale = self.short_side_px / short
        patch = self.backbone.patch_px
        width, height = (
            max(patch, round(min(side * scale, self.short_side_px * MAX_ASPECT) / patch) * patch)
            for side in (width_px, height_px)
        )
        return width, height

    def prepare(self, picture: Image.Image) -> Tensor:
        """RGB picture -> (1, 3, H, W) float32, resized and normalised."""
        resized = picture.resize(self.size(*picture.size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return self._normalised(resized)[None]

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> patches (B, R, C, dim), whole picture (B, dim)."""
        assert pixels.ndim == 4 and pixels.shape[1] == 3, f"expected (B, 3, H, W), got {tuple(pixels.shape)}"
        rows, cols = (side // self.backbone.patch_px for side in pixels.shape[2:])
        pixels = pixels.to(self.device)
        if self.backbone.is_transformer:
            tokens = self.net.forward_features(pixels)  # type: ignore[operator]  # (B, prefix + R * C, dim)
            patches = tokens[:, -rows * cols :].unflatten(1, (rows, cols))
            return patches, tokens[:, 0]
        maps = self.net.forward_features(pixels.contiguous(memory_format=torch.channels_last))  # type: ignore[operator]
        patches = maps.permute(0, 2, 3, 1)  # (B, R, C, dim)
        return patches, patches.mean((1, 2))

    @torch.inference_mode()
    def layers(self, pixels: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """(B, 3, H, W) -> patches and whole picture as `features`, and (B, C, h, w) maps of early layers, finest first:
        of a convolutional network those at strides 4, 8 and 16; of a transformer the tokens after a third of its
        blocks."""
        if self.backbone.is_transformer:
            patches, whole = self.features(pixels)
            blocks = self.net.blocks
            third = self.net.get_intermediate_layers(pixels.to(self.device), n=[len(blocks) // 3])  # type: ignore
            return patches, whole, (third[0].unflatten(1, patches.shape[1:3]).permute(0, 3, 1, 2),)
        pixels = pixels.to(self.device).contiguous(memory_format=torch.channels_last)
        maps, early = self.net.forward_intermediates(pixels, indices=[1, 2, 3])  # type: ignore[operator]
        patches = maps.permute(0, 2, 3, 1)
        return patches, patches.mean((1, 2)), tuple(early)

    @torch.inference_mode()
    def glimpses(self, picture: Image.Image, rows: int, cols: int) -> Tensor:
        """RGB photograph -> what each patch of a rows x cols grid takes from the windows around it, one level after
        the other: (rows, cols, levels, dim) float32."""
        wide = min(max(picture.size), MAX_ASPECT * min(picture.size)) / min(picture.size)
        short = round(GLIMPSE_PX / min(LEVELS))  # so that the closest windows need no further resizing
        width, height = (short if side == min(picture.size) else round(short * wide) for side in picture.size)
        small = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        covers = [crop_grid(width, height, share) for share in LEVELS]
        size = (GLIMPSE_PX, GLIMPSE_PX)
        pixels = [
            self._normalised(small.resize(size, Image.Resampling.BILINEAR, box=box))
            for level in covers
            for box in level.boxes
        ]
        seen = torch.cat([self._look_closer(torch.stack(pixels[i : i + 8])) for i in range(0, len(pixels), 8)])
        counts = [len(level.boxes) for level in covers]
        return torch.stack(
            [
                level.spread(part, rows, cols, height, width)
                for level, part in zip(covers, seen.split(counts), strict=True)
            ],
            dim=2,
        )

    def _look_closer(self, pixels: Tensor) -> Tensor:
        """(B, 3, 224, 224) -> (B, dim) on the CPU."""
        if self.backbone.is_transformer:
            return self.closer.forward_features(pixels.to(self.device))[:, 0].float().cpu()  # type: ignore[operator]
        pixels = pixels.to(self.device).contiguous(memory_format=torch.channels_last)
        return self.closer.forward_features(pixels).mean((2, 3)).float().cpu()  # type: ignore[operator]

    def _normalised(self, picture: Image.Image) -> Tensor:
        """RGB picture -> (3, H, W) float32 as the network was trained on."""
        pixels = torch.from_numpy(np.array(picture)).float().div(255)  # (H, W, 3)
        return ((pixels - torch.tensor(self.backbone.mean)) / torch.tensor(self.backbone.std)).permute(2, 0, 1)

    def textures(self, picture: Image.Image) -> PatchGrid:
        """As `encode`, but early layers alone: all other features are zero. A third of the work."""
        patches, whole, maps = self.layers(self.prepare(picture))
        early = tuple(layer[0].half().cpu().contiguous() for layer in maps)
        features, mean = torch.zeros(patches.shape[1:]), torch.zeros(whole.shape[1])
        closer = torch.zeros(*features.shape[:2], len(LEVELS), features.shape[2], dtype=torch.float16)
        return PatchGrid(features, mean, closer, picture.width, picture.height, picture_key(picture), early)

    def encode(self, picture: Image.Image) -> PatchGrid:
        """RGB photograph -> its patch grid."""
        patches, whole, maps = self.layers(self.prepare(picture))
        features, mean = patches[0].float().cpu().contiguous(), whole[0].float().cpu()
        early = tuple(layer[0].half().cpu().contiguous() for layer in maps)
        closer = self.glimpses(picture, *features.shape[:2]).half()
        return PatchGrid(features, mean, closer, picture.width, picture.height, picture_key(picture), early)
