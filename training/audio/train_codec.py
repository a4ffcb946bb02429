"""Train one part of the codec: `--stage vae | vocoder | encodec | mel_tokens`.

    python -m training.audio.train_codec --stage vae     --data DIR --out checkpoints/vae     --minutes 20
    python -m training.audio.train_codec --stage vocoder --data DIR --out checkpoints/vocoder --vae checkpoints/vae
    python -m training.audio.train_codec --stage encodec --data DIR --out checkpoints/encodec --minutes 12
    python -m training.audio.train_codec --stage mel_tokens --data DIR --out checkpoints/mel_tokens

One CPU core is enough; `--minutes 0.2 --batch 2` is a smoke run. Every stage resumes from `--runs`, keeps a JSONL log
there, and loads its saved weights back before it ends.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", required=True, choices=("vae", "vocoder", "encodec", "mel_tokens"))
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv and sounds/")
    parser.add_argument("--out", type=Path, required=True, help="folder for config.json and model.safetensors")
    parser.add_argument("--runs", type=Path, help="state and log (default runs/STAGE)")
    parser.add_argument("--cache", type=Path, help="decoded sounds (default runs/cache)")
    parser.add_argument("--vae", type=Path, help="vocoder only: the autoencoder whose decoded mels it also learns")
    parser.add_argument("--refine", type=Path, help="vae only: train the decoder of this checkpoint, its encoder fixed")
    parser.add_argument(
        "--adversarial-from",
        type=float,
        help="vocoder only: share of the run before the discriminators speak; 1: never",
    )
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--cells", type=int, help="mel_tokens only: pieces of 40 ms to fit on")
    parser.add_argument("--limit", type=int, help="use only the first N clips")
    parser.add_argument("--seed", type=int)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    given = {key: value for key, value in vars(arguments).items() if value is not None and key != "stage"}
    if arguments.stage == "vae":
        from training.audio.train_vae import VaeTraining
        from training.audio.train_vae import main as train

        config = VaeTraining(data=arguments.data, out=arguments.out)
    elif arguments.stage == "vocoder":
        from training.audio.train_vocoder import VocoderTraining
        from training.audio.train_vocoder import main as train

        config = VocoderTraining(data=arguments.data, out=arguments.out)
    elif arguments.stage == "mel_tokens":
        from training.vlm_to_sound.train_mel_tokens import MelTokensTraining
        from training.vlm_to_sound.train_mel_tokens import main as train

        config = MelTokensTraining(data=arguments.data, out=arguments.out)
    else:
        from training.audio.train_encodec import EncodecTraining
        from training.audio.train_encodec import main as train

        config = EncodecTraining(data=arguments.data, out=arguments.out)
    unknown = set(given) - {field.name for field in fields(config)}
    if unknown:
        raise SystemExit(f"The stage {arguments.stage} takes no --{', --'.join(sorted(unknown))}.")
    train(replace(config, **given))


if __name__ == "__main__":
    main()
