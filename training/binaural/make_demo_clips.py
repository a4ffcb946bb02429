"""The recordings among the page's test sounds, which nobody recorded: the project's own generator makes them.

    python -m training.binaural.make_demo_clips --out synesthesia/binaural/sounds

For each label the generator sings from the label's place among sounds, once a seed; kept is the take in which the ear
hears that label most surely, cut to the length of a test sound. Ogg Vorbis, 16 kHz, mono.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.binaural.demo_clips import SAMPLES, SUNG
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.core import presets
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline

TAKES = 6


def loudest(sound: torch.Tensor) -> int:
    """Where in (n,) a test sound should start: the quieter of its halves is as loud as can be."""
    power, half = sound.square().cumsum(0), SAMPLES // 2
    halves = power[half:] - power[:-half]
    return int(torch.minimum(halves[:-half], halves[half:]).argmax())


def main(out: Path, seeds: int = 4) -> dict[str, float]:
    """Writes one file a sound; returns how surely the ear hears each."""
    preset = presets.embedded()
    hearing = ImageToSoundPipeline.load(preset.image_to_sound, LatentCodec.load(preset.codec))
    voice, sure = hearing.generator, {}
    names = list(voice.tagger.labels)
    out.mkdir(parents=True, exist_ok=True)
    for name, label in SUNG.items():
        which = names.index(label)
        wanted = F.one_hot(torch.tensor(which), len(names)).float()
        best, best_score = np.zeros(SAMPLES, np.float32), -1.0
        for seed in range(seeds):
            sung = voice.generate(
                hearing.prior.class_embeddings[which], wanted, mapper="flow", seconds=4.0, seed=seed, takes=TAKES
            ).waveform
            cut = sung[loudest(sung) :][:SAMPLES]
            score = float(voice.tagger(voice.codec.mel(cut[None]))[0].softmax(dim=1)[0, which])
            if score > best_score:
                best, best_score = cut.numpy().astype(np.float32), score
        soundfile.write(out / f"{name}.ogg", best, RATE_HZ, format="OGG", subtype="VORBIS")
        sure[name] = round(best_score, 3)
        print(f"{name}: {label} at {best_score:.2f}", flush=True)
    return sure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    main(arguments.out, arguments.seeds)
