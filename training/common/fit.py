"""`fit()`: the one training loop, AdamW on Hugging Face accelerate.

It gives every training a time budget, resuming, an exponential moving average (EMA) of the weights, a JSONL log, a
cosine schedule with warm-up, and gradient clipping. A training brings a module, its parameter groups and a function
that computes the loss of one step:

    accelerator, rng = start(config.seed)                        # seeds torch; rng differs between processes
    model = Tagger().to(accelerator.device)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        mels, targets = sampler.draw(config.batch)               # any randomness from rng or from torch's own stream
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            logits = model(mels.to(accelerator.device))
        loss = F.cross_entropy(logits.float(), targets)
        return loss, {"loss": loss}                              # what to minimise, what to log (as means)

    learner = Learner(model, decay_matrices(model, rate=3e-3, weight_decay=0.05), clip_norm=2.0)
    result = fit(config.frame(), learner, step_loss, accelerator=accelerator, generators={"rng": rng},
                 on_check=lambda: {"accuracy": accuracy(model)})
    if result.main:                                              # model: in eval mode, with the averaged weights
        model.save(config.out)

- Start it plainly, with `torchrun --nproc-per-node 2 -m MODULE ...` or `accelerate launch --module MODULE ...`.
  All processes begin with the first one's weights and follow its time budget; gradients are averaged before clipping.
  The model is not wrapped, so `step_loss` may call any of its methods.
- `runs/` holds `state.safetensors` and `state.json`. A run that is started again continues there with weights,
  optimisers, average, step, time and random streams: with a schedule by steps to bit-equal weights.
- `on_check` is called after every saved state, in the first process, without gradients, in eval mode and with the
  averaged weights; what it returns is logged. Then training goes on with its own weights and modes.
- An adversary (the discriminators of a GAN) is a second `Learner`: pass it in `others` and call its `descend(loss)`
  within `step_loss`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from training.common.run_state import Ema, JsonlLog, RandomStream, TimeBudget, cosine_rate, load_state, save_state

Schedule = Callable[[float], float]  # progress 0..1 -> share of the peak learning rate
Values = Mapping[str, Tensor | float]


@dataclass(frozen=True)
class TrainConfig:
    """The frame of one run. `minutes` and `steps` both end it, whichever comes first; the schedule follows them."""

    runs: Path | None = None  # folder of the state and the log; None: nothing is kept, the log is printed alone
    minutes: float = math.inf  # for the whole run, resumed parts together
    steps: int = 1_000_000
    ema: float = 0.0  # decay of the averaged weights; 0: no average
    log_every: int = 50  # steps
    save_every: int = 500  # steps
    session_minutes: float = math.inf  # ends this call without changing the schedule; to be resumed
    stop_at: int | None = None  # the same by the number of the step


@dataclass(frozen=True)
class TrainOptions:
    """What every training command has; tyro makes a flag of each, inherited ones included."""

    data: Path  # see training/README.md
    out: Path
    runs: Path = Path("runs/training")  # see `TrainConfig`, as the next ones
    cache: Path = Path("runs/cache")
    minutes: float = 20.0
    steps: int = 1_000_000
    ema: float = 0.998
    seed: int = 0
    limit: int = 0  # use only the first recordings (smoke runs), 0: all

    def frame(self, log_every: int = 50, save_every: int = 500) -> TrainConfig:
        return TrainConfig(self.runs, self.minutes, self.steps, self.ema, log_every, save_every)


@dataclass(frozen=True)
class ParamGroup:
    """Parameters with one peak learning rate and one schedule."""

    params: Sequence[nn.Parameter]
    rate: float
    weight_decay: float = 0.0
    schedule: Schedule = cosine_rate


def all_parameters(
    module: nn.Module, rate: float, weight_decay: float = 0.01, schedule: Schedule = cosine_rate
) -> list[ParamGroup]:
    """One group of everything that requires gradients."""
    return [ParamGroup([p for p in module.parameters() if p.requires_grad], rate, weight_decay, schedule)]


def decay_matrices(
    module: nn.Module, rate: float, weight_decay: float, schedule: Schedule = cosine_rate
) -> list[ParamGroup]:
    """Two groups of what requires gradients: weight decay for matrices and kernels, none for vectors and scalars."""
    learning = [p for p in module.parameters() if p.requires_grad]
    matrices, vectors = [p for p in learning if p.ndim > 1], [p for p in learning if p.ndim <= 1]
    return [ParamGroup(matrices, rate, weight_decay, schedule), ParamGroup(vectors, rate, 0.0, schedule)]


class Learner:
    """A module with an AdamW of its own: the model, or an adversary beside it."""

    def __init__(
        self, module: nn.Module, groups: Sequence[ParamGroup], *,
        betas: tuple[float, float] = (0.9, 0.98), clip_norm: float = 1.0,
    ) -> None:  # fmt: skip
        self.module, self.groups, self.clip_norm = module, groups, clip_norm
        self.params = [p for group in groups for p in group.params]
        self.optimiser = torch.optim.AdamW(
            [{"params": list(g.params), "lr": g.rate, "weight_decay": g.weight_decay} for g in groups if g.params],
            betas=betas, fused=True,
        )  # fmt: skip
        self.accelerator: Accelerator | None = None  # set by fit()

    def set_rates(self, progress: float) -> None:
        for mine, group in zip(self.optimiser.param_groups, (g for g in self.groups if g.params), strict=True):
            mine["lr"] = group.rate * group.schedule(progress)

    def descend(self, loss: Tensor) -> None:
        """One optimisation step on a scalar loss, with the mean of all processes' gradients."""
        assert self.accelerator is not None, "a learner steps within fit() alone"
        self.optimiser.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        average_gradients(self.params, self.accelerator)
        self.accelerator.clip_grad_norm_(self.params, self.clip_norm)
        self.optimiser.step()


@dataclass(frozen=True)
class Step:
    number: int  # from 0, over all parts of a resumed run
    progress: float  # 0..1 of the budget


@dataclass(frozen=True)
class FitResult:
    """done: whether the budget is used up; main: whether this process saves; values: the last logged means."""

    step: int
    done: bool
    main: bool
    values: dict[str, float] = field(default_factory=dict)


def start(seed: int, *, cpu: bool = False) -> tuple[Accelerator, np.random.Generator]:
    """Join the other processes, if any, and seed torch. The generator's stream is this process's own.

    Uses GPUs where there are any, unless `cpu`.
    """
    accelerator = Accelerator(cpu=cpu or not torch.cuda.is_available())
    torch.manual_seed(seed)
    return accelerator, np.random.default_rng([seed, accelerator.process_index])


def fit(
    config: TrainConfig, learner: Learner, step_loss: Callable[[Step], tuple[Tensor, Values]], *,
    others: Mapping[str, Learner] | None = None, kept: nn.Module | None = None, averaged: nn.Module | None = None,
    generators: Mapping[str, RandomStream] | None = None, on_check: Callable[[], Values] | None = None,
    accelerator: Accelerator | None = None, log: JsonlLog | None = None,
) -> FitResult:  # fmt: skip
    """Train until the budget is used up; continue from `config.runs` where it holds a state.

    Args:
        step_loss: draws a batch and returns (scalar loss to minimise, named scalars to log).
        others: adversaries that `step_loss` steps itself.
        kept: what the state holds, if not the whole module (a `TrainedParameters`, or a container of several modules).
        averaged: what the EMA covers, if not `kept`.
        generators: random streams that a resumed run continues, beside torch's own.
        on_check: called after every saved state; returns scalars to log.
        accelerator: from `start`, if the caller needs it too.
        log: instead of `runs/log.jsonl`.

    Modules train in the modes (train or eval) in which they are passed. Afterwards the learner's module is in eval
    mode and holds the averaged weights.
    """
    accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
    learners = {"model": learner, **(others or {})}
    for one in learners.values():
        one.module.to(accelerator.device)
        one.accelerator = accelerator
        broadcast_weights(one.module, accelerator)
    kept = kept or learner.module
    averaged = averaged or kept
    run = _Run(config, learners, kept, averaged, dict(generators or {}), accelerator)
    log = log or JsonlLog(config.runs if run.main else None)
    sums: dict[str, list[Tensor | float]] = defaultdict(list)
    values: dict[str, float] = {}
    for step in run.steps():
        for one in learners.values():
            one.set_rates(step.progress)
        loss, shown = step_loss(step)
        learner.descend(loss)
        run.ema.update(averaged)
        run.clock.step += 1
        for name, value in shown.items():
            sums[name].append(value.detach() if isinstance(value, Tensor) else value)
        if step.number % config.log_every == 0:
            values = _means(sums)
            run.write(log, step, values)
        if run.clock.step % config.save_every == 0:
            run.save()
            if on_check and run.main:
                with run.averaged_weights():
                    run.write(log, step, on_check())
    run.save()
    if sums:
        values = _means(sums)
        run.write(log, Step(run.clock.step, run.clock.progress), values)
    run.ema.copy_to(averaged)
    learner.module.eval()
    return FitResult(run.clock.step, run.done, run.main, values)


def minimise(params: Iterable[Tensor], loss: Callable[[], Tensor], steps: int, history: int = 100) -> None:
    """A smooth loss of few parameters to its minimum, by L-BFGS."""
    optimiser = torch.optim.LBFGS(params, max_iter=steps, history_size=history, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(closure)


def check_loaded(runs: Path | None, name: str, before: float, after: float, tolerance: float) -> None:
    """Log a figure before saving and after loading back. AssertionError if they differ by `tolerance` or more."""
    JsonlLog(runs).write(**{name: before, "loaded_back": after})
    assert abs(before - after) < tolerance, f"saved weights differ: {name} {before} before, {after} after"


def average_gradients(params: Sequence[nn.Parameter], accelerator: Accelerator) -> None:
    """Replace every process's gradients with the mean over all processes (all-reduce). Alone, nothing happens."""
    if accelerator.num_processes == 1:
        return
    for p in params:  # a parameter may be unused in one process and used in another
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad
    gradients = [p.grad for p in params if p.grad is not None]
    flat = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


@torch.no_grad()
def broadcast_weights(module: nn.Module, accelerator: Accelerator) -> None:
    """Every process begins with the first one's parameters and buffers. Alone, nothing happens."""
    if accelerator.num_processes > 1:
        for value in (*module.parameters(), *module.buffers()):
            if value.is_floating_point():
                broadcast(value.data)


def _means(sums: dict[str, list[Tensor | float]]) -> dict[str, float]:
    means = {name: float(np.mean([float(value) for value in values])) for name, values in sums.items()}
    sums.clear()
    return means


class _Run:
    """State of one call of fit(): budget, average, and what is saved and restored."""

    def __init__(
        self, config: TrainConfig, learners: Mapping[str, Learner], kept: nn.Module, averaged: nn.Module,
        generators: dict[str, RandomStream], accelerator: Accelerator,
    ) -> None:  # fmt: skip
        self.config, self.learners, self.accelerator = config, learners, accelerator
        self.kept, self.averaged, self.generators = kept, averaged, generators
        self.main = accelerator.is_main_process
        self.ema = Ema(averaged, config.ema)
        self.modules = {"model": kept} | {name: one.module for name, one in learners.items() if name != "model"}
        self.optimisers = {name: one.optimiser for name, one in learners.items()}
        step, spent_s = 0, 0.0
        if config.runs:
            streams = generators if self.main else {}
            step, spent_s = load_state(config.runs, self.modules, self.optimisers, self.ema, streams)
        if step and not self.main:
            self._diverge(step)
        self.clock = TimeBudget(config.minutes, config.steps, spent_s, step)
        self.begin_s = self.clock.spent_s
        self.done = False

    def _diverge(self, step: int) -> None:
        """The state holds the first process's random streams; the others continue with new ones."""
        for generator in self.generators.values():
            if isinstance(generator, torch.Generator):
                generator.manual_seed(generator.initial_seed() + 7919 * self.accelerator.process_index + step)
            else:
                seeds = [int(generator.integers(2**31)), step]
                generator.bit_generator.state = np.random.default_rng(seeds).bit_generator.state

    def steps(self) -> Iterator[Step]:
        """All processes stop after the same step: they follow the first one's budget."""
        while True:
            over = self.clock.spent_s - self.begin_s > 60 * self.config.session_minutes
            over |= self.config.stop_at is not None and self.clock.step >= self.config.stop_at
            now = torch.tensor([self.clock.progress, float(over)], dtype=torch.float64)
            if self.accelerator.num_processes > 1:
                now = broadcast(now.to(self.accelerator.device))
            progress, over = float(now[0]), bool(now[1])
            self.done = progress >= 1.0
            if self.done or over:
                return
            yield Step(self.clock.step, progress)

    def save(self) -> None:
        if self.main and self.config.runs:
            save_state(self.config.runs, self.modules, self.optimisers, self.ema, self.clock, self.generators)

    def write(self, log: JsonlLog, step: Step, values: Values) -> None:
        if self.main:
            log.write(step=step.number, progress=step.progress, **{name: float(v) for name, v in values.items()})

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """The averaged weights in eval mode and without gradients; afterwards everything is as before."""
        module = self.learners["model"].module
        modes = {part: part.training for part in module.modules()}
        weights = {name: value.clone() for name, value in self.averaged.state_dict().items()}
        self.ema.copy_to(self.averaged)
        module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.averaged.load_state_dict(weights)
            for part, training in modes.items():
                part.training = training


class TrainedParameters(nn.Module):
    """The parameters of another module that require gradients, as what a state and an average hold: the frozen rest may
    be gigabytes, and lies elsewhere."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self._whole = (whole,)  # in a tuple: no part of this one

    def state_dict(self) -> dict[str, Tensor]:  # type: ignore[override]
        return {name: p.detach() for name, p in self._whole[0].named_parameters() if p.requires_grad}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:  # type: ignore[override]
        mine = self.state_dict()
        assert mine.keys() == state.keys(), "a state of another training"
        for name, value in mine.items():
            value.copy_(state[name])
