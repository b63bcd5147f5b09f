"""What scripts share that speak calls into `auricle serve` and count what becomes of them."""
import array
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

PACKET_SECS = 0.02


def legs_of(path):
    """Two channels of 16-bit samples at 8 kHz, from a WAVE file of linear, A-law or µ-law samples (RFC 2361)."""
    with open(path, "rb") as file:
        riff = file.read()
    chunks, at = {}, 12
    while at + 8 <= len(riff):
        size = struct.unpack_from("<I", riff, at + 4)[0]
        chunks.setdefault(riff[at : at + 4], riff[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    coding, n_channels, rate_hz = struct.unpack_from("<HHI", chunks[b"fmt "])
    if (n_channels, rate_hz) != (2, 8000) or coding not in DECODED:
        return None
    samples = DECODED[coding](chunks[b"data"])
    return [samples[channel::2].tobytes() for channel in (0, 1)]


def mu_law(code):
    """ITU-T G.711."""
    code = ~code
    magnitude = ((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def a_law(code):
    """ITU-T G.711."""
    code ^= 0x55
    segment, magnitude = code >> 4 & 7, (code & 0x0F) << 4
    magnitude = magnitude + 8 if segment == 0 else magnitude + 0x108 << segment - 1
    return magnitude if code & 0x80 else -magnitude


def by_table(decode):
    table = [decode(code) for code in range(256)]
    return lambda codes: array.array("h", (table[code] for code in codes))


# By the code of WAVE files.
DECODED = {1: lambda samples: array.array("h", samples), 6: by_table(a_law), 7: by_table(mu_law)}


class Server:
    """The program at work on one folder; `through` is a command that starts it, `more` is added to its configuration."""

    def __init__(self, binary, folder, through=(), more=""):
        config = os.path.join(folder, "auricle.toml")
        with open(config, "w") as out:
            out.write("[live.audiosocket]\nlisten = '127.0.0.1:0'\n" + more)
        command = [binary, "--config", config, "--data", os.path.join(folder, "data"), "serve", "--listen", "127.0.0.1:0"]
        # What starts it may stay between: both get the signal.
        self.process = subprocess.Popen([*through, *command], stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.audiosocket = self.address = None
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            if line.startswith("listening: AudioSocket on "):
                host, port = line.split()[-1].rsplit(":", 1)
                self.audiosocket = (host, int(port))
            elif line.startswith("listening: http://"):
                self.address = line.split()[1]
                break
        if self.address is None:
            sys.exit("".join(self.said))
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def text(self, path):
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return answer.read().decode()

    def metric(self, name):
        """A number of `/metrics` that has no labels."""
        values = (line.split()[1] for line in self.text("/metrics").splitlines() if line.startswith(name + " "))
        return float(next(values))

    def json(self, path):
        try:
            return json.loads(self.text(path))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


class Watcher(threading.Thread):
    """Reads what is told until the program is killed: finals and alerts of each call."""

    def __init__(self, server, after=None):
        super().__init__(daemon=True)
        query = "" if after is None else f"?after={after}"
        self.stream = urllib.request.urlopen(server.address + "/api/v1/live" + query, timeout=60)
        self.finals, self.alerts, self.ended = [], {}, set()
        # Of events: all, those that are no partials, those that webhooks are sent here.
        self.ids, self.lasting, self.sent_on = [], [], []
        self.start()

    def run(self):
        try:
            for line in self.stream:
                if line.startswith(b"data: {"):
                    self.take(json.loads(line[6:]))
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def take(self, event):
        self.ids.append(event["id"])
        if event["type"] != "partial":
            self.lasting.append(event["id"])
        if event["type"] in ("alert", "call_ended"):
            self.sent_on.append(event["id"])
        if event["type"] == "call_ended":
            self.ended.add(event["call_id"])
        elif event["type"] == "final":
            self.finals.append((event["call_id"], event["utterance"]))
        elif event["type"] == "alert" and event["state"] in ("raised", "confirmed"):
            self.alerts[event["alert_id"]] = (event["call_id"], event["hit"]["rule"])

    def lost(self, server, saved):
        """Finals and alerts that were told and are not there any more."""
        def is_kept(call, final):
            alike = (kept for kept in saved[call]["utterances"] if kept["channel"] == final["channel"])
            return any(kept["start_ms"] == final["start_ms"] and kept["text"] == final["text"] for kept in alike)

        finals = [(call, final["text"]) for call, final in self.finals if call in saved and not is_kept(call, final)]
        kept = {}
        for call in saved:
            listed = server.json("/api/v1/alerts?limit=1000&call=" + call)["alerts"]
            kept[call] = {alert["hit"]["rule"] for alert in listed if alert["state"] != "withdrawn"}
        alerts = [(call, rule) for call, rule in self.alerts.values() if call in saved and rule not in kept[call]]
        return finals, alerts


class Leg(threading.Thread):
    """Speaks one leg until nobody listens; knows when how much was sent."""

    def __init__(self, address, call, audio):
        super().__init__(daemon=True)
        self.stream = socket.create_connection(address)
        self.stream.sendall(struct.pack(">BH", 1, 16) + call.bytes)
        self.audio, self.sent = audio, []
        self.send(audio[:320])

    def send(self, samples):
        self.stream.sendall(struct.pack(">BH", 0x10, len(samples)) + samples)
        self.sent.append(time.monotonic())

    def run(self):
        began = time.monotonic()
        try:
            for number in range(1, len(self.audio) // 320):
                time.sleep(max(0.0, began + number * PACKET_SECS - time.monotonic()))
                self.send(self.audio[320 * number:320 * (number + 1)])
            self.stream.close()
        except OSError:
            pass

    def secs_before(self, moment):
        return PACKET_SECS * sum(at <= moment for at in self.sent)

    def secs(self):
        return PACKET_SECS * len(self.sent)


def speak(server, audio, n_calls):
    calls = {}
    for number in range(n_calls):
        call = uuid.uuid4()
        legs = []
        for channel in audio[number % len(audio)]:
            legs.append(Leg(server.audiosocket, call, channel))
            # The first connection is the agent's.
            time.sleep(0.02)
        for leg in legs:
            leg.start()
        calls[str(call)] = legs
    return calls


def short_calls(server, sent):
    """Saved calls of which a leg has less audio than was sent of it, by `sent`: seconds of each leg, by call. Silence put in is no
    audio. Gives a line for each."""
    legs = {call["call_id"]: call.get("legs", []) for call in saved_calls(server)}
    told = ((call, short_legs(legs.get(call, []), secs)) for call, secs in sent.items())
    return [f"{call} has {' and '.join(short)}" for call, short in told if short]


def short_legs(legs, sent):
    """Legs lie by channel, as they were spoken. One that is not there has no audio."""
    received = [leg["received_ms"] / 1000 for leg in legs] + [0.0] * (len(sent) - len(legs))
    return [f"{came:.2f} of {secs:.2f} s" for came, secs in zip(received, sent) if came < secs - PACKET_SECS]


def saved_calls(server):
    """As `/api/v1/calls` lists them, of all pages."""
    after = ""
    while True:
        page = server.json("/api/v1/calls?limit=1000" + after)
        yield from page["saved"]
        if "next" not in page:
            return
        after = "&after=" + urllib.parse.quote(page["next"])


def wait_saved(server, calls, patience_secs=300):
    """Saved calls by name, as far as they come in time."""
    saved, until = {}, time.monotonic() + patience_secs
    while len(saved) < len(calls) and time.monotonic() < until:
        for call in calls.keys() - saved.keys():
            found = server.json("/api/v1/calls/" + call)
            if found is not None:
                saved[call] = found
        time.sleep(0.1)
    return saved


def recordings_in(folder):
    """Legs of all recordings in a folder that can be spoken."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".wav"))
    audio = [legs for name in names if (legs := legs_of(os.path.join(folder, name)))]
    if not audio:
        sys.exit("no stereo recordings at 8 kHz, 16 bits, in " + folder)
    return audio
