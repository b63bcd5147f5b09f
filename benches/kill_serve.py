#!/usr/bin/env python3
"""Kills `auricle serve` over and over under load, and counts what is lost.

    benches/kill_serve.py target/release/auricle RECORDINGS --rounds 20 --calls 10

Each round starts the program on one data folder, speaks calls of two legs over AudioSocket at the pace of speech, and
kills it with SIGKILL at a random moment. The next start has to find every call, hear it again and save it. A call is lost
if it is not saved; audio is lost if what was sent more than a second before the kill is not in the call's length.
"""
import argparse
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
import wave

PACKET_SECS = 0.02
DURABLE_SECS = 1.0


def legs_of(path):
    """Two channels of 16-bit samples at 8 kHz."""
    with wave.open(path) as recording:
        if (recording.getnchannels(), recording.getsampwidth(), recording.getframerate()) != (2, 2, 8000):
            return None
        frames = recording.readframes(recording.getnframes())
    samples = memoryview(frames).cast("h")
    return [samples[channel::2].tobytes() for channel in (0, 1)]


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
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    names = sorted(name for name in os.listdir(args.recordings) if name.endswith(".wav"))
    audio = [legs for name in names if (legs := legs_of(os.path.join(args.recordings, name)))]
    if not audio:
        sys.exit("no stereo recordings at 8 kHz, 16 bits, in " + args.recordings)
    n_lost = n_short = n_calls = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(args.binary, folder)
        for number in range(args.rounds):
            calls = speak(server, audio, args.calls)
            time.sleep(chance.uniform(1.0, 6.0))
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
            print(f"round {number + 1}: {len(calls)} calls, {len(saved)} found again in {took:.1f} s", flush=True)
        server.stop()
    print(f"{args.rounds} kills, {n_calls} calls: {n_lost} lost, {n_short} with less audio than was sent a second before the kill")
    sys.exit(n_lost + n_short > 0)


if __name__ == "__main__":
    main()
