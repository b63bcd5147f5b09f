"""Training: windows made on the fly, CTC held to where syllables sound, averaged weights."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from . import pinyin
from .augment import Augmenter
from .compose import Composer
from .ctc import aside_loss, taught, timed_ctc
from .evaluate import Hearing, Spoken, hear
from .model import CHUNK_FRAMES, STRIDE, Network, Sizes
from .teacher import N_KEPT, Heard
from .units import Store
from .windows import WINDOW_FRAMES

BATCH = 24
#: Peak rates of Muon for the blocks' products, and of Adam for everything else.
PEAK_RATES = (8e-3, 3e-3)
WARM_STEPS = 400
#: Weight of telling, at every frame of a taught window, which token the teacher thinks of.
ASIDE = 0.15
#: Share of the old average that an average of weights keeps at each step.
AVERAGE = 0.999


class Batch(NamedTuple):
    """Features [B, T, N_MELS]; tokens [B, L] (0 behind the end), their number [B], first and last output frame of each
    [B, L, 2]; in which windows a teacher was heard [B], and for these, frame by frame, how likely a token begins
    [b, T / STRIDE], the likeliest tokens and their shares [b, T / STRIDE, K]."""

    features: torch.Tensor
    tokens: torch.Tensor
    counts: torch.Tensor
    spans: torch.Tensor
    is_taught: torch.Tensor
    begins: torch.Tensor
    likely: torch.Tensor
    shares: torch.Tensor


class Batches(Dataset):
    """Batch `step` of a run, the same for a seed whatever was made before it."""

    def __init__(self, store: Store, composer: Composer, seed: int) -> None:
        self._composer, self._augmenter, self._heard, self.seed = composer, Augmenter(store), store.heard, seed

    def __getitem__(self, step: int) -> Batch:
        """Batch number `step`."""
        torch.set_num_threads(1)
        draw = random.Random(self.seed * 1_000_003 + step)
        windows = [self._composer.window(draw) for _ in range(BATCH)]
        generator = torch.Generator().manual_seed(self.seed * 7919 + step)
        features = self._augmenter.features(windows, generator)
        longest = max(1, max(len(window.tokens) for window in windows))
        tokens = torch.zeros(BATCH, longest, dtype=torch.long)
        spans = torch.full((BATCH, longest, 2), -1, dtype=torch.long)
        for row, window in enumerate(windows):
            count = len(window.tokens)
            if count:
                tokens[row, :count] = torch.tensor(window.tokens)
                spans[row, :count] = torch.tensor(window.spans)
        counts = torch.tensor([len(window.tokens) for window in windows])
        is_taught = torch.tensor([window.is_taught for window in windows])
        targets = [taught(window.place, self._heard) for window in windows if window.is_taught]
        return Batch(features, tokens, counts, spans, is_taught, *_stacked(targets))


def fit(batches: Batches, work: Path, n_steps: int, n_threads: int, check: list[Spoken]) -> None:
    """Trains for so many steps into `work/fit.pt`, going on from there where it is. What `check` has is heard
    now and then, for the eye alone."""
    torch.manual_seed(batches.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bfloat16 = _has_bfloat16(device)
    network = Network(Sizes(len(pinyin.token_table())))
    first = batches[10_000_000].features
    network.mean.copy_(first.mean(dim=(0, 1)))
    network.scale.copy_(1 / first.std(dim=(0, 1)))
    network.to(device)
    tutor = torch.nn.Linear(network.sizes.outer, network.sizes.n_tokens).to(device)
    average = torch.optim.swa_utils.AveragedModel(network, avg_fn=_averaged, use_buffers=True)
    optimisers = _optimisers(network, tutor)
    begin = _resume(work / "fit.pt", network, tutor, average, optimisers)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(begin, n_steps),
        num_workers=max(0, n_threads - 1),
        prefetch_factor=4 if n_threads > 1 else None,
    )
    torch.set_num_threads(max(1, n_threads - 1))
    state = torch.zeros(BATCH, network.state_size(), device=device)
    since, losses = time.monotonic(), []
    for step, batch in zip(range(begin, n_steps), loader, strict=True):
        batch = Batch(*(part.to(device) for part in batch))
        for optimiser, peak in zip(optimisers, PEAK_RATES, strict=True):
            optimiser.param_groups[0]["lr"] = peak * _share_of_peak(step, n_steps)
        network.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            hidden, _ = network.hidden(batch.features, state)
            log_probs = torch.log_softmax(network.head(hidden).float(), dim=2)
            asides = torch.log_softmax(tutor(hidden[batch.is_taught]).float(), dim=2)
        loss, ctc = timed_ctc(log_probs, batch.tokens, batch.counts.cpu(), batch.spans)
        aside = aside_loss(asides, batch.begins, batch.likely, batch.shares) / BATCH
        loss = loss + ASIDE * aside
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*network.parameters(), *tutor.parameters()], 200.0)
        for optimiser in optimisers:
            optimiser.step()
        average.update_parameters(network)
        n_tokens = (batch.counts.sum().item(), batch.begins.sum().item())
        losses.append(
            tuple(BATCH * value / max(1.0, n) for value, n in zip((ctc, aside.item()), n_tokens, strict=True))
        )
        if (step + 1) % 100 == 0:
            pace = (time.monotonic() - since) / len(losses)
            ctc, aside = np.mean(losses, axis=0)
            told = f"loss a token {ctc:.3f}, aside {aside:.3f}"
            print(f"fit: step {step + 1} of {n_steps}, {told}, {pace:.2f} s a step", flush=True)
            since, losses = time.monotonic(), []
        if (step + 1) % 250 == 0 or step + 1 == n_steps:
            _save(work / "fit.pt", step + 1, network, tutor, average, optimisers)
            if check:
                print(f"fit: step {step + 1}: {hear(as_hearing(average.module), check, CHUNK_FRAMES)}", flush=True)


def trained(path: Path) -> Network:
    """The averaged network of a training."""
    network = Network(Sizes(len(pinyin.token_table())))
    states = torch.load(path, weights_only=True, map_location="cpu")["average"]
    names = {name: name.removeprefix("module.") for name in states if name != "n_averaged"}
    network.load_state_dict({short: states[name] for name, short in names.items()})
    return network.eval()


def as_hearing(network: Network) -> Hearing:
    """The network over whole recordings, for `evaluate.hear`."""

    def hearing(features: np.ndarray) -> np.ndarray:
        network.eval()
        device = network.mean.device
        with torch.no_grad():
            state = torch.zeros(len(features), network.state_size(), device=device)
            return network(torch.from_numpy(features).to(device), state)[0].cpu().numpy()

    return hearing


def _has_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 itself: elsewhere it would be slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _stacked(targets: list[Heard]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    n_frames = WINDOW_FRAMES // STRIDE
    begins = np.stack([target.begins for target in targets]) if targets else np.zeros((0, n_frames))
    likely = np.stack([target.tokens for target in targets]) if targets else np.zeros((0, n_frames, N_KEPT))
    shares = np.stack([target.shares for target in targets]) if targets else np.zeros((0, n_frames, N_KEPT))
    return torch.from_numpy(begins).float(), torch.from_numpy(likely).long(), torch.from_numpy(shares).float()


def _averaged(average: torch.Tensor, new: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Moving average that forgets the first steps quickly."""
    if not average.is_floating_point():
        return new
    keep = torch.minimum(torch.tensor(AVERAGE), (1 + count) / (10 + count)).to(average.device)
    return average * keep + new * (1 - keep)


def _optimisers(network: Network, tutor: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the products inside, Adam for the rest."""
    inner = [
        weight
        for name, weight in network.named_parameters()
        if weight.ndim == 2 and "head" not in name and "gate" not in name
    ]
    inside = {id(weight) for weight in inner}
    rest = [weight for weight in network.parameters() if id(weight) not in inside] + list(tutor.parameters())
    return [
        torch.optim.Muon(inner, PEAK_RATES[0], weight_decay=1e-2, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, PEAK_RATES[1], betas=(0.9, 0.98), weight_decay=1e-2),
    ]


def _share_of_peak(step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    done = min(1.0, max(0.0, (step - WARM_STEPS) / max(1, n_steps - WARM_STEPS)))
    return min(1.0, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def _save(
    path: Path,
    step: int,
    network: torch.nn.Module,
    tutor: torch.nn.Module,
    average: torch.nn.Module,
    optimisers: list,
) -> None:
    partial = path.with_suffix(".part")
    modules = {"network": network, "tutor": tutor, "average": average}
    states = {"step": step} | {name: module.state_dict() for name, module in modules.items()}
    torch.save({**states, "optimisers": [optimiser.state_dict() for optimiser in optimisers]}, partial)
    partial.rename(path)


def _resume(
    path: Path, network: torch.nn.Module, tutor: torch.nn.Module, average: torch.nn.Module, optimisers: list
) -> int:
    if not path.exists():
        return 0
    states = torch.load(path, weights_only=True)
    network.load_state_dict(states["network"])
    tutor.load_state_dict(states["tutor"])
    average.load_state_dict(states["average"])
    for optimiser, saved in zip(optimisers, states["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    print(f"fit: going on from step {states['step']}", flush=True)
    return states["step"]
