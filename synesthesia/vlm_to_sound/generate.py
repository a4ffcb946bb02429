"""Stereo sound from one image region: VLM hidden states -> codec tokens -> parametric stereo through a vocoder.

No text is generated. Of several takes the tagger keeps the one that fits the region's class probabilities best (best
of N); a single take can be streamed while its tokens are still being sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import FADE_S, PEAK, Vocoder, finish
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.results import Progress
from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vlm_to_sound.audio_head import CHANNELS, AudioHead, CrossAttentionMemory
from synesthesia.vlm_to_sound.region_inputs import RegionInputs
from synesthesia.vlm_to_sound.sampling import DecodingStep, TokenSampler, decode
from synesthesia.vlm_to_sound.stereo import mid_mel, render_stereo
from synesthesia.vlm_to_sound.streaming import StreamAssembler
from synesthesia.vlm_to_sound.thinker import Thinker

TAKES = 12
MAX_TAKES_SECONDS = 48.0  # sampled in all: longer sounds get fewer takes
FIRST_FRAMES = 13  # tokens of half a second, before the first chunk is emitted
CHUNK_FRAMES = 25  # of the later chunks
OVERLAP_FRAMES = 8  # of the previous chunk, rendered again as context for the vocoder


@dataclass(frozen=True)
class GeneratedStereo:
    """waveform: (2, n) float32, left ear first; codes: (2, K, F) int64; cross_attention: (rows, cols) float32 over the
    photograph's patches, sums to 1; itd_s: positive when the right ear leads; take: the one that was kept."""

    waveform: np.ndarray
    codes: np.ndarray
    cross_attention: np.ndarray
    itd_s: float
    take: int


@dataclass(frozen=True)
class SampledTokens:
    """Of all takes. codes: (takes, 2, K, F); itd_s: (takes,); cross_attention: (takes, S), mean over positions."""

    codes: Tensor
    itd_s: Tensor
    cross_attention: Tensor


class TokenGenerator:
    """Thinker, audio head and vocoder behind one call. Not thread-safe: the studio holds a lock."""

    def __init__(
        self, thinker: Thinker, head: AudioHead, vocoder: Vocoder, tagger: AudioTagger | None,
        region_inputs: RegionInputs,
    ) -> None:  # fmt: skip
        self.thinker, self.head, self.vocoder, self.tagger = thinker, head, vocoder, tagger
        self.region_inputs = region_inputs

    @property
    def tokens_per_second(self) -> float:
        return self.head.config.tokens.tokens_per_second

    @torch.inference_mode()
    def encode(self, image: EncodedImage, row: int, col: int) -> CrossAttentionMemory:
        """The thinker's hidden states for one patch, as cross-attention memory of the audio head."""
        pixels, box = self.region_inputs.prepare(image, row, col)
        return self.head.memory(self.thinker([pixels], box))

    def generate(
        self, memory: CrossAttentionMemory, grid: PatchGrid, *, seconds: float, seed: int, takes: int = TAKES,
        sampler: TokenSampler | None = None, class_probs: Tensor | None = None,
    ) -> GeneratedStereo:  # fmt: skip
        """The result of `generate_steps`, without its progress."""
        *_, generated = self.generate_steps(
            memory, grid, seconds=seconds, seed=seed, takes=takes, sampler=sampler, class_probs=class_probs
        )
        assert isinstance(generated, GeneratedStereo)
        return generated

    @torch.inference_mode()
    def generate_steps(
        self, memory: CrossAttentionMemory, grid: PatchGrid, *, seconds: float, seed: int, takes: int = TAKES,
        sampler: TokenSampler | None = None, class_probs: Tensor | None = None,
    ) -> Iterator[Progress | GeneratedStereo]:  # fmt: skip
        """Progress after every frame, and last the sound: exactly `seconds`, the louder ear's peak at -1 dBFS, ends
        faded. grid: of the encoded photograph; class_probs: (classes,) of the tagger, by which a take is chosen."""
        frames = math.ceil(seconds * self.tokens_per_second)
        steps: list[DecodingStep] = []
        for step in self.sample(memory, frames, seed, takes, sampler):
            steps.append(step)
            if len(steps) % CHANNELS == 0:
                yield Progress(len(steps) // CHANNELS, frames)
        sampled = stack_steps(steps, self.head)
        mels = self.head.tokens.decode(sampled.codes.flatten(0, 1)).unflatten(0, (-1, CHANNELS))
        take = 0
        if takes > 1 and self.tagger is not None and class_probs is not None:
            take = int((self.tagger(mid_mel(mels))[0].softmax(dim=1) * class_probs).sum(dim=1).argmax())
        stereo = render_stereo(mels[[take]], sampled.itd_s[[take]], self.vocoder.generated)[0]
        waveform = finish(stereo[:, : round(seconds * SAMPLE_RATE_HZ)], SAMPLE_RATE_HZ)
        attention = self.region_inputs.to_patches(sampled.cross_attention[take][memory.image_mask[0]], grid)
        yield GeneratedStereo(
            waveform=waveform.numpy().astype(np.float32), codes=sampled.codes[take].numpy(),
            cross_attention=(attention / attention.sum().clamp(min=1e-9)).numpy(), itd_s=float(sampled.itd_s[take]),
            take=take,
        )  # fmt: skip

    def sample(
        self, memory: CrossAttentionMemory, frames: int, seed: int, takes: int, sampler: TokenSampler | None = None
    ) -> Iterator[DecodingStep]:
        """One step per position; the same seed gives the same tokens."""
        generators = [torch.Generator().manual_seed((seed * 1_000_003 + 7919 * k + 29) % 2**63) for k in range(takes)]
        return decode(self.head, memory, frames, generators, sampler or TokenSampler())

    @torch.inference_mode()
    def stream(
        self, memory: CrossAttentionMemory, *, seconds: float, seed: int, sampler: TokenSampler | None = None
    ) -> Iterator[np.ndarray]:
        """(2, n) chunks of one take as soon as their tokens exist, the first after half a second of them; together
        they last `seconds`. The first chunk's ITD holds for all; see `StreamAssembler` for loudness and joins."""
        frames = math.ceil(seconds * self.tokens_per_second)
        samples, fade = round(seconds * SAMPLE_RATE_HZ), round(FADE_S * SAMPLE_RATE_HZ)
        assembler = StreamAssembler(samples, SAMPLE_RATE_HZ, fade, PEAK)
        samples_per_frame = round(SAMPLE_RATE_HZ / self.tokens_per_second)
        ends = set(range(FIRST_FRAMES, frames, CHUNK_FRAMES)) | {frames}
        steps: list[DecodingStep] = []
        itd_s: Tensor | None = None
        for step in self.sample(memory, frames, seed, 1, sampler):
            steps.append(step)
            done = len(steps) // CHANNELS
            if len(steps) % CHANNELS or done not in ends:
                continue
            sampled = stack_steps(steps, self.head)
            itd_s = sampled.itd_s if itd_s is None else itd_s
            first = max(0, assembler.emitted // samples_per_frame - OVERLAP_FRAMES)
            mels = self.head.tokens.decode(sampled.codes[0, :, :, first:])[None]
            stereo = render_stereo(mels, itd_s, self.vocoder.generated)[0]
            yield assembler.add(stereo, first * samples_per_frame, last=done == frames)


def stack_steps(steps: list[DecodingStep], head: AudioHead) -> SampledTokens:
    """All positions so far, whole frames, of all takes."""
    codes = torch.stack([step.codes for step in steps], dim=1).unflatten(1, (-1, CHANNELS)).permute(0, 2, 3, 1)
    itd_probs = torch.stack([step.itd for step in steps if step.itd is not None]).softmax(dim=2).mean(dim=0)
    attention = torch.stack([step.cross_attention for step in steps]).mean(dim=0)
    return SampledTokens(codes, itd_probs @ head.config.itds_s, attention)


def number_of_takes(seconds: float, sampler: TokenSampler) -> int:
    """1 for greedy decoding, where all takes would be the same."""
    random = sampler.temperature > 0 and sampler.top_k > 1
    return max(1, min(TAKES, int(MAX_TAKES_SECONDS / seconds))) if random else 1
