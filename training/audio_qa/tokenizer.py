"""Byte-level BPE tokenizer (Sennrich et al. 2016) of the tiny language model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from synesthesia.audio_qa.prompt import SPECIAL
from training.audio_qa.examples import corpus


def fit_tokenizer(size: int, file: Path, seed: int, texts: int = 20_000) -> None:
    """Fits `size` tokens to generated questions and answers, and writes them to `file`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(np.random.default_rng(seed), texts), trainer)
    file.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(file))
