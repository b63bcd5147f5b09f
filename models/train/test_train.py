"""Checks of networks, training data and export, in seconds: `python -m train.test_train` from models/."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import tomllib
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from . import card, espeak, evaluate, export, features, speech, units
from .compose import Composer
from .ctc import delay_frames, taught, timed_ctc
from .fit import Batches
from .model import CHUNK_FRAMES, STRIDE, Network, Sizes
from .streaming import Streams
from .teacher import N_KEPT, Heard
from .units import N_COLUMNS, TAUGHT_FRAMES, Store, Unit
from .windows import DELAY, WINDOW_FRAMES


def test_chunks_hear_what_the_whole_hears() -> None:
    network = _network()
    heard = torch.randn(3, 4 * CHUNK_FRAMES, features.N_MELS)
    with torch.no_grad():
        whole, last = network(heard, torch.zeros(3, network.state_size()))
        state, pieces = torch.zeros(3, network.state_size()), []
        for first in range(0, heard.shape[1], CHUNK_FRAMES):
            piece, state = network(heard[:, first : first + CHUNK_FRAMES], state)
            pieces.append(piece)
    assert (torch.cat(pieces, dim=1) - whole).abs().max() < 1e-4
    assert (state - last).abs().max() < 1e-4


def test_export_hears_what_the_network_hears() -> None:
    """With weights as they are the graph is the network; with weights as int8 it stays close."""
    network = _network()
    heard = torch.randn(2, 4 * CHUNK_FRAMES, features.N_MELS)
    with torch.no_grad():
        expected = network(heard, torch.zeros(2, network.state_size()))[0].numpy()
    with mock.patch.object(export, "quantise", _kept_as_it_is):
        exact, _ = _exported(network, heard)
    assert np.abs(exact - expected).max() < 1e-4, np.abs(exact - expected).max()
    close, n_bytes = _exported(network, heard)
    assert 1e-4 < np.abs(close - expected).max() < 0.05 and n_bytes < 4_000_000, np.abs(close - expected).max()
    values, scale = export.quantise(np.random.default_rng(1).standard_normal((50, 7)))
    assert values.dtype == np.int8 and np.abs(values).max(axis=0).tolist() == [127] * 7 and scale.shape == (7,)


def _kept_as_it_is(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return weight.astype(np.float32), np.ones(weight.shape[1], np.float32)


def _exported(network: Network, heard: torch.Tensor) -> tuple[np.ndarray, int]:
    """What the exported network hears, chunk by chunk, and its size in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        export.write_model(network, Path(folder), 0)
        path = Path(folder) / "model.onnx"
        return Streams(path).hear(heard.numpy()), path.stat().st_size


def test_store_goes_on_where_it_was_stopped() -> None:
    """Stopped between recordings, and between the columns and the list that says how many of them hold."""
    draw = np.random.default_rng(4)
    sounds = [draw.standard_normal(800 + 240 * at).astype(np.float32) * 0.1 for at in range(7)]
    recordings = [units.Recording(sound, "hsk", "你", ["ni3"]) for sound in sounds]
    with tempfile.TemporaryDirectory() as name, mock.patch.object(units, "_SAVE_EVERY", 2):
        whole, stopped = Path(name) / "whole", Path(name) / "stopped"
        units.write_store(whole, recordings, 1, "whole")
        for count in (2, 4):
            try:
                units.write_store(stopped, _until(recordings, count), 1, "stopped")
            except InterruptedError:
                pass
            if count == 2:
                index = (stopped / "units.json").read_text()
        (stopped / "units.json").write_text(index)
        units.write_store(stopped, recordings, 1, "stopped")
        one, other = (units.read_stores([folder]) for folder in (whole, stopped))
        assert (stopped / "change.npy").read_bytes() == (whole / "change.npy").read_bytes()
    assert len(one.units) == 7 and one.units == other.units
    assert np.array_equal(one.frames, other.frames) and np.array_equal(one.change, other.change)


def _until(recordings: list[units.Recording], count: int) -> Iterator[units.Recording]:
    yield from recordings[:count]
    raise InterruptedError


def test_packages_are_unpacked_whole_or_not_at_all() -> None:
    """With an apt that stands in: what a run that was stopped left is cleared away, what fails says why."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(speech, "PACKAGES", {"asterisk": 1}):
        tools, nothing, folder = (Path(name) / part for part in ("tools", "nothing", "packages"))
        for made in (tools, nothing, folder / "gcin-voice.part"):
            made.mkdir(parents=True)
        (folder / "gcin-voice_0_all.deb").touch()
        (folder / "gcin-voice.part/half").touch()
        _tool(tools / "apt-get", 'touch "$3_1_all.deb"')
        _tool(tools / "dpkg-deb", 'mkdir "$3" && touch "$3/whole"')
        with mock.patch.dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"):
            speech.unpack(folder)
            found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
            assert found == ["asterisk/whole", "gcin-voice/whole"], found
            _tool(tools / "apt-get", 'echo "unable to locate $3" >&2; exit 100')
            speech.unpack(folder)
            assert "unable to locate gcin-voice" in _refusal(nothing) and "apt-get update" in _refusal(nothing)
        with mock.patch.dict(os.environ, PATH=str(nothing)):
            assert "needs `apt-get`" in _refusal(nothing)


def _tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _refusal(folder: Path) -> str:
    try:
        speech.unpack(folder)
    except SystemExit as error:
        return str(error)
    raise AssertionError("nothing was refused")


def test_card_tells_the_files_that_there_are() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in card.FILES:
            (folder / file).write_text(file)
        path = folder / "card.toml"
        path.write_text('name = "it"\n\n[[file]]\npath = "old"\n')
        for _ in range(2):
            card.write_files(path, folder)
        told = tomllib.loads(path.read_text())
    assert told["name"] == "it" and [row["path"] for row in told["file"]] == list(card.FILES)
    assert [row["size_bytes"] for row in told["file"]] == [len(file) for file in card.FILES]
    assert told["file"][0]["sha256"] == hashlib.sha256(b"model.onnx").hexdigest()


def test_delay_is_told_from_middle_to_middle() -> None:
    """A syllable that sounds in output frames 4 to 7 has its middle at 6; a token in frame 7 is 1.5 frames late."""
    log_probs = np.full((2, 20, 3), -9.0, np.float32)
    log_probs[:, :, 0] = 0.0
    log_probs[0, 7, 1] = log_probs[1, 19, 1] = 1.0
    spans = torch.tensor([[[4, 7 + DELAY]], [[0, 19]]])
    batch = (torch.zeros(2, 80, features.N_MELS), torch.ones(2, 1).long(), torch.ones(2).long(), spans)
    late = delay_frames(lambda heard: log_probs[: len(heard)], [(*batch, torch.tensor([False, True]))])
    assert late == 1.5 * STRIDE, late


def test_ctc_keeps_tokens_in_their_spans() -> None:
    scores = torch.zeros(1, 20, 5, requires_grad=True)
    tokens, counts = torch.tensor([[1, 2]]), torch.tensor([2])
    spans = torch.tensor([[[2, 6], [10, 14]]])
    optimiser = torch.optim.Adam([scores], 0.3)
    for _ in range(60):
        loss, ctc = timed_ctc(torch.log_softmax(scores, dim=2), tokens, counts, spans)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = evaluate.greedy(scores.detach()[0].numpy())
    assert ctc < 0.2 and [token for token, _ in found] == [1, 2]
    assert all(first <= at <= last for (_, at), (first, last) in zip(found, spans[0].tolist(), strict=True)), found


def test_teacher_is_heard_where_its_frames_are() -> None:
    begins = np.zeros(100, np.float16)
    begins[[10, 21, 32]] = 0.9
    tokens = np.tile(np.arange(1, N_KEPT + 1, dtype=np.uint8), (100, 1))
    shares = np.full((100, N_KEPT), 1 / N_KEPT, np.float16)
    place = np.full(WINDOW_FRAMES, -1.0)
    place[40:200] = 8.0 * TAUGHT_FRAMES + 2.3 * np.arange(160)
    told = taught(place, Heard(begins, tokens, shares))
    found = np.flatnonzero(told.begins > 0.5)
    expected = [(40 + (row - 8) * TAUGHT_FRAMES / 2.3) / STRIDE + DELAY for row in (10, 21, 32)]
    assert len(found) == 3 and np.abs(found - expected).max() <= 1, (found, expected)


def test_windows_are_the_same_for_a_seed() -> None:
    store, texts = _store()
    composer = Composer(store, texts)
    first, again = (Batches(store, composer, 5)[3] for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    heard, tokens, counts, spans, is_taught, *lesson = first
    assert is_taught.any() and {len(part) for part in lesson} == {int(is_taught.sum())}
    assert heard.shape[1:] == (WINDOW_FRAMES, features.N_MELS) and heard.isfinite().all()
    window = composer.window(random.Random(1))
    assert len(window.tokens) == len(window.spans) > 0
    assert all(0 <= begin <= end < WINDOW_FRAMES // STRIDE for begin, end in window.spans)
    assert counts.min() > 0 and spans.shape[:2] == tokens.shape


def test_espeak_says_syllables_with_times() -> None:
    speech = espeak.Synthesiser().say(espeak.Voice("f2", 200), hanzi="您好，绿色的女儿")
    assert [timed.syllable for timed in speech.syllables] == ["nin2", "hao3", "lv4", "se4", "de5", "nv3", "er2"]
    ends = [0.0, *(timed.end_secs for timed in speech.syllables)]
    assert all(
        before <= timed.start_secs + 1e-6 < timed.end_secs
        for before, timed in zip(ends, speech.syllables, strict=False)
    )
    assert ends[-1] <= len(speech.samples) / 8000 + 0.01 and 0.05 < np.abs(speech.samples).max() <= 1.0
    try:
        espeak.Synthesiser().say(espeak.Voice(), hanzi="兄弟")
    except ValueError as error:
        assert "xiong1" in str(error)
    else:
        raise AssertionError("an unspeakable syllable was spoken")


def test_espeak_says_low_voices_with_a_wide_range() -> None:
    # In a process of its own: espeak would not raise, it would end the process.
    with get_context("spawn").Pool(1) as pool:
        said = pool.apply_async(_low_and_wide).get(timeout=120)
    assert said == len(espeak.VARIANTS), said


def _low_and_wide() -> int:
    synthesiser = espeak.Synthesiser()
    voices = (espeak.Voice(variant, 170, pitch=0, pitch_range=100) for variant in espeak.VARIANTS)
    return sum(len(synthesiser.say(voice, hanzi="您好").syllables) == 2 for voice in voices)


def test_espeak_says_the_same_in_every_process() -> None:
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        first, again = pool.map(_say_with_breath, range(2), chunksize=1)
    assert first == again


def _say_with_breath(_: int) -> bytes:
    return espeak.Synthesiser().say(espeak.Voice("f2", 200), hanzi="您好，绿色的女儿").samples.tobytes()


def _network() -> Network:
    torch.manual_seed(0)
    network = Network(Sizes(194)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    network.mean.normal_(0, 0.5)
    network.scale.uniform_(0.5, 1.5)
    return network


def _store() -> tuple[Store, dict[str, list[tuple[str, list[str]]]]]:
    """Three syllables and two phrases of noise, one of them taught."""
    draw, units, at = np.random.default_rng(2), [], 0
    rows = [("hsk", "你", ["ni3"]), ("syl", "", ["hao3"]), ("pin", "", ["ma5"]), ("espeak", "你好", ["ni3", "hao3"])]
    rows.append(("speech", "", []))
    for voice, hanzi, syllables in rows:
        count = max(len(syllables), 1)
        bounds = [round(96 * part / count) for part in range(count + 1)]
        units.append(Unit(at, 96, voice, hanzi, syllables, bounds))
        at += 96
    frames = draw.standard_normal((at, N_COLUMNS)).astype(np.float16)
    frames[:, -1] = np.where(np.arange(at) % 96 < 60, 200.0, 0.0)
    clock = np.tile(np.linspace(0, 1, 96, dtype=np.float32), len(rows))
    n_taught = at // TAUGHT_FRAMES
    tokens = np.tile(np.arange(1, N_KEPT + 1, dtype=np.uint8), (n_taught, 1))
    shares = np.full((n_taught, N_KEPT), 1 / N_KEPT, np.float16)
    heard = Heard(np.where(np.arange(n_taught) % 4 == 1, 0.9, 0.1).astype(np.float16), tokens, shares)
    return Store(frames, clock, heard, units), {
        "domain": [("你好吗", ["ni2", "hao3", "ma5"]), ("你好", ["ni3", "hao3"])]
    }


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"ok {name}", flush=True)
