#!/usr/bin/env python3
"""Kills `auricle serve` over and over under load, and counts what is lost.

    benches/kill_serve.py target/release/auricle RECORDINGS --rounds 20 --calls 10

Each round starts the program on one data folder, speaks calls of two legs over AudioSocket at the pace of speech, and
kills it with SIGKILL at a random moment. The next start has to find every call, hear it again and save it. A call is lost
if it is not saved; audio is lost if what was sent more than a second before the kill is not in the call's length; an
utterance or an alert is lost if a watcher was told it before the kill and it is not among the saved ones.
"""
import argparse
import array
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

PACKET_SECS = 0.02
DURABLE_SECS = 1.0


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
    """The program at work on one folder."""

    def __init__(self, binary, folder):
        config = os.path.join(folder, "auricle.toml")
        with open(config, "w") as out:
            out.write("[live.audiosocket]\nlisten = '127.0.0.1:0'\n")
        command = [binary, "--config", config, "--data", os.path.join(folder, "data"), "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
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

    def json(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Watcher(threading.Thread):
    """Reads what is told until the program is killed: finals and alerts of each call."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.stream = urllib.request.urlopen(server.address + "/api/v1/live", timeout=60)
        self.finals, self.alerts = [], {}
        self.start()

    def run(self):
        try:
            for line in self.stream:
                if line.startswith(b"data: {"):
                    self.take(json.loads(line[6:]))
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def take(self, event):
        if event["type"] == "final":
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
        except OSError:
            pass

    def secs_before(self, moment):
        return PACKET_SECS * sum(at <= moment for at in self.sent)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recordings", help="folder of stereo recordings at 8 kHz, 16 bits")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--secs", type=float, default=20.0, help="the latest moment of a kill")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    names = sorted(name for name in os.listdir(args.recordings) if name.endswith(".wav"))
    audio = [legs for name in names if (legs := legs_of(os.path.join(args.recordings, name)))]
    if not audio:
        sys.exit("no stereo recordings at 8 kHz, 16 bits, in " + args.recordings)
    n_lost = n_short = n_calls = n_told = n_untold = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(args.binary, folder)
        for number in range(args.rounds):
            watcher = Watcher(server)
            calls = speak(server, audio, args.calls)
            time.sleep(chance.uniform(1.0, args.secs))
            killed_at = time.monotonic()
            server.kill()
            began = time.monotonic()
            server = Server(args.binary, folder)
            saved = wait_saved(server, calls)
            took = time.monotonic() - began
            n_calls += len(calls)
            n_lost += len(calls) - len(saved)
            for call, found in saved.items():
                sent = max(leg.secs_before(killed_at - DURABLE_SECS) for leg in calls[call])
                n_short += found["duration_ms"] / 1000 < sent - PACKET_SECS
                if not any("recovered" in warning for warning in found.get("warnings", [])):
                    print(f"round {number + 1}: {call} is not marked")
            watcher.join(timeout=10)
            finals, alerts = watcher.lost(server, saved)
            for call, what in finals + alerts:
                print(f"round {number + 1}: {call} has lost: {what}")
            n_told += len(watcher.finals) + len(watcher.alerts)
            n_untold += len(finals) + len(alerts)
            told = f"{len(watcher.finals)} finals and {len(watcher.alerts)} alerts were told"
            print(f"round {number + 1}: {len(calls)} calls, {len(saved)} found again in {took:.1f} s; {told}", flush=True)
        server.stop()
    print(f"{args.rounds} kills, {n_calls} calls: {n_lost} lost, {n_short} with less audio than was sent a second before the kill")
    print(f"{n_told} finals and alerts were told before: {n_untold} lost")
    sys.exit(n_lost + n_short + n_untold > 0)


if __name__ == "__main__":
    main()
