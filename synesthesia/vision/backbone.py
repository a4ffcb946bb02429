"""Patch encoder: a frozen timm backbone (EfficientNet-Lite or DINOv2) -> patch grid of a photograph.

Convolutional networks run at output stride 16: their last stage keeps its resolution and dilates instead (atrous
convolution, DeepLab, Chen et al. 2017, arXiv:1706.05587), so weights trained at stride 32 give a grid twice as fine.
Vision transformers give their patch tokens, and the class token as the global feature (DINOv2, Oquab et al. 2023,
arXiv:2304.07193; registers, Darcet et al. 2023, arXiv:2309.16588). Crops are encoded one by one as well (see
`multi_crop`), by a convolutional network at the stride it was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import timm
import torch
from PIL import Image

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import VisionConfig
from synesthesia.nn.checkpoint_file import load_checkpoint
from synesthesia.vision.fold_batch_norm import fold_batch_norms
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.image import picture_key
from synesthesia.vision.multi_crop import CROP_SCALES, crop_grid
from synesthesia.vision.pretrained import read_package

if TYPE_CHECKING:
    from torch import Tensor, nn

CROP_PX = 224  # side of a crop at the network's input
CONVOLUTIONAL_PATCH_PX = 16
MAX_ASPECT = 3.0  # a longer photograph is squeezed to this; its grid still covers all of it


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
        """The network without a classifier, randomly initialised. output_stride: of a convolutional network, by default
        `patch_px`."""
        if self.is_transformer:
            return timm.create_model(self.architecture, pretrained=False, num_classes=0, dynamic_img_size=True)
        padding = {"pad_type": "same"} if self.same_padding else {}
        stride = output_stride or self.patch_px
        return timm.create_model(self.architecture, pretrained=False, num_classes=0, output_stride=stride, **padding)


def read_backbone(config: dict) -> BackboneConfig:
    """From our own config.json or a timm hub one (`architecture`, `pretrained_cfg` with mean and std)."""
    card = config.get("pretrained_cfg", config)
    architecture = str(config["architecture"])
    patch_px = 14 if "patch14" in architecture else CONVOLUTIONAL_PATCH_PX
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
        self.crop_net = self.net
        if not backbone.is_transformer:
            self.crop_net = backbone.build(output_stride=32).eval()
            fold_batch_norms(self.crop_net)
            fold_batch_norms(self.net)
            self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.crop_net.load_state_dict(self.net.state_dict(), assign=True)  # one copy of the weights
            self.crop_net.requires_grad_(False)

    @classmethod
    def load(cls, config: VisionConfig, device: str = "cpu") -> PatchEncoder:
        """UserError when the weights are missing, altered or of another architecture."""
        if config.weights.package:
            card = timm.get_pretrained_cfg(config.architecture)  # timm's own record of how the network is fed
            backbone = BackboneConfig(config.architecture, CONVOLUTIONAL_PATCH_PX, card.mean, card.std)
            net = backbone.build()
            net.load_state_dict(read_package(config), strict=False)  # without the classifier's tensors
            return cls(backbone, net, config.short_side_px, device)
        _, weights_path = checkpoints.files(config.weights)
        fields, tensors = load_checkpoint(
            weights_path.parent, what="The vision network's folder", trained_by="", weights_file=weights_path.name
        )
        backbone = read_backbone(fields)
        if backbone.architecture.split(".")[0] != config.architecture:
            raise UserError(
                f"{config.weights.where} holds a '{backbone.architecture}', "
                f"but the preset asks for '{config.architecture}'."
            )
        net = backbone.build()
        missing, _ = net.load_state_dict(tensors, strict=False)  # the classifier's tensors are not used
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing:
            raise UserError(f"{config.weights.where} lacks {len(missing)} tensors of '{backbone.architecture}'.")
        return cls(backbone, net, config.short_side_px, device)

    def input_size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """(width, height) that a photograph is resized to: short side as configured, whole patches, aspect to 3:1."""
        short = min(width_px, height_px)
        scale = self.short_side_px / short
        patch = self.backbone.patch_px
        width, height = (
            max(patch, round(min(side * scale, self.short_side_px * MAX_ASPECT) / patch) * patch)
            for side in (width_px, height_px)
        )
        return width, height

    def preprocess(self, picture: Image.Image) -> Tensor:
        """RGB picture -> (1, 3, H, W) float32, resized and normalised."""
        resized = picture.resize(self.input_size(*picture.size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return self._normalise(resized)[None]

    @torch.inference_mode()
    def forward_stages(self, pixels: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """(B, 3, H, W) -> patches (B, R, C, dim), class token or mean patch (B, dim), and (B, C, h, w) maps of early
        stages, finest first: at strides 4, 8 and 16 of a convolutional network; of a transformer the tokens after a
        third of its blocks."""
        assert pixels.ndim == 4 and pixels.shape[1] == 3, f"expected (B, 3, H, W), got {tuple(pixels.shape)}"
        pixels = pixels.to(self.device)
        if self.backbone.is_transformer:
            rows, cols = (side // self.backbone.patch_px for side in pixels.shape[2:])
            tokens = self.net.forward_features(pixels)  # type: ignore[operator]  # (B, prefix + R * C, dim)
            patches = tokens[:, -rows * cols :].unflatten(1, (rows, cols))
            blocks = self.net.blocks
            third = self.net.get_intermediate_layers(pixels, n=[len(blocks) // 3])  # type: ignore
            return patches, tokens[:, 0], (third[0].unflatten(1, patches.shape[1:3]).permute(0, 3, 1, 2),)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        last, stages = self.net.forward_intermediates(pixels, indices=[1, 2, 3])  # type: ignore[operator]
        patches = last.permute(0, 2, 3, 1)
        return patches, patches.mean((1, 2)), tuple(stages)

    @torch.inference_mode()
    def crop_features(self, picture: Image.Image, rows: int, cols: int) -> tuple[Tensor, Tensor]:
        """RGB photograph -> (dim,) of all of it, squeezed to a square, and (rows, cols, scales, dim) of the crops
        around each patch of a rows x cols grid, both float32."""
        aspect = min(max(picture.size), MAX_ASPECT * min(picture.size)) / min(picture.size)
        short = round(CROP_PX / min(CROP_SCALES))  # so that the smallest crops need no further resizing
        width, height = (short if side == min(picture.size) else round(short * aspect) for side in picture.size)
        small = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        grids = [crop_grid(width, height, scale) for scale in CROP_SCALES]
        size = (CROP_PX, CROP_PX)
        boxes = [(0.0, 0.0, width, height), *(box for grid in grids for box in grid.boxes)]
        pixels = [self._normalise(small.resize(size, Image.Resampling.BILINEAR, box=box)) for box in boxes]
        encoded = torch.cat([self._encode_crops(torch.stack(pixels[i : i + 8])) for i in range(0, len(pixels), 8)])
        parts = encoded[1:].split([len(grid.boxes) for grid in grids])
        crops = [grid.interpolate(part, rows, cols, height, width) for grid, part in zip(grids, parts, strict=True)]
        return encoded[0], torch.stack(crops, dim=2)

    def _encode_crops(self, pixels: Tensor) -> Tensor:
        """(B, 3, 224, 224) -> (B, dim) on the CPU."""
        if self.backbone.is_transformer:
            return self.crop_net.forward_features(pixels.to(self.device))[:, 0].float().cpu()  # type: ignore[operator]
        pixels = pixels.to(self.device).contiguous(memory_format=torch.channels_last)
        return self.crop_net.forward_features(pixels).mean((2, 3)).float().cpu()  # type: ignore[operator]

    def _normalise(self, picture: Image.Image) -> Tensor:
        """RGB picture -> (3, H, W) float32 as the network was trained on."""
        pixels = torch.from_numpy(np.array(picture)).float().div(255)  # (H, W, 3)
        return ((pixels - torch.tensor(self.backbone.mean)) / torch.tensor(self.backbone.std)).permute(2, 0, 1)

    def encode_stage_maps(self, picture: Image.Image) -> PatchGrid:
        """As `encode`, but with the early stages alone: all other features are zero. A third of the work."""
        patches, whole, maps = self.forward_stages(self.preprocess(picture))
        stage_maps = tuple(layer[0].half().cpu().contiguous() for layer in maps)
        features, mean = torch.zeros(patches.shape[1:]), torch.zeros(whole.shape[1])
        crops = torch.zeros(*features.shape[:2], len(CROP_SCALES), features.shape[2], dtype=torch.float16)
        return PatchGrid(features, mean, crops, picture.width, picture.height, picture_key(picture), stage_maps)

    def encode(self, picture: Image.Image) -> PatchGrid:
        """RGB photograph -> its patch grid."""
        patches, token, maps = self.forward_stages(self.preprocess(picture))
        features = patches[0].float().cpu().contiguous()
        stage_maps = tuple(layer[0].half().cpu().contiguous() for layer in maps)
        whole, crops = self.crop_features(picture, *features.shape[:2])
        if self.backbone.is_transformer:
            whole = token[0].float().cpu()
        return PatchGrid(features, whole, crops.half(), picture.width, picture.height, picture_key(picture), stage_maps)
