"""Generate the mono sounds of the demo clips with the project's own flow model.

    python -m training.binaural.make_demo_clips --out synesthesia/binaural/sounds

For each label the generator samples from the label's embedding, once a seed; the take with the highest probability of
that label by the audio tagger is kept and cut to the length of a demo clip. Ogg Vorbis, 16 kHz, mono.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.binaural.demo_clips import GENERATED, SAMPLES
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.core import presets
from synesthesia.core.requests import FlowRequest
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from training.common.cli import run

TAKES = 6


@dataclass(frozen=True)
class DemoClipConfig:
    out: Path
    seeds: int = 4  # tried for each sound


def loudest_start(sound: torch.Tensor) -> int:
    """Where in (n,) a demo clip should start: the quieter of its halves is as loud as possible."""
    power, half = sound.square().cumsum(0), SAMPLES // 2
    halves = power[half:] - power[:-half]
    return int(torch.minimum(halves[:-half], halves[half:]).argmax())


def main(config: DemoClipConfig) -> dict[str, float]:
    """Writes one file a sound; returns the tagger's probability of each label."""
    preset = presets.embedded()
    pipeline = ImageToSoundPipeline.load(preset.image_to_sound, LatentCodec.load(preset.codec))
    generator, tagger = pipeline.generator, pipeline.tagger
    labels = list(tagger.labels)
    config.out.mkdir(parents=True, exist_ok=True)
    probabilities = {}
    for name, label in GENERATED.items():
        index = labels.index(label)
        target = F.one_hot(torch.tensor(index), len(labels)).float()
        best, best_probability = np.zeros(SAMPLES, np.float32), -1.0
        for seed in range(config.seeds):
            sound = generator.generate(
                pipeline.prior.class_embeddings[index], target, FlowRequest(seconds=4.0), seed=seed, takes=TAKES
            ).waveform
            cut = sound[loudest_start(sound) :][:SAMPLES]
            probability = float(tagger(generator.codec.mel(cut[None]))[0].softmax(dim=1)[0, index])
            if probability > best_probability:
                best, best_probability = cut.numpy().astype(np.float32), probability
        soundfile.write(config.out / f"{name}.ogg", best, RATE_HZ, format="OGG", subtype="VORBIS")
        probabilities[name] = round(best_probability, 3)
        print(f"{name}: {label} at {best_probability:.2f}", flush=True)
    return probabilities


if __name__ == "__main__":
    run(main, DemoClipConfig, __doc__)
