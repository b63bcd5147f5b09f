"""The network as an ONNX graph for streaming, its weights as int8 for each output channel.

Written node by node: the operators are plain ones that ONNX Runtime and tract both have, batch normalisation is folded
into the products, and a weight is its int8 constant, cast and multiplied by a scale for each output channel. Runtimes
fold that into float32 when they load, so that all of them compute the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from . import pinyin
from .features import HIGH_HZ, HOP, LOW_HZ, N_MELS, SAMPLE_RATE_HZ, WINDOW
from .model import CHUNK_FRAMES, STRIDE, Block, Level, Network, Norm, Pair

VERSION = "1"


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 values and float32 scales [out] of a weight [in, out], symmetric for each output channel."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-8).astype(np.float32) / 127
    return np.rint(weight / scale).clip(-127, 127).astype(np.int8), scale


def affine(norm: Norm) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation at work as a factor and an offset for each channel."""
    inner = norm.norm
    factor = inner.weight / torch.sqrt(inner.running_var + inner.eps)
    offset = inner.bias - inner.running_mean * factor
    return factor.detach().double().numpy(), offset.detach().double().numpy()


class _Graph:
    """Nodes and constants in the order in which they are used."""

    def __init__(self, state_size: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._at, self._caches, self._size = 0, [], state_size

    def node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, values: np.ndarray) -> str:
        return self.constant(np.asarray(values, np.float32))

    def cut(self, x: str, axis: int, first: int, last: int) -> str:
        bounds = [self.constant(np.array([value], np.int64)) for value in (first, last, axis)]
        return self.node("Slice", [x, *bounds])

    def shape(self, x: str, *dims: int) -> str:
        """Reshape, the batch left free in front."""
        return self.node("Reshape", [x, self.constant(np.array([-1, *dims], np.int64))])

    def extend(self, x: str, n_new: int, n_before: int, n_channels: int) -> str:
        """The frames remembered, then the new ones; what is remembered next is put aside."""
        size = n_before * n_channels
        before = self.shape(self.cut("state", 1, self._at, self._at + size), n_before, n_channels)
        self._at += size
        joined = self.node("Concat", [before, x], axis=1)
        self._caches.append(self.shape(self.cut(joined, 1, n_new, n_new + n_before), size))
        return joined

    def level(self, layer: Level, x: str) -> str:
        """The running mean of one chunk's speech taken off."""
        size = layer.n_channels + 1
        weight = layer.gate.weight.detach().numpy().T
        scores = self.node(
            "Add", [self.node("MatMul", [x, self.number(weight)]), self.number(layer.gate.bias.detach())]
        )
        counts = self.node("Sigmoid", [scores])
        both = self.node("Concat", [self.node("Mul", [x, counts]), counts], axis=2)
        added = self.node("MatMul", [self.number(np.ones((1, 1, CHUNK_FRAMES))), both])
        before = self.shape(self.cut("state", 1, self._at, self._at + size), 1, size)
        self._at += size
        sums = self.node("Add", [self.node("Mul", [before, self.number(np.array(layer.KEPT))]), added])
        self._caches.append(self.shape(sums, size))
        total = self.node("Add", [self.cut(sums, 2, size - 1, size), self.number(np.array(layer.FIRST))])
        mean = self.node("Div", [self.cut(sums, 2, 0, size - 1), total])
        return self.node("Sub", [x, mean])

    def packed(self) -> None:
        assert self._at == self._size
        self.nodes.append(helper.make_node("Concat", self._caches, ["next_state"], axis=1))

    def product(self, x: str, weight: np.ndarray, offset: np.ndarray | None) -> str:
        """x [B, T, in] times weight [in, out], plus an offset [out]."""
        values, scale = quantise(weight)
        cast = self.node("Cast", [self.constant(values)], to=TensorProto.FLOAT)
        y = self.node("MatMul", [x, self.node("Mul", [cast, self.number(scale)])])
        return y if offset is None else self.node("Add", [y, self.number(offset)])

    def pair(self, layer: Pair, x: str, n_frames: int) -> str:
        factor, offset = affine(layer.norm)
        n_pairs, width = n_frames // 2, 2 * layer.n_in
        pairs = self.shape(x, n_pairs, width)
        if layer.before:
            joined = self.extend(pairs, n_pairs, layer.before, width)
            windows = [self.cut(joined, 1, shift, shift + n_pairs) for shift in range(layer.before + 1)]
            pairs = self.node("Concat", windows, axis=2)
        weight = layer.product.weight.detach().double().numpy().T * factor
        return self.node("Relu", [self.product(pairs, weight, offset)])

    def block(self, layer: Block, x: str, n_frames: int) -> str:
        joined = self.extend(x, n_frames, layer.kernel - 1, layer.n_channels)
        factor, offset = affine(layer.norm_in)
        taps = layer.depthwise.weight.detach().double().numpy()[:, 0, 0].T * factor
        mixed = self.depthwise(joined, taps, n_frames)
        # The offset of the first normalisation goes through the product behind it.
        wide = layer.wide.weight.detach().double().numpy().T
        first_offset = layer.wide.bias.detach().double().numpy() + offset @ wide
        hidden = self.node("Relu", [self.product(mixed, wide, first_offset)])
        factor, offset = affine(layer.norm_out)
        narrow = layer.narrow.weight.detach().double().numpy().T * factor
        return self.node("Add", [x, self.product(hidden, narrow, offset)])

    def depthwise(self, joined: str, taps: np.ndarray, n_frames: int) -> str:
        """Each channel's frames by its own taps [kernel, C]: [B, T + kernel − 1, C] → [B, T, C]. As sums of products:
        runtimes are three times slower in a depthwise Conv over so few frames."""
        mixed = ""
        for tap, weight in enumerate(taps):
            part = self.node("Mul", [self.cut(joined, 1, tap, tap + n_frames), self.number(weight)])
            mixed = self.node("Add", [mixed, part]) if mixed else part
        return mixed


def build(network: Network) -> onnx.ModelProto:
    """The graph of a trained network."""
    sizes = network.sizes
    graph = _Graph(network.state_size())
    centred = graph.node("Sub", ["features", graph.number(network.mean.numpy())])
    x = graph.node("Mul", [centred, graph.number(network.scale.numpy())])
    x = graph.level(network.level, x)
    x = graph.pair(network.first, x, CHUNK_FRAMES)
    x = graph.pair(network.second, x, CHUNK_FRAMES // 2)
    n_frames = CHUNK_FRAMES // STRIDE
    for block in network.outer:
        x = graph.block(block, x, n_frames)
    slow = graph.pair(network.down, x, n_frames)
    for block in network.inner:
        slow = graph.block(block, slow, n_frames // 2)
    factor, offset = affine(network.norm_up)
    raised = graph.product(slow, network.up.weight.detach().double().numpy().T * factor, offset)
    twice = graph.shape(graph.node("Concat", [raised, raised], axis=2), n_frames, sizes.outer)
    x = graph.node("Relu", [graph.node("Add", [x, twice])])
    for block in network.last:
        x = graph.block(block, x, n_frames)
    head = network.head
    scores = graph.product(x, head.weight.detach().double().numpy().T, head.bias.detach().numpy())
    graph.nodes.append(helper.make_node("LogSoftmax", [scores], ["log_probs"], axis=-1))
    graph.packed()
    inputs = [_value("features", CHUNK_FRAMES, N_MELS), _value("state", network.state_size())]
    outputs = [_value("log_probs", n_frames, sizes.n_tokens), _value("next_state", network.state_size())]
    proto = helper.make_graph(graph.nodes, "telephony_8k", inputs, outputs, graph.constants)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], producer_name="auricle")
    model.ir_version = 8
    return model


def write_model(network: Network, folder: Path, delay_frames: int) -> None:
    """`model.onnx`, with metadata that tells an engine all it must know, and `tokens.txt` into a folder."""
    model = build(network)
    metadata = {
        "model_type": "telephony-8k-ctc",
        "version": VERSION,
        "sample_rate": SAMPLE_RATE_HZ,
        "n_mels": N_MELS,
        "low_hz": LOW_HZ,
        "high_hz": HIGH_HZ,
        "window_ms": 1000 * WINDOW // SAMPLE_RATE_HZ,
        "hop_ms": 1000 * HOP // SAMPLE_RATE_HZ,
        "chunk_frames": CHUNK_FRAMES,
        "stride": STRIDE,
        "delay_frames": delay_frames,
        "state_size": network.state_size(),
        "vocabulary_size": network.sizes.n_tokens,
    }
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model, full_check=True)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "model.onnx"))
    lines = [f"{token} {number}\n" for number, token in enumerate(pinyin.token_table())]
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")


def _value(name: str, *dims: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *dims])
