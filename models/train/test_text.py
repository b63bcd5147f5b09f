"""Checks of what needs numpy and pypinyin alone, in seconds: `python -m train.test_text` from models/."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from . import evaluate, features, language, pinyin


def test_pinyin_goes_to_tokens_and_back() -> None:
    table = pinyin.token_table()
    assert len(set(table)) == len(table) == 194 and table[0] == "<blk>"
    for syllable in "zhuang1 er2 lv4 nve4 yuan2 wu3 jiu3 dui4 ma5 yi1 xue2 weng1 a5 shi4".split():
        tokens = pinyin.tokens_of(syllable)
        assert tokens and set(tokens) <= set(table), syllable
        assert pinyin.syllables_of(tokens) == [syllable], syllable
    expected = {"zhuang1": ["zh", "uāng"], "er2": ["ér"], "nve4": ["n", "üè"], "jiu3": ["j", "iǔ"], "ma5": ["m", "a"]}
    assert {syllable: pinyin.tokens_of(syllable) for syllable in expected} == expected
    assert pinyin.read_aloud("女儿，绿色。") == ["nv3", "er2", "lv4", "se4"]


def test_sandhi_changes_what_is_spoken_only_where_speech_does() -> None:
    assert pinyin.sandhi("你好", ["ni3", "hao3"]) == ["ni2", "hao3"]
    assert pinyin.sandhi("不去", ["bu4", "qu4"]) == ["bu2", "qu4"]
    assert pinyin.sandhi("一定一天", ["yi1", "ding4", "yi1", "tian1"]) == ["yi2", "ding4", "yi4", "tian1"]
    assert pinyin.sandhi("", ["wo3", "he2"]) == ["wo3", "he2"]


def test_features_are_kaldis() -> None:
    """Beside Kaldi's own on a whole recording that ends within a frame."""
    try:
        import kaldi_native_fbank
    except ImportError:
        print("skipped: test_features_are_kaldis needs kaldi_native_fbank")
        return
    samples = np.random.default_rng(3).standard_normal(8037).astype(np.float32) * 0.1
    samples[3000:4000] = 0.0
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = features.SAMPLE_RATE_HZ, 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = features.N_MELS
    options.mel_opts.low_freq, options.mel_opts.high_freq = features.LOW_HZ, features.HIGH_HZ
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(features.SAMPLE_RATE_HZ, samples.tolist())
    bank.input_finished()
    expected = np.stack([bank.get_frame(at) for at in range(bank.num_frames_ready)])
    found = features.log_mel(samples)
    assert found.shape == expected.shape == (100, features.N_MELS)
    assert np.abs(found - expected).max() < 1e-3, np.abs(found - expected).max()


def test_search_hears_legal_syllables_and_knows_what_follows() -> None:
    model = language.count([(1.0, ["ni3", "hao3"]), (1.0, ["ni3", "hao3", "ma5"]), (1.0, ["bao4", "gao4"])] * 5, 100)
    for before in ("ni3", "ma5", language.BEGIN):
        whole = sum(np.exp(model.log_prob(before, syllable)) for syllable in model.alone)
        assert abs(whole - 1) < 0.01, (before, whole)
    with tempfile.TemporaryDirectory() as folder:
        language.write(model, Path(folder) / "lm")
        again = language.read(Path(folder) / "lm")
    assert abs(again.log_prob("ni3", "hao3") - model.log_prob("ni3", "hao3")) < 0.01
    table = pinyin.token_table()
    frames = np.full((8, len(table)), 1e-4)
    for at, heard in {0: {"n": 0.9}, 1: {"ǐ": 0.9}, 3: {"g": 0.5, "h": 0.45}, 4: {"ǎo": 0.9}, 6: {"x": 0.6}}.items():
        for token, share in heard.items():
            frames[at, table.index(token)] = share
    frames[:, 0] = 1 - frames[:, 1:].sum(axis=1)
    log_probs = np.log(frames / frames.sum(axis=1, keepdims=True))
    assert evaluate.best_row(log_probs) == ["ni3", "gao3"]
    assert language.Search(again)(log_probs) == ["ni3", "hao3"]


def test_errors_are_counted() -> None:
    score = evaluate.Score()
    score.add(["ni3", "hao3", "ma5"], ["ni3", "hao4"])
    assert (score.n_syllables, score.n_toned, score.n_toneless) == (3, 2, 1)


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"ok {name}", flush=True)
