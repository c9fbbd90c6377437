"""The systems that are compared. Each run has a server of its own: started on an empty directory, loaded, ended.

A system says whether it is `missing` here (a line for the reader, or None), and `run`s a cell. What comes back has the keys a_second,
p50_us, p99_us, p999_us, operations, seconds, cpu_us (the server's, for one operation) and failed (answers that the workload does not know).
"""
import json
import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .holdfast_server import Failed, HoldfastServer, Process

HERE = Path(__file__).resolve().parent.parent
USERS = 1_000_000
EXPECTED_REFUSALS = {"sold_out", "none_free_now", "over_limit"}


@dataclass(frozen=True)
class Cell:
    work: str
    connections: int
    depth: int


def hall(cell, slow):
    """Seats of a session. Only f1 runs whole sales, so a slow system gets a smaller hall there: the mix is the same."""
    if cell.work != "f1":
        return 50_000
    return 4_000 if slow else 20_000 if cell.depth == 1 else 50_000


def drive(program, words, server_pid):
    """One run of a peer's load: begins when its connections stand, so that the server's time is that of the operations."""
    pipe = subprocess.PIPE
    load = subprocess.Popen([str(program), *(str(w) for w in words)], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    if load.stdout.readline().strip() != "ready":
        raise Failed(load.communicate()[1].strip() or "the load does not start")
    before = machine.tree_s(server_pid)
    load.stdin.write("go\n")
    load.stdin.flush()
    out = load.stdout.readline()
    after = machine.tree_s(server_pid)
    err = load.communicate()[1]
    if not out:
        raise Failed(err.strip())
    seen = json.loads(out)
    seen["cpu_us"] = (after - before) * 1e6 / max(1, seen["operations"])
    return seen


class System:
    name = ""

    def __init__(self, build, folder):
        self.build, self.folder = build, Path(folder)

    def missing(self):
        return None

    def program(self, name):
        return self.build / "bench" / name

    def fresh(self):
        path = self.folder / self.name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def load_words(self, cell, port, seconds, slow=False):
        return ["--work", cell.work, "--port", port, "--connections", cell.connections, "--depth", cell.depth,
                "--seats", hall(cell, slow), "--users", USERS, "--seconds", seconds, "--seed", time.time_ns() % 2**31]


class Holdfast(System):
    name = "holdfast"

    def run(self, cell, seconds):
        home = self.fresh()
        server = HoldfastServer(self.build, home, cell.connections, cell.depth)
        try:
            server.start()
            sessions = {"f1": 20, "f2": 1, "f3": 20 if cell.depth == 1 else 80}[cell.work]
            return self.read(server.bench("--workload", cell.work, "--connections", cell.connections, "--depth", cell.depth,
                                          "--duration", f"{int(seconds * 1000)}ms", "--seats", hall(cell, False), "--sessions", sessions,
                                          "--users", USERS))
        finally:
            server.stop()
            shutil.rmtree(home, ignore_errors=True)

    @staticmethod
    def read(said):
        every = next(row for row in said["latency"] if row["operation"] == "all")
        failed = sum(row["count"] for row in said["refusals"] if row["refusal"] not in EXPECTED_REFUSALS)
        return {"seconds": said["seconds"], "operations": said["operations"], "a_second": said["operations_a_second"],
                "p50_us": every["p50"], "p99_us": every["p99"], "p999_us": every["p99_9"], "failed": failed,
                "cpu_us": said["server_cpu_us_an_operation"], "load_cpu_us": said["own_cpu_us_an_operation"]}


class Redis(System):
    name = "redis"
    how = ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]

    def missing(self):
        return None if shutil.which("redis-server") else "redis-server is not installed"

    def run(self, cell, seconds):
        home, port = self.fresh(), machine.free_port()
        words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", home, "--save", "", *self.how]
        server = Process(words, home / "log")

        def ask(*words):
            done = subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False)
            return done.stdout.strip()

        try:
            server.wait_until(lambda: ask("ping") == "PONG")
            scripts = []
            for name in ("hold", "confirm", "release"):
                scripts += ["--" + name, ask("script", "load", (HERE / f"peers/redis/{name}.lua").read_text())]
            program = self.program("peers_redis_load")
            if cell.work == "f2":
                filling = self.load_words(Cell("f3", 50, 128), port, 600) + ["--holds", hall(cell, False)]
                drive(program, filling + scripts, server.child.pid)
                if ask("xlen", "{1}orders") != str(hall(cell, False)):
                    raise Failed("the session could not be sold out")
            return drive(program, self.load_words(cell, port, seconds) + scripts, server.child.pid)
        finally:
            server.stop()
            shutil.rmtree(home, ignore_errors=True)


class RedisNone(Redis):
    name, how = "redis-none", ["--appendonly", "no"]


class Postgres(System):
    name = "postgres"

    def __init__(self, build, folder):
        super().__init__(build, folder)
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        self.bin = found[-1].parent if found else None
        # initdb refuses root: then the server runs as the user that the package made for it.
        self.user = []
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres") if self.bin else None
            self.user = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"] if who else []
            self.owner = (who.pw_uid, who.pw_gid) if who else None

    def missing(self):
        return None if self.bin else "postgresql is not installed"

    def prepare(self):
        """One cluster with the schema, which every run gets a copy of."""
        first = self.folder / "postgres-first"
        if first.exists():
            return first
        first.mkdir()
        if os.geteuid() == 0:
            os.chown(first, *self.owner)
        initdb = [self.bin / "initdb", "-D", first, "-U", "bench", "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync"]
        subprocess.run([*self.user, *initdb], check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(first / "postgresql.conf", "a", encoding="ascii") as conf:
            conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 1100\n"
                       "shared_buffers = 2GB\nmax_wal_size = 16GB\nmin_wal_size = 4GB\ncheckpoint_timeout = 30min\n"
                       "fsync = on\nsynchronous_commit = on\n")
        return first

    def run(self, cell, seconds):
        first, home, port = self.prepare(), self.folder / self.name, machine.free_port()
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run(["cp", "-a", first, home], check=True)
        server = Process([self.bin / "postgres", "-D", home, "-p", str(port)], self.folder / "postgres.log", self.user)
        psql = [self.bin / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres", "-q", "-v", "ON_ERROR_STOP=1"]

        def ask(text, check=True):
            return subprocess.run(psql, input=text, capture_output=True, text=True, check=check).returncode == 0

        try:
            server.wait_until(lambda: ask("SELECT 1;", check=False))
            ask((HERE / "peers/postgres/schema.sql").read_text())
            seats, sessions = hall(cell, True), {"f1": 2, "f2": 1, "f3": 2}[cell.work]
            ask("INSERT INTO seats (session, seat) "
                f"SELECT s, n FROM generate_series(1, {sessions}) s, generate_series(0, {seats - 1}) n;")
            if cell.work == "f2":
                ask("UPDATE seats SET state = 2, holder = 1 + seat / 4, expires_at = now();")
                ask("INSERT INTO orders SELECT session, seat, holder FROM seats;")
                ask("VACUUM FULL seats;")
            ask("VACUUM ANALYZE;")
            ask("CHECKPOINT;")
            words = self.load_words(cell, port, seconds, slow=True) + ["--sessions", sessions]
            return drive(self.program("peers_postgres_load"), words, server.child.pid)
        finally:
            server.stop()
            shutil.rmtree(home, ignore_errors=True)


class Echo(System):
    """The ceiling of any server with one thread: work and durability mean nothing to it."""
    name = "echo"

    def run(self, cell, seconds):
        home, port = self.fresh(), machine.free_port()
        server = Process([self.program("peers_limits"), "echo", str(port)], home / "log")
        try:
            server.wait_until(lambda: "ready" in server.log.read_text(errors="replace"))
            words = ["load", *self.load_words(cell, port, seconds)]
            return drive(self.program("peers_limits"), words, server.child.pid)
        finally:
            server.stop()


class Append(System):
    """Appends of 4 KiB, synced one by one: what the disk gives a durable answer at least."""
    name = "append"

    def run(self, _cell, seconds):
        words = [self.program("peers_limits"), "append", self.fresh(), "4096", str(seconds)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return json.loads(done.stdout)


class TigerBeetle(System):
    """Its own benchmark: it knows no seats, so there is one figure for all workloads."""
    name = "tigerbeetle"

    def __init__(self, build, folder, executable):
        super().__init__(build, folder)
        self.executable = executable

    def missing(self):
        if not self.executable:
            return "no executable was given (--tigerbeetle PATH)"
        return None if os.access(self.executable, os.X_OK) else f"{self.executable} cannot be executed"

    def run(self, _cell, _seconds):
        words = [self.executable, "benchmark", "--transfer-count=2000000", "--query-count=0"]
        said = subprocess.run(words, capture_output=True, text=True, check=False, cwd=self.fresh())
        text = said.stdout + said.stderr
        seen = {}
        for line in text.splitlines():
            words = line.split()
            if "load accepted" in line:
                seen["a_second"] = float(words[words.index("accepted") + 2])
            for key, label in (("p50_us", "batch latency p50"), ("p99_us", "batch latency p99 ")):
                if label in line:
                    seen[key] = float(words[words.index("=") + 1] if "=" in words else words[-2]) * 1000
        if "a_second" not in seen:
            raise Failed("its benchmark does not print what is known of it: " + text.strip()[-200:])
        return seen
