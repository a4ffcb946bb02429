"""Teacher of the feature distillation: a public MobileNetV2 classifier (tflite, Apache-2.0) and its inner feature maps.

Only its activations are used, and only in training; neither its weights nor its file become part of this project.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TEACHER_FILE = "teachers/tf2_mobilenet_v2_1.0_224_ptq.tflite"
LOGITS = "MobileNetV2/top/Conv2d_1x1_output"


class ImageTeacher:
    """Runs the tflite classifier on 224 px crops and returns its maps as float32.

    boundaries: for each of the 18 units (stem with the first block, 16 inverted residuals, head) the tensor that
    leaves its branch (before the residual sum) and the tensor that enters the next unit (after it).
    """

    def __init__(self, data: Path, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter  # training-only dependency

        self._net = Interpreter(str(data / TEACHER_FILE), experimental_preserve_all_tensors=True, num_threads=threads)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        details = {d["name"]: d for d in self._net.get_tensor_details()}

        def find(prefix: str, rank: int = 4) -> dict:
            named = (d for name, d in details.items() if name.startswith(f"{prefix}/") and d["quantization"][0] > 0)
            return min((d for d in named if len(d["shape"]) == rank and d["shape"][0] == 1), key=lambda d: d["index"])

        self._branch, self._joined = [], []
        for block in range(1, 18):
            projected = find(f"MobileNetV2/expanded_conv_{block}/project/batch_norm")
            self._branch.append(projected)
            added = [n for n in details if n.startswith(f"MobileNetV2/expanded_conv_{block}/add/")]
            self._joined.append(find(f"MobileNetV2/expanded_conv_{block}/add") if added else projected)
        head = find("MobileNetV2/Conv2d_18_1/relu6")
        self._branch.append(head)
        self._joined.append(head)
        self._logits = find(LOGITS)

    def _read(self, detail: dict) -> np.ndarray:
        scale, zero = detail["quantization"]
        return (self._net.get_tensor(detail["index"])[0].astype(np.float32) - zero) * scale

    def run(self, crop: np.ndarray) -> None:
        """crop: (224, 224, 3) uint8. Afterwards branch(), joined(), features() and logits() are those of this crop."""
        assert crop.shape == (224, 224, 3) and crop.dtype == np.uint8, f"expected (224, 224, 3) uint8, got {crop.shape}"
        self._net.set_tensor(self._input, crop[None])
        self._net.invoke()

    def branch(self, unit: int) -> np.ndarray:
        """Output of the unit's branch before the residual sum: (H, W, C) float32."""
        return self._read(self._branch[unit])

    def joined(self, unit: int) -> np.ndarray:
        """Input of the next unit: (H, W, C) float32."""
        return self._read(self._joined[unit])

    def features(self) -> np.ndarray:
        """(7, 7, 1280) float32, ReLU6."""
        return self.joined(17)

    def logits(self) -> np.ndarray:
        """(1001,) float32, index 0 = background, then the ImageNet classes in wnid order."""
        return self._read(self._logits).reshape(-1)
