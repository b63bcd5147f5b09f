#!/usr/bin/env python3
"""Speaks calls into `auricle serve` while something beside it fails, and counts what is lost.

    benches/fault_serve.py target/release/auricle RECORDINGS --calls 10 --secs 30

full-disk     the disk of the data folder is full from the middle of the calls until after their end (a tmpfs of its own)
slow-disk     every sync takes 0.3 s longer (strace)
stalled       somebody asks for all events and reads none of them until the calls are over, then goes on from the last they had
              (as root, `sysctl -w net.ipv4.tcp_wmem='4096 4096 16384'` beforehand: else the system's buffers take 4 MB for them)
webhook       what events are sent to is down until the calls are over

A call is lost if it is not saved in the end, or with less audio of a leg than was sent of it; an utterance or an alert if a watcher was told
it and it is not among the saved ones; and texts are compared with those of the same calls when nothing fails.
"""
import argparse
import http.server
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

from serving import PACKET_SECS, Server, Watcher, recordings_in, short_calls, speak, wait_saved

OWN_DISK = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
SLOW_SYNCS = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", os.devnull, "-e", "trace=fsync,fdatasync,syncfs", "-e"]


class Trouble:
    """Nothing fails: what each kind of trouble does differently."""

    def __init__(self, folder, secs):
        self.folder, self.secs = folder, secs

    def start(self, binary):
        return Server(binary, self.folder)

    def begin(self, server):
        """When calls have just begun."""

    def between(self, server):
        """While they go on."""

    def end(self, server):
        """When all was spoken."""

    def lost(self, server, watcher):
        """What is lost of what only this trouble touches, and how it went."""
        return 0, ""


class FullDisk(Trouble):
    def start(self, binary):
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        then = f"mount -t tmpfs -o size=256m tmpfs {data} && exec \"$0\" \"$@\""
        server = Server(binary, self.folder, [*OWN_DISK, then])
        self.ballast = f"/proc/{server.process.pid}/root{data}/ballast"
        return server

    def between(self, server):
        time.sleep(self.secs / 2)
        with open(self.ballast, "wb", buffering=0) as out:
            try:
                while out.write(bytes(1 << 16)):
                    pass
            except OSError:
                pass

    def end(self, server):
        time.sleep(5.0)
        names = ("auricle_live_calls_unsaved", "auricle_live_events_unwritten")
        self.waited = [f"{name} {server.metric(name):.0f}" for name in names]
        os.remove(self.ballast)

    def lost(self, server, watcher):
        return 0, "before there was room: " + ", ".join(self.waited)


class SlowDisk(Trouble):
    def start(self, binary):
        return Server(binary, self.folder, [*SLOW_SYNCS, "inject=fsync,fdatasync,syncfs:delay_enter=300000"])

    def end(self, server):
        self.waited_ms = server.metric("auricle_recordings_longest_to_disk_ms")

    def lost(self, server, watcher):
        return 0, f"auricle_recordings_longest_to_disk_ms {self.waited_ms:.0f}"


class Stalled(Trouble):
    def begin(self, server):
        host, port = server.address.removeprefix("http://").rsplit(":", 1)
        self.stream = socket.socket()
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.stream.connect((host, int(port)))
        self.stream.sendall(f"GET /api/v1/live?after=0 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    def lost(self, server, watcher):
        # What fits the buffers, and whatever else comes before it is cut off.
        self.stream.settimeout(5.0)
        came = b""
        try:
            while piece := self.stream.recv(1 << 16):
                came += piece
        except TimeoutError:
            pass
        ids = ids_in(came)
        last = max(ids, default=0)
        resumed = Watcher(server, after=last)
        until = time.monotonic() + 30
        while max(resumed.ids, default=last) < max(watcher.ids) and time.monotonic() < until:
            time.sleep(0.1)
        all_ids = ids + resumed.ids
        kept = set(watcher.lasting)
        n_lost = len(kept - set(all_ids)) + len(all_ids) - len(set(all_ids))
        return n_lost, f"{len(ids)} events came before, {len(resumed.ids)} after going on from {last}; {len(kept)} had to"


class Webhook(Trouble):
    def start(self, binary):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        hook = f"[[live.webhooks]]\nname = 'crm'\nurl = 'http://127.0.0.1:{self.port}/'\nsecret = '{'s' * 32}'\n" \
            "events = ['alert', 'call_ended']\nlongest_retry_ms = 2000\n"
        return Server(binary, self.folder, more=hook)

    def lost(self, server, watcher):
        taken = []

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append(json.loads(body)["id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        hook = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Hook)
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        until = time.monotonic() + 60
        while set(watcher.sent_on) - set(taken) and time.monotonic() < until:
            time.sleep(0.1)
        hook.shutdown()
        in_order = taken == sorted(taken)
        return len(set(watcher.sent_on) - set(taken)), f"{len(taken)} events taken, {'in order' if in_order else 'not in order'}"


def ids_in(stream):
    """Of server-sent events, those that came whole."""
    whole = stream[:stream.rfind(b"\n\n") + 1] if b"\n\n" in stream else b""
    return [int(line[3:]) for line in whole.split(b"\n") if line.startswith(b"id:")]


TROUBLES = {"none": Trouble, "full-disk": FullDisk, "slow-disk": SlowDisk, "stalled": Stalled, "webhook": Webhook}


def texts(call):
    return [(said["channel"], said["start_ms"], said["text"]) for said in call["utterances"]]


def run(name, args, audio, calm):
    """Calls in one trouble; gives what was heard, and how much is lost."""
    with tempfile.TemporaryDirectory() as folder:
        trouble = TROUBLES[name](folder, args.secs)
        server = trouble.start(args.binary)
        watcher = Watcher(server)
        trouble.begin(server)
        calls = speak(server, audio, args.calls)
        trouble.between(server)
        for leg in (leg for legs in calls.values() for leg in legs):
            leg.join()
        trouble.end(server)
        saved = wait_saved(server, calls)
        until = time.monotonic() + 30
        while len(watcher.ended) < len(calls) and time.monotonic() < until:
            time.sleep(0.1)
        # Events are told first and written then.
        while server.metric("auricle_live_events_unwritten") and time.monotonic() < until:
            time.sleep(0.1)
        n_lost, told = trouble.lost(server, watcher)
        finals, alerts = watcher.lost(server, saved)
        for what in finals + alerts:
            print(f"{name}: lost: {what}")
        with_less = short_calls(server, {call: [leg.secs() for leg in calls[call]] for call in saved})
        n_with_less = len(with_less)
        for what in with_less:
            print(f"{name}: short: {what}")
        heard = {number: texts(saved[call]) for number, call in enumerate(calls) if call in saved}
        n_other = sum(heard.get(number) != heard_calm for number, heard_calm in calm.items())
        n_lost += len(calls) - len(saved) + n_with_less + len(finals) + len(alerts)
        print(
            f"{name}: {len(calls)} calls, {len(saved)} saved, {n_with_less} short, {n_other} heard otherwise than when nothing fails; "
            f"{len(watcher.finals)} finals and {len(watcher.alerts)} alerts told, {len(finals) + len(alerts)} lost; {told}",
            flush=True,
        )
        if len(saved) < len(calls):
            print("".join(server.said))
        server.stop()
        return heard, n_lost


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("recordings", help="folder of stereo recordings at 8 kHz, 16 bits")
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--secs", type=float, default=30.0, help="how much of each recording is spoken")
    parser.add_argument("--trouble", choices=list(TROUBLES)[1:], action="append", help="only this one; any number of times")
    args = parser.parse_args()
    cut = int(args.secs / PACKET_SECS) * 320
    audio = [[leg[:cut] for leg in legs] for legs in recordings_in(args.recordings)]
    wanted = args.trouble or list(TROUBLES)[1:]
    for name, needs in (("full-disk", OWN_DISK[0]), ("slow-disk", SLOW_SYNCS[0])):
        if name in wanted and shutil.which(needs) is None:
            sys.exit(f"error: {name} needs {needs}\nhint: apt-get install {'util-linux' if needs == 'unshare' else needs}")
    calm, _ = run("none", args, audio, {})
    n_lost = sum(run(name, args, audio, calm)[1] for name in wanted)
    print(f"{n_lost} lost")
    sys.exit(n_lost > 0)


if __name__ == "__main__":
    main()
