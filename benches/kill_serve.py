#!/usr/bin/env python3
"""Kills `auricle serve` over and over under load, and counts what is lost.

    benches/kill_serve.py target/release/auricle RECORDINGS --rounds 20 --calls 10

Each round starts the program on one data folder, speaks calls of two legs over AudioSocket at the pace of speech, and
kills it with SIGKILL at a random moment. The next start has to find every call, hear it again and save it. A call is lost
if it is not saved; audio is lost if a leg has received less than was sent of it more than a second before the kill (silence that
was put in before the kill is in the recording, and counts as audio there); an utterance or an alert is lost if a watcher was
told it before the kill and it is not among the saved ones.
"""
import argparse
import random
import sys
import tempfile
import time

from serving import Server, Watcher, recordings_in, short_calls, speak, wait_saved

DURABLE_SECS = 1.0


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
    audio = recordings_in(args.recordings)
    n_lost = n_with_less = n_calls = n_told = n_untold = 0
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
            sent = {call: [leg.secs_before(killed_at - DURABLE_SECS) for leg in calls[call]] for call in saved}
            with_less = short_calls(server, sent)
            n_with_less += len(with_less)
            for what in with_less:
                print(f"round {number + 1}: short: {what}")
            for call, found in saved.items():
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
    print(f"{args.rounds} kills, {n_calls} calls: {n_lost} lost, {n_with_less} with less audio than was sent a second before the kill")
    print(f"{n_told} finals and alerts were told before: {n_untold} lost")
    sys.exit(n_lost + n_with_less + n_untold > 0)


if __name__ == "__main__":
    main()
