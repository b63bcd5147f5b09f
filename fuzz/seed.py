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


def sdp():
    """Offers: of a recording, with keys, held, of everything else, and cut off."""
    head = "v=0\r\no=- 17 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    audio = "m=audio {} RTP/AVP 8 0 9 101 13\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    audio += "a=sendonly\r\na=label:{}\r\n"
    recording = head + audio.format(4000, 1) + audio.format(4002, 2)
    secure = head + "m=audio 4000 RTP/SAVP 96 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 L16/16000\na=rtcp-mux\n"
    secure += "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH|2^20|1:4\n"
    secure += "a=crypto:2 AEAD_AES_128_GCM inline:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==\n"
    held = recording.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0").replace("sendonly", "inactive")
    other = head.replace("IP4 192.0.2.1", "IP6 2001:db8::1") + "m=video 0 RTP/AVP 99\nm=image 9 udptl t38\na=rtcp:53020 IN IP6 ::1\n"
    return [recording, secure, held, other, recording[:150]]


def siprec():
    """Bodies of two parts, and the documents of calls with zero bytes between them: begun, held, put through, over."""

    def document(mode, inside):
        return f"<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>{mode}</datamode>{inside}</recording>"

    def person(at, address):
        return f"<participant participant_id='p{at}'><nameID aor='{address}'><name>A</name></nameID></participant>"

    def sends(at, streams):
        return f"<participantstreamassoc participant_id='p{at}'>{streams}</participantstreamassoc>"

    streams = "".join(f"<stream stream_id='t{at}' session_id='s'><label>{at}</label></stream>" for at in (1, 2))
    people = person(1, "sip:8001@a.example") + person(2, "tel:+8613800138000")
    both = sends(1, "<send>t1</send><recv>t2</recv>") + sends(2, "<send>t2</send>")
    session = "<session session_id='AAAAAAAAAAAAAAAAAAAAAQ=='><sipSessionID>a;remote=b</sipSessionID></session>"
    begun = document("complete", session + people + streams + both)
    held = document("partial", sends(1, "<recv>t2</recv>") + sends(2, "<send>t2</send>"))
    taken_over = document("partial", person(3, "sip:%38003@a.example") + sends(3, "<send>t1</send>"))
    end = "<disassociate-time>2026-01-02T03:05:00Z</disassociate-time>"
    over = document("partial", f"<participant participant_id='p2'>{end}</participant>")
    draft = "<recording_metadata><dataMode>complete</dataMode><session id='s'>"
    draft += "<x:ucid>00FA080019001038F725B3;encoding=hex</x:ucid></session>"
    draft += "<participant id='p' session='s'><aor>sip:8001</aor><send><id>t</id></send><x:callingParty>true</x:callingParty>"
    draft += "<x:header label='Call-ID'><value>a&#64;b</value></x:header></participant>"
    draft += "<stream id='t'><label>1</label><mode>mixed</mode></stream></recording_metadata>"
    body = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\nContent-Type: application/rs-metadata+xml\r\n"
    body += f"\r\n{begun}\r\n--b--\r\n"
    return [body, "\0".join([begun, held, taken_over, over]), "\0".join([draft, begun]), begun.replace("A<", "A" * 70 + "<")]


def rtp():
    """Datagrams, each behind its length, the time since the one before and whose it is: speech, digits, noise, reports."""

    def own(datagram, step=164, who=1):
        return struct.pack(">BHB", len(datagram), step, who) + datagram

    def packet(kind, number, ticks, payload, source=7):
        return own(struct.pack(">BBHII", 0x80, kind, number, ticks, source) + payload)

    speech = [packet(0, 65534 + at & 65535, 160 * at, bytes([0xD5]) * 160) for at in range(8)]
    key = [struct.pack(">BBH", 5, 10 | (128 if at > 2 else 0), 160 * at) for at in range(5)]
    digit = [packet(101 | (0 if at else 128), 6 + at, 1280, payload) for at, payload in enumerate(key)]
    noise = packet(13, 11, 2080, b"\x40")
    report = own(struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 0xE0000000, 0, 1280, 8, 1280) + struct.pack(">BBHI", 0x81, 203, 1, 7))
    late = speech[:2] + speech[3:5] + speech[2:3] + speech[4:]
    extended = own(b"\xb1\x00\x00\x05\0\0\0\1\0\0\0\7\0\0\0\1\xbe\xde\0\1\x10\xff\0\0" + b"\xff" * 160 + b"\0\0\0\4")
    return [b"".join(speech + digit + [noise, report]), b"".join(late), extended, packet(11, 1, 1, b"\0\1" * 80, source=9) * 3]


def twilio():
    """What follows a start: audio, a key, a mark, the end; and a start of its own."""
    media = '{"event":"media","sequenceNumber":"%d","streamSid":"MZ","media":{"track":"%s","chunk":"%d","timestamp":"%d","payload":"%s"}}'
    audio = [media % (2 + at, ("inbound", "outbound")[at % 2], 1 + at // 2, 20 * (at // 2), "/////w==") for at in range(6)]
    digit = '{"event":"dtmf","streamSid":"MZ","sequenceNumber":"8","dtmf":{"track":"inbound_track","digit":"1"}}'
    mark = '{"event":"mark","sequenceNumber":"9","streamSid":"MZ","mark":{"name":"m"}}'
    stop = '{"event":"stop","sequenceNumber":"10","streamSid":"MZ","stop":{"accountSid":"AC","callSid":"CA"}}'
    start = '{"event":"start","sequenceNumber":"1","streamSid":"MZ","start":{"streamSid":"MZ","callSid":"CA","tracks":["inbound"],'
    start += '"customParameters":{"agent":"1002","queue":"spring","key":"k"},'
    start += '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
    connected = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
    return ["\n".join([*audio, digit, mark, stop]), "\n".join([connected, start, *audio]), "inbound=agent&language=zh-CN&campaign=spring"]


def chan_websocket():
    """Events and audio, each behind a byte that says before which of them the start comes."""
    line = "MEDIA_START connection_id:media channel:WebSocket/media/0x51 format:ulaw optimal_frame_size:160"
    written = '{"event":"MEDIA_START","format":"slin16","channel_variables":{"AURICLE_CALL_ID":"c-1","AURICLE_PARTY":"agent"}}'
    others = ["DTMF_END digit:5 channel_id:1.2", "MEDIA_XOFF", '{"event":"STATUS","queue_length":0}', "ERROR error:none"]
    events = [line, written, *others]
    audio = bytes(at for at in range(200) if at != 10)
    return [b"\x00" + "\n".join(events).encode(), b"\x02" + b"\n".join([audio] * 4), b"\x01call_id=c-1&party=agent&language=zh-CN"]


def audiohook():
    """A signature and what it is of, then messages of a session, one a line."""
    ident = "40325ec2-5efd-4bd3-805f-53576e581d13"
    signature = "sig1=:" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" + ":"
    parts = "@request-target @authority audiohook-organization-id audiohook-session-id audiohook-correlation-id x-api-key".split()
    quoted = " ".join(f'"{part}"' for part in parts)
    signed = f'sig1=({quoted});keyid="key";nonce="VGhpcyBpcyBhIG5vbmNl";alg="hmac-sha256";created=1795000000;expires=1795000010'

    def message(kind, number, parameters, position="PT0S"):
        head = f'"version":"2","id":"{ident}","type":"{kind}","seq":{number},"serverseq":0'
        return f'{{{head},"position":"{position}","parameters":{parameters}}}'

    paused = '{"discarded":"PT1.5S","start":"PT0.5S"}'
    session = [
        message("ping", 2, '{"rtt":"PT0.0125S"}'),
        message("update", 3, '{"language":"zh-CN"}'),
        message("discarded", 4, paused, "PT2S"),
        message("paused", 5, "{}", "PT2S"),
        message("resumed", 6, '{"start":"PT2S","discarded":"PT3S"}', "PT5S"),
        message("dtmf", 7, '{"digit":"1"}', "PT5.5S"),
        message("close", 8, '{"reason":"end"}', "PT6S"),
    ]
    probe = message("error", 2, '{"code":408,"message":"x"}')
    return ["\n".join([signature, signed, *session]), "\n".join([signature, signed, probe]), signature + "\n" + signed.replace('"', "", 3)]


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
    put("sdp", sdp())
    put("siprec", siprec())
    put("rtp", rtp())
    put("twilio", twilio())
    put("chan_websocket", chan_websocket())
    put("audiohook", audiohook())


if __name__ == "__main__":
    main()
