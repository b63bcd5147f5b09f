"""The exported model in ONNX Runtime, chunk by chunk, as an engine runs it; and how many streams a core carries."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnxruntime

from .features import HOP, SAMPLE_RATE_HZ


class Streams:
    """A session on one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        self.chunk_frames = int(self.metadata["chunk_frames"])
        self.state_size = int(self.metadata["state_size"])

    def step(self, features: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One chunk of all streams: [B, chunk, n_mels] and [B, S] → [B, chunk / stride, V] and [B, S]."""
        log_probs, next_state = self._session.run(None, {"features": features, "state": state})
        return log_probs, next_state

    def hear(self, features: np.ndarray) -> np.ndarray:
        """Whole recordings [B, T, n_mels], T a multiple of the chunk → [B, T / stride, V]."""
        state = np.zeros((len(features), self.state_size), np.float32)
        pieces = []
        for first in range(0, features.shape[1], self.chunk_frames):
            log_probs, state = self.step(features[:, first : first + self.chunk_frames], state)
            pieces.append(log_probs)
        return np.concatenate(pieces, axis=1)


def streams_per_core(path: Path, n_streams: int = 64, seconds: float = 2.0) -> float:
    """Streams that one thread keeps up with, the network alone, `n_streams` in one batch."""
    streams = Streams(path)
    n_mels = int(streams.metadata["n_mels"])
    features = np.random.default_rng(0).standard_normal((n_streams, streams.chunk_frames, n_mels), np.float32)
    state = np.zeros((n_streams, streams.state_size), np.float32)
    for _ in range(5):
        streams.step(features, state)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        _, state = streams.step(features, state)
        count += 1
    heard_secs = count * n_streams * streams.chunk_frames * HOP / SAMPLE_RATE_HZ
    return heard_secs / (time.perf_counter() - begin)
