"""Losses: CTC held to where syllables sound, and what a teacher thinks of; and how late tokens then come."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from .evaluate import Hearing, greedy
from .model import STRIDE
from .teacher import Heard
from .units import TAUGHT_FRAMES
from .windows import DELAY

#: Natural log of how unlikely a token is made to be told before it sounds or long after.
_ASTRAY = -12.0


def timed_ctc(
    log_probs: torch.Tensor, tokens: torch.Tensor, counts: torch.Tensor, spans: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """CTC (Graves et al. 2006) over alignments in which tokens keep to their spans: cross-entropy with the occupancies
    of those alignments. Returns the loss whose gradient is to be taken, and the CTC loss, both a window."""
    n_rows, n_frames, n_tokens = log_probs.shape
    at = torch.arange(n_frames, device=tokens.device)
    inside = (at[None, None] >= spans[..., :1]) & (at[None, None] <= spans[..., 1:])
    allowed = torch.zeros(n_rows, n_tokens, n_frames, device=tokens.device)
    allowed.scatter_add_(1, tokens[..., None].expand(-1, -1, n_frames), inside.float())
    allowed[:, 0] = 1.0
    penalty = torch.where(allowed.transpose(1, 2) > 0, 0.0, _ASTRAY)
    held = (log_probs.detach() + penalty).requires_grad_()
    lengths = torch.full((n_rows,), n_frames, dtype=torch.long)
    ctc = torch.nn.functional.ctc_loss(
        held.transpose(0, 1), tokens, lengths, counts, reduction="sum", zero_infinity=True
    )
    (slope,) = torch.autograd.grad(ctc, held)
    # PyTorch gives exp(log_probs) minus the occupancies.
    occupied = (held.detach().exp() - slope).clamp_min(0)
    return -(occupied * log_probs).sum() / n_rows, ctc.item() / n_rows


def taught(place: np.ndarray, heard: Heard) -> Heard:
    """What the teacher told of a window whose frames lie at these places of the store, DELAY output frames late. Where
    a frame covers two of the teacher's, the one in which a token rather begins."""
    rows = (place[STRIDE // 2 :: STRIDE] // TAUGHT_FRAMES).astype(np.int64)
    before = np.roll(rows, 1)
    skipped = (rows - before == 2) & (heard.begins[rows - 1] > heard.begins[rows])
    rows = np.where(rows >= 0, rows - skipped, -1)
    rows = np.concatenate([np.full(DELAY, -1), rows[:-DELAY]])
    sounds = rows >= 0
    return Heard(heard.begins[rows] * sounds, heard.tokens[rows], heard.shares[rows])


def aside_loss(
    log_probs: torch.Tensor, begins: torch.Tensor, likely: torch.Tensor, shares: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy with the tokens that the teacher thinks of, whether or not it tells one; summed over the frames
    that have a token near. Log probabilities [B, T, V], the rest as `taught` gives it."""
    near = torch.nn.functional.max_pool1d(begins[:, None], 7, 1, 3)[:, 0]
    return -(near * (shares * log_probs.gather(2, likely)).sum(dim=2)).sum()


def delay_frames(hearing: Hearing, batches: Iterable[tuple[torch.Tensor, ...]]) -> float:
    """How late tokens are told, in feature frames: median of the output frame where a token begins less the middle of
    its syllable, over batches that training did not see; windows that a teacher told are left out, as nobody knows when
    their syllables sound."""
    late = []
    for features, tokens, counts, spans, is_taught, *_ in batches:
        rows = torch.nonzero(~is_taught).flatten().tolist()
        for row, log_probs in zip(rows, hearing(features[rows].numpy()), strict=True):
            told = greedy(log_probs)
            for index in range(int(counts[row])):
                token, (begin, end) = int(tokens[row, index]), spans[row, index].tolist()
                found = [at for number, at in told if number == token and begin <= at <= end]
                if len(found) == 1:
                    # The middles of both: output frame `n` lasts from n to n + 1.
                    middle = (begin + end - DELAY + 1) / 2
                    late.append((found[0] + 0.5 - middle) * STRIDE)
    return float(np.median(late))
