"""The network: features in chunks in, log probabilities of tokens out, all it remembers in one vector a stream.

```
log mel 100 Hz ─ level ─ pair ─ pair ─▶ 25 Hz: 2 blocks ─┬─ pair ─▶ 12.5 Hz: 4 blocks ─ twice ─▶ + ─▶ 1 block ─▶ tokens
                                                         └────────────────────────────────────────┘
```

`level` takes off the mean of the stream's own speech. `pair` joins two frames (and some before them) into one. A block
is a causal depthwise convolution over time and two products around a ReLU, beside a way straight through. Inside a
chunk two things look ahead: `level`, whose mean is that of the whole chunk (up to 150 ms), and the half rate in the
middle, by one frame of 40 ms. Beyond the chunk nothing does; training lets tokens come some frames late instead. Batch
normalisation is folded away at export.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from .features import N_MELS


@dataclass(frozen=True)
class Sizes:
    """Widths in channels, kernels in frames of their rate."""

    n_tokens: int
    front: int = 96
    outer: int = 144
    inner: int = 208
    outer_kernel: int = 7
    inner_kernel: int = 9
    outer_blocks: int = 2
    inner_blocks: int = 4
    last_blocks: int = 1
    spread: int = 2


#: Feature frames of a chunk, and feature frames for one output frame.
CHUNK_FRAMES = 16
STRIDE = 4


class Memory:
    """Hands out what each layer remembers, in a fixed order, and collects what is remembered next.

    A stream's vector is the layers' caches, [frames, channels] each, flattened and joined."""

    def __init__(self, state: torch.Tensor) -> None:
        self._state, self._at, self._next = state, 0, []

    def extend(self, x: torch.Tensor, n_frames: int) -> torch.Tensor:
        """x [B, T, C] with the `n_frames` before it in front; the last `n_frames` are kept for the next chunk."""
        size = n_frames * x.shape[2]
        before = self._state[:, self._at : self._at + size].reshape(len(x), n_frames, x.shape[2])
        self._at += size
        joined = torch.cat([before, x], dim=1)
        self._next.append(joined[:, joined.shape[1] - n_frames :].reshape(len(x), size))
        return joined

    def scan(self, x: torch.Tensor, kept: float) -> torch.Tensor:
        """Running sums of x [B, N, C], of which so much is kept from one to the next; the last is remembered."""
        size = x.shape[2]
        before = self._state[:, None, self._at : self._at + size]
        self._at += size
        age = torch.arange(x.shape[1], device=x.device)
        past = (age[:, None] - age[None]).clamp_min(0)
        weights = (kept**past).tril().to(x.dtype)
        sums = weights @ x + (kept ** (age + 1)).to(x.dtype)[None, :, None] * before
        self._next.append(sums[:, -1])
        return sums

    def packed(self) -> torch.Tensor:
        """The next state, [B, S]."""
        return torch.cat(self._next, dim=1)


class Norm(nn.Module):
    """Batch normalisation over the last axis of [B, T, C]."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.reshape(-1, x.shape[2])).reshape(x.shape)


class Pair(nn.Module):
    """Joins pairs of frames, with `before` pairs ahead of them in time, by one product: [B, T, C] → [B, T / 2, D]."""

    def __init__(self, n_in: int, n_out: int, before: int) -> None:
        super().__init__()
        self.before, self.n_in = before, n_in
        self.product = nn.Linear(2 * n_in * (before + 1), n_out, bias=False)
        self.norm = Norm(n_out)

    def n_remembered(self) -> int:
        return self.before * 2 * self.n_in

    def forward(self, x: torch.Tensor, memory: Memory) -> torch.Tensor:
        pairs = x.reshape(len(x), x.shape[1] // 2, 2 * self.n_in)
        n_pairs = pairs.shape[1]
        joined = memory.extend(pairs, self.before) if self.before else pairs
        windows = [joined[:, shift : shift + n_pairs] for shift in range(self.before + 1)]
        return torch.relu(self.norm(self.product(torch.cat(windows, dim=2))))


class Block(nn.Module):
    """x + product(ReLU(product(depthwise(x)))), the depthwise convolution over this frame and those before it."""

    def __init__(self, n_channels: int, kernel: int, spread: int) -> None:
        super().__init__()
        self.kernel, self.n_channels = kernel, n_channels
        self.depthwise = nn.Conv2d(n_channels, n_channels, (1, kernel), groups=n_channels, bias=False)
        self.norm_in = Norm(n_channels)
        self.wide = nn.Linear(n_channels, spread * n_channels)
        self.narrow = nn.Linear(spread * n_channels, n_channels, bias=False)
        self.norm_out = Norm(n_channels)

    def n_remembered(self) -> int:
        return (self.kernel - 1) * self.n_channels

    def forward(self, x: torch.Tensor, memory: Memory) -> torch.Tensor:
        joined = memory.extend(x, self.kernel - 1)
        # [B, T, C] is [B, C, 1, T] in channels-last order: nothing is moved.
        mixed = self.depthwise(joined.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)
        return x + self.norm_out(self.narrow(torch.relu(self.wide(self.norm_in(mixed)))))


class Level(nn.Module):
    """Takes off the running mean of the stream's speech, chunk by chunk: [B, T, C] → [B, T, C]. Frames count by a gate
    that learns to tell speech from pauses; the sums forget at each chunk; a stream starts at the mean of all
    training."""

    #: What is left of the sums after a chunk (half in 3.6 s), and how many frames of zeros they start with.
    KEPT, FIRST = 0.97, 30.0

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.gate = nn.Linear(n_channels, 1)

    def n_remembered(self) -> int:
        return self.n_channels + 1

    def forward(self, x: torch.Tensor, memory: Memory) -> torch.Tensor:
        counts = torch.sigmoid(self.gate(x))
        chunks = (
            torch.cat([x * counts, counts], dim=2).reshape(len(x), -1, CHUNK_FRAMES, self.n_channels + 1).sum(dim=2)
        )
        sums = memory.scan(chunks, self.KEPT)
        mean = sums[..., :-1] / (sums[..., -1:] + self.FIRST)
        return x - mean.repeat_interleave(CHUNK_FRAMES, dim=1)


class Network(nn.Module):
    """Features [B, T, N_MELS] and state [B, S] → log probabilities [B, T / 4, V] and the next state; T is a multiple
    of CHUNK_FRAMES. Streams start with a state of zeros."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("mean", torch.zeros(N_MELS))
        self.register_buffer("scale", torch.ones(N_MELS))
        self.level = Level(N_MELS)
        self.first = Pair(N_MELS, sizes.front, before=2)
        self.second = Pair(sizes.front, sizes.outer, before=1)
        self.outer = self._blocks(sizes.outer_blocks, sizes.outer, sizes.outer_kernel)
        self.down = Pair(sizes.outer, sizes.inner, before=0)
        self.inner = self._blocks(sizes.inner_blocks, sizes.inner, sizes.inner_kernel)
        self.up = nn.Linear(sizes.inner, sizes.outer, bias=False)
        self.norm_up = Norm(sizes.outer)
        self.last = self._blocks(sizes.last_blocks, sizes.outer, sizes.outer_kernel)
        self.head = nn.Linear(sizes.outer, sizes.n_tokens)

    def _blocks(self, count: int, n_channels: int, kernel: int) -> nn.ModuleList:
        return nn.ModuleList(Block(n_channels, kernel, self.sizes.spread) for _ in range(count))

    def layers(self) -> list[Level | Pair | Block]:
        """All layers that remember, in the order of the state."""
        return [self.level, self.first, self.second, *self.outer, *self.inner, *self.last]

    def state_size(self) -> int:
        return sum(layer.n_remembered() for layer in self.layers())

    def forward(self, features: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, state = self.hidden(features, state)
        return torch.log_softmax(self.head(x), dim=2), state

    def hidden(self, features: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the head sees, [B, T / 4, outer], and the next state."""
        memory = Memory(state)
        x = self.level((features - self.mean) * self.scale, memory)
        x = self.second(self.first(x, memory), memory)
        for block in self.outer:
            x = block(x, memory)
        slow = self.down(x, memory)
        for block in self.inner:
            slow = block(slow, memory)
        x = torch.relu(x + self.norm_up(self.up(slow)).repeat_interleave(2, dim=1))
        for block in self.last:
            x = block(x, memory)
        return x, memory.packed()


def flops_per_second(sizes: Sizes) -> float:
    """Multiplications and additions for a second of audio in the products and convolutions."""
    outer = 2 * sizes.spread * sizes.outer**2 + sizes.outer_kernel * sizes.outer
    inner = 2 * sizes.spread * sizes.inner**2 + sizes.inner_kernel * sizes.inner
    front = 50 * 6 * N_MELS * sizes.front + 25 * 4 * sizes.front * sizes.outer
    blocks = 25 * (sizes.outer_blocks + sizes.last_blocks) * outer + 12.5 * sizes.inner_blocks * inner
    ends = 12.5 * 3 * sizes.outer * sizes.inner + 25 * sizes.outer * sizes.n_tokens
    return 2 * (front + blocks + ends)
