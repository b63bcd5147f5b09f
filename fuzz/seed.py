#!/usr/bin/env python3
"""Makes the corpora that fuzzing starts from: python3 fuzz/seed.py. Written to fuzz/corpus/, which git ignores.

Recordings come from fixtures/audio, queries from the examples of docs/query-language.md; the rest is written here.
"""

import gzip
import hashlib
import pathlib
import re

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


def queries():
    text = (ROOT / "docs/query-language.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"`([^`\n]+)`", text)))


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
        for path in sorted((ROOT / "fixtures/audio").iterdir())
        if path.suffix not in (".md", ".sh", ".jsonl") and path.stat().st_size <= LARGEST_BYTES
    ]
    put("audio", recordings)
    put("arpa", [ARPA, ARPA.replace("\t", " "), gzip.compress(ARPA.encode(), mtime=0)])
    put("tokens", TOKENS)
    put("hotwords", HOTWORDS)
    put("query", queries())


if __name__ == "__main__":
    main()
