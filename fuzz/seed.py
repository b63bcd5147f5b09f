#!/usr/bin/env python3
"""Makes the corpora that fuzzing starts from: python3 fuzz/seed.py. Written to fuzz/corpus/, which git ignores.

Recordings come from fixtures/audio, queries from the examples of docs/query-language.md, packs from docs/rules.md
and pipeline/insight/tests, score cards from docs/scorecards.md and packs/cards, emotion weights from models/emotion, an
encoder from an example of models/networks, bodies from the tests of crm/store/bodies, a recording of a live call from
the tests of pipeline/live/spool, queries and messages of live connections from docs/ingest; the rest is written here.
"""

import gzip
import hashlib
import pathlib
import re
import struct
import subprocess
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST_BYTES = 256 * 1024

ARPA = """\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1.0\t<s>\t-0.3
-0.7\t</s>
-2.1\t<unk>
-0.5\t我\t-0.2
-0.9\t是

\\2-grams:
-0.2\t<s> 我\t-0.1
-0.3\t我 是
-0.4\t是 </s>

\\3-grams:
-0.05\t<s> 我 是

\\end\\
"""
TOKENS = [
    "<blk> 0\n<sos/eos> 1\n<unk> 2\nzh 3\nǎo 4\nb 5\nàng 6\n",
    "<blk> 0\n你 1\n好 2\n吗 3\n",
    "<blk>\t0\n▁HE 1\nLLO 2\n▁ 3\n  4\n",
]
HOTWORDS = ["安心贷\n征信 2.5\n# 产品\n招联好期贷 zhao1 lian2 hao3 qi1 dai4\n金海银行 jin1 hai3 yin2 hang2 3\n"]

CALLS = [
    "请问联系电话是多少\n一三八零零\n嗯\n零零一二三四\n",
    "卡号\n四一一一，一一一一，不对，一一一一，一一一一，一一一一\n好的\n",
    "身份证一一零一零五一九四九一二三一零零二叉\t身份证11010519491231002X\n",
    "邮箱是zhangsan艾特qq点com\n车牌粤B一二三四五\n护照E一二三四五六七八\n",
    "my number is one three eight double oh double oh one two three four\n",
    "订单号是六二二八四八零四零二五六四八九零\n三万五千八百块\n",
]


def field(number, value):
    """One field of a protobuf message: a number, or bytes."""

    def varint(n):
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, dims):
    n_values = 1
    for dim in dims:
        n_values *= dim
    values = struct.pack(f"<{n_values}f", *((at % 7 - 3) / 4 for at in range(n_values)))
    return b"".join(field(1, dim) for dim in dims) + field(2, 1) + field(8, name) + field(9, values)


def onnx(nodes, tensors, metadata):
    """A model of nodes (operation, inputs, output), constants by name and shape, and metadata."""
    graph = b""
    for operation, inputs, output in nodes:
        turned = field(5, field(1, "transB") + field(3, 1)) if operation == "Gemm" else b""
        graph += field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operation) + turned)
    graph += b"".join(field(5, tensor(name, dims)) for name, dims in tensors.items())
    pairs = b"".join(field(14, field(1, key) + field(2, value)) for key, value in metadata.items())
    return field(1, 7) + field(7, graph) + pairs


def encoder():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "encoder.onnx"
        command = "cargo run --quiet -p auricle-networks --example tiny_encoder --".split()
        subprocess.run([*command, path], cwd=ROOT, check=True)
        return path.read_bytes()


def weights():
    decoder = onnx(
        [("Gemm", ["x", "decoder_proj.weight", "decoder_proj.bias"], "decoder_out")],
        {
            "decoder.embedding.weight": [5, 4],
            "decoder.conv.weight": [4, 2, 2],
            "decoder_proj.weight": [3, 4],
            "decoder_proj.bias": [3],
        },
        {"context_size": "2", "vocab_size": "5"},
    )
    joiner = onnx(
        [("MatMul", ["x", "w"], "product"), ("Add", ["output_linear.bias", "product"], "logit")],
        {"w": [3, 5], "output_linear.bias": [5]},
        {"joiner_dim": "3"},
    )
    return [encoder(), decoder, joiner, onnx([], {}, {"model_type": "zipformer2", "T": "45", "decode_chunk_len": "32"})]


def queries():
    text = (ROOT / "docs/query-language.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"`([^`\n]+)`", text)))


def packs():
    handbook = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    written = re.findall(r"```yaml\n(pack:.*?)```", handbook, re.DOTALL)
    files = sorted((ROOT / "pipeline/insight/tests/packs").glob("*.yaml"))
    return written + [path.read_text(encoding="utf-8") for path in files]


def cards():
    handbook = (ROOT / "docs/scorecards.md").read_text(encoding="utf-8")
    written = re.findall(r"```yaml\n(card:.*?)```", handbook, re.DOTALL)
    files = sorted((ROOT / "packs/cards").glob("*.yaml"))
    return written + [path.read_text(encoding="utf-8") for path in files]


def intent_model():
    """A small model, as pipeline/insight/src/intent/file.rs describes it."""
    classes = "not: 不 别\nquestion: 吗\ncall: 打电话 call\n".encode()
    body = b"AURINTNT" + struct.pack("<HH", 2, 1) + bytes([len(classes)]) + classes + bytes([2])
    for party, label in ((0, b"promise"), (1, b"opt_out")):
        body += bytes([party, 1, len(label)]) + label + struct.pack("<5f", -1.0, 1.2, 0.1, 0.6, 0.05)
        # Three features: 5 buckets apart, one weight each.
        body += bytes([3]) + b"".join(bytes([5, 1, 0, steps]) for steps in (20, 250, 90))
    body += bytes([2, 5, 3, 5, 4])
    digest = 0xCBF29CE484222325
    for byte in body:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return body + struct.pack("<Q", digest)


def emotion():
    least = '{"name": "x", "units": {"secs": 1}, "most_units": 3, "arousal": {}, "labels": {"sad": {"bias": 9}}}'
    return [(ROOT / "models/emotion/hand-set.json").read_text(encoding="utf-8"), least]


def text_rules():
    phrases = ["<g>..<p>", "^[喂](您好|你好)", "保证..4收益$", "risk free"]
    return [f"{phrase}\n{text}" for phrase in phrases for text in ("喂您好我保证有收益", "it is risk-free, 没有不会亏")]


def bodies():
    """Bodies as the tests of crm/store/bodies have them, and the same kinds of values in older encodings."""
    tests = (ROOT / "crm/store/bodies/src/tests.rs").read_text(encoding="utf-8")
    written = re.findall(r'const FIRST_\w+: &str = "([0-9a-f\\\s]+)";', tests)
    packed = [bytes.fromhex(re.sub(r"[\\\s]", "", text)) for text in written]
    empty = '{"call_id":"c","file":"","duration_ms":0,"engine":"","utterances":[]}'
    return packed + [empty, zlib.compress(empty.encode())]


def spool():
    """A recording, a part of it, edits (offset, mask; see the target), and the records of a chunk."""
    recording = (ROOT / "pipeline/live/spool/tests/first.arec").read_bytes()
    edits = struct.pack("<HB", 9100, 1) + struct.pack("<HB", 0, 128)
    full, more = bytes([0x30, 0, 0xC0, 0x3E, 0, 4]) + b"abcd", b"\x00efgh" + b"\x10\x02ij" + b"\x20\x08\x02kl"
    return [recording, recording[:9000], edits, full + more + b"\x41\x02{}"]


def audiosocket():
    """Connections, each behind a byte that says how it is cut: an id, audio at two rates, a digit, an error, the end."""

    def frame(kind, payload):
        return struct.pack(">BH", kind, len(payload)) + payload

    ident = frame(0x01, bytes.fromhex("40325ec25efd4bd3805f53576e581d13"))
    call = frame(0x10, b"\0\1" * 160) + frame(0x12, b"\0\1" * 8) + frame(0x03, b"5") + frame(0x00, b"")
    return [b"\x06" + ident + call, b"\x00" + call, b"\x13" + frame(0x02, b"x") + frame(0xFF, b"\1"), b"\x02GET / HTTP/1.1\r\n"]


def websocket():
    """Queries and JSON of docs/ingest, and audio, each behind a byte that says how audio is cut."""
    pages = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/ingest").glob("*.md"))]
    queries = [query for page in pages for query in re.findall(r"\?([a-z_]+=[^\s`'\"]*)", page)]
    messages = [text for page in pages for text in re.findall(r"\{\"[^\n`]*\}", page)]
    listen = "encoding=mulaw&sample_rate=8000&channels=2&multichannel=true&endpointing=300&utterance_end_ms=1000"
    more = "&interim_results=true&keyterm=%E5%AE%89&keywords=a:1.5&extra=call_id:c-1&redact=pci&diarize=true&language=zh"
    texts = sorted(set(queries + messages)) + ["\n".join(messages), listen + more]
    return [bytes([at % 7]) + text.encode() for at, text in enumerate(texts)] + [b"\x04" + bytes(range(250))]


def put(target, seeds):
    folder = ROOT / "fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        data = seed.encode() if isinstance(seed, str) else seed
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{target}: {len(list(folder.iterdir()))} seeds")


def main():
    recordings = [
        path.read_bytes()
        for path in sorted((ROOT / "fixtures/audio").rglob("*"))
        if path.is_file()
        and path.suffix not in (".md", ".sh", ".jsonl")
        and path.stat().st_size <= LARGEST_BYTES
    ]
    put("audio", recordings)
    put("arpa", [ARPA, ARPA.replace("\t", " "), gzip.compress(ARPA.encode(), mtime=0)])
    put("tokens", TOKENS)
    put("hotwords", HOTWORDS)
    put("query", queries())
    put("masks", CALLS)
    put("weights", weights())
    put("packs", packs())
    put("cards", cards())
    put("intents", [intent_model()])
    put("emotion", emotion())
    put("text_rules", text_rules())
    put("bodies", bodies())
    put("spool", spool())
    put("audiosocket", audiosocket())
    put("websocket", websocket())


if __name__ == "__main__":
    main()
