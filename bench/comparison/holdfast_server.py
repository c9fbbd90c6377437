"""A Holdfast server as a child, and `holdfast bench` against it."""
import json
import re
import signal
import subprocess
import time
from pathlib import Path

from . import machine


class Failed(Exception):
    pass


class Process:
    """A server as a child, ended by its pid."""

    def __init__(self, words, log, before=()):
        self.log = Path(log)
        with open(log, "wb") as out:
            self.child = subprocess.Popen([*before, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def wait_until(self, ready, patience_s=30):
        end = time.monotonic() + patience_s
        while not ready():
            if self.child.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace").strip().splitlines()[-3:]
                self.stop()
                raise Failed("the server does not start: " + " / ".join(said))
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class HoldfastServer:
    """Its data stays in `home` from one start to the next. Credits are set to match what is to be in flight."""

    def __init__(self, build, home, connections=50, depth=128, sessions_max=10_000):
        self.build, self.home, self.server = Path(build), Path(home), None
        self.port = machine.free_port()
        self.seconds_to_ready = None
        (self.home / "config.toml").write_text(
            f'[data]\ndirectory = "{home}/data"\n'
            f'[listen.shop]\naddress = "127.0.0.1"\nport = {self.port}\n'
            f"inflight_max = {max(16, depth)}\nconnections_max = {connections + 64}\n"
            f'[listen.admin]\npath = "{home}/admin.sock"\n'
            f"[gateway]\nsession_inflight_max = {connections * max(16, depth) + 1024}\n"
            f"[sessions]\nsessions_max = {sessions_max}\n")

    def start(self, patience_s=600):
        begun = time.monotonic()
        self.server = Process([self.build / "bin/holdfastd", "--config", self.home / "config.toml"], self.home / "log")
        self.server.wait_until(lambda: re.search(r" ready$", self.log(), re.MULTILINE), patience_s)
        self.seconds_to_ready = time.monotonic() - begun

    def log(self):
        return (self.home / "log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        if self.server:
            self.server.stop(how)

    def bench(self, *words):
        """What `holdfast bench` says, as JSON."""
        program, doors = self.build / "bin/holdfast", ["--server", f"127.0.0.1:{self.port}", "--admin", self.home / "admin.sock"]
        done = subprocess.run([str(w) for w in [program, *doors, "--json", "bench", *words]], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return json.loads(done.stdout)
