"""What a good recogniser hears: the zipformer of `shared/models`, frame by frame, as soft targets.

It hears recordings of any language and tells, each 40 ms, how likely a token begins there and which: real voices, rooms
and telephones in the tokens of Mandarin, where no Mandarin recordings of many people may be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import pinyin

#: Seconds of a frame of the teacher, and how many tokens are kept of each.
TAUGHT_FRAME_SECS = 0.04
N_KEPT = 8
#: Tokens a second that speech has.
SPOKEN_RATES = (2.0, 16.0)
_SUFFIX = "-epoch-12-avg-2-chunk-16-left-64"
_RATE_HZ = 16_000
#: What is taken off the blank's score, so that tokens heard with doubt are told.
_BLANK_LESS = 1.0


@dataclass(frozen=True)
class Heard:
    """For each of T frames: probability that a token begins [T] float16; the likeliest tokens [T, N_KEPT] uint8,
    numbers of `pinyin.token_table`, and their shares of all tokens [T, N_KEPT] float16."""

    begins: np.ndarray
    tokens: np.ndarray
    shares: np.ndarray

    @staticmethod
    def nothing() -> Heard:
        """No frames."""
        kept = (0, N_KEPT)
        return Heard(np.zeros(0, np.float16), np.zeros(kept, np.uint8), np.zeros(kept, np.float16))

    def first(self, count: int) -> Heard:
        """The first so many frames."""
        return Heard(self.begins[:count], self.tokens[:count], self.shares[:count])

    def is_speech(self) -> bool:
        """Whether tokens come as often as they do in speech: music and tones have few, and few that are sure."""
        return SPOKEN_RATES[0] < float(self.begins.astype(np.float32).mean()) / TAUGHT_FRAME_SECS < SPOKEN_RATES[1]


class Teacher:
    """The three networks of the zipformer in ONNX Runtime, one thread."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        parts = [("encoder", ".int8"), ("decoder", ""), ("joiner", ".int8")]
        self._encoder, self._decoder, self._joiner = (
            onnxruntime.InferenceSession(str(folder / f"{part}{_SUFFIX}{kind}.onnx"), options) for part, kind in parts
        )
        metadata = self._encoder.get_modelmeta().custom_metadata_map
        self._window, self._chunk = int(metadata["T"]), int(metadata["decode_chunk_len"])
        own = pinyin.token_table()
        rows = [line.split() for line in (folder / "tokens.txt").read_text(encoding="utf-8").splitlines()]
        self._map = np.full(len(own), -1)
        for text, number in rows:
            if text in own:
                self._map[own.index(text)] = int(number)

    def hear(self, samples: np.ndarray) -> Heard:
        """A recording at 8 kHz, −1 to 1, by the best token of each frame."""
        encoded = self._encode(samples)
        context = np.array([[-1, 0]], np.int64)
        scores = np.empty((len(encoded), len(self._map)), np.float32)
        for at in range(len(encoded)):
            (history,) = self._decoder.run(None, {"y": context})
            (logits,) = self._joiner.run(None, {"encoder_out": encoded[at : at + 1], "decoder_out": history})
            logits[:, 0] -= _BLANK_LESS
            if token := int(logits[0].argmax()):
                context = np.array([[context[0, 1], token]], np.int64)
            scores[at] = np.where(self._map >= 0, logits[0, self._map.clip(0)], -30.0)
        return _kept(scores)

    def _encode(self, samples: np.ndarray) -> np.ndarray:
        """Frames [T, 320] of one recording, and 0.7 s of silence behind it."""
        import kaldi_native_fbank
        from scipy.signal import resample_poly

        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.samp_freq, options.frame_opts.dither = _RATE_HZ, 0.0
        options.frame_opts.snip_edges = False
        options.mel_opts.num_bins, options.mel_opts.high_freq = 80, -400.0
        bank = kaldi_native_fbank.OnlineFbank(options)
        silent = np.zeros(_RATE_HZ * 7 // 10, np.float32)
        bank.accept_waveform(_RATE_HZ, resample_poly(samples, 2, 1).astype(np.float32).tolist())
        bank.accept_waveform(_RATE_HZ, silent.tolist())
        bank.input_finished()
        features = np.stack([bank.get_frame(at) for at in range(bank.num_frames_ready)])[None]
        kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
        state = {
            part.name: np.zeros([1 if isinstance(size, str) else size for size in part.shape], kinds[part.type])
            for part in self._encoder.get_inputs()[1:]
        }
        pieces = []
        for first in range(0, features.shape[1] - self._window + 1, self._chunk):
            piece, *after = self._encoder.run(None, {"x": features[:, first : first + self._window], **state})
            state = dict(zip(state, after, strict=True))
            pieces.append(piece[0])
        return np.concatenate(pieces)


def _kept(scores: np.ndarray) -> Heard:
    """The likeliest tokens out of scores [T, V], the blank first."""
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    begins = 1 - likely[:, 0]
    tokens = np.argsort(-likely[:, 1:], axis=1)[:, :N_KEPT] + 1
    shares = np.take_along_axis(likely, tokens, axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    return Heard(begins.astype(np.float16), tokens.astype(np.uint8), shares.astype(np.float16))
