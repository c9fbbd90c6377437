"""The growth curves: what grows, where it is measured, and what comes of it.

Each curve is a function that is given a workshop (how to start servers) and yields points: {"x": how many, "figures": {name: value}}.
Throughput is of a closed loop, p99 of an open one at a constant rate, so that it does not count a queue which the load made itself.
"""
import re
import signal
import statistics


MIB = "server memory, MiB"
OPS = "throughput, operations/s"
P99 = "p99 at a constant rate, ms"
MIX = ("--workload", "mix", "--confirm", 0, "--release", 100, "--look", 0, "--warmup", "500ms")
F3 = ("--workload", "f3", "--warmup", "500ms")


def of_all(said, key):
    return next(row[key] for row in said["latency"] if row["operation"] == "all")


def waits(server, w, *words):
    """Open loops, of which the median counts; memory is that after the first, so that it does not depend on how fast the machine is."""
    said = [server.bench(*words, "--rate", w.rate, "--duration", w.duration) for _ in range(w.runs)]
    return {P99: statistics.median(of_all(s, "p99") for s in said) / 1000, MIB: said[0]["server_memory_mib"]}


def measured(server, w, *words, sessions=40, shape=("--depth", 16)):
    figures = waits(server, w, *words, *without_depth(shape), "--sessions", min(sessions, 4))
    closed = server.bench(*words, *shape, "--duration", w.duration, "--sessions", sessions)
    return {OPS: closed["operations_a_second"]} | figures


def without_depth(words):
    words = list(words)
    if "--depth" in words:
        at = words.index("--depth")
        del words[at:at + 2]
    return words


def connections(w):
    for n in w.pick([1, 10, 100, 1_000, 10_000], [1, 100, 2_000]):
        depth = max(1, 1024 // n)
        with w.server(connections=n, depth=depth) as server:
            yield n, measured(server, w, *F3, shape=("--connections", n, "--depth", depth))


def sessions(w):
    for n in w.pick([1, 100, 1_000, 5_000, 20_000], [1, 1_000]):
        with w.server(sessions_max=n + 1_000) as server:
            if n > 1:
                server.bench("--workload", "f2", "--seats", 100, "--ops", 1_000, "--idle-sessions", n - 1)
            yield n, measured(server, w, *F3)


def seats(w):
    # Every hold that wins is released, so that a hall of 100 seats lasts as long as one of 200,000; the smaller, the more are refused.
    for n in w.pick([100, 1_000, 10_000, 50_000, 200_000], [100, 50_000]):
        with w.server() as server:
            yield n, measured(server, w, *MIX, "--seats", n, sessions=1)


def live_holds(w):
    # In one session with a million seats: first the holds that stay, then holds and confirms on the rest.
    for n in w.pick([0, 10_000, 100_000, 500_000, 900_000], [0, 100_000]):
        with w.server() as server:
            words = ["--workload", "f3", "--channel", 1, "--for", "12h", "--seats", 1_000_000, *(["--prefill", n] if n else [])]
            yield n, measured(server, w, *words, sessions=1)


def records(w):
    """One journal that grows, and is killed and started again at each point."""
    points = w.pick([10_000, 100_000, 1_000_000, 3_000_000, 10_000_000, 20_000_000, 100_000_000], [10_000, 200_000])
    with w.server() as server:
        done = 0
        for n in [p for p in points if p <= w.records_max]:
            # At most a hundred sessions of 50,000 seats at a time: two records a seat.
            while done < n:
                want = min(n - done, 10_000_000)
                halls = ["--sessions", want // 100_000 + 1]
                said = server.bench("--workload", "f3", "--depth", 128, "--ops", want, "--duration", "1h", *halls)
                done += said["operations"]
            server.stop(signal.SIGKILL)
            server.start()
            replayed = re.findall(r"(\d+) records replayed", server.log())
            figures = {OPS: said["operations_a_second"], "start after kill -9, s": server.seconds_to_ready,
                       "records replayed at the start": int(replayed[-1]) if replayed else 0}
            yield n, figures | waits(server, w, *F3, "--sessions", 4)


ALL = {
    "connections": ("connections, about 1,024 in flight in all", connections),
    "sessions": ("sessions, one of them hot", sessions),
    "seats": ("seats of the session, random holds and releases", seats),
    "live-holds": ("holds alive in the session", live_holds),
    "records": ("records in the journal", records),
}


def verdicts(curve, points):
    """What must not happen: lines that say whether it did."""
    out = []
    if len(points) < 2:
        return out
    (first_x, first), (last_x, last) = points[0], points[-1]
    growth = max(last_x, 1) / max(first_x, 1)
    for name in (MIB, "start after kill -9, s"):
        if name in first and first[name] > 0:
            ratio = last[name] / first[name]
            out.append(f"{curve}: {name} grew {ratio:.1f} times while the number grew {growth:.0f} times: "
                       + ("no worse than linearly" if ratio <= max(growth, 1.5) else "WORSE THAN LINEARLY"))
    if curve == "sessions":
        ratio = last[P99] / first[P99]
        out.append(f"sessions: p99 with {last_x:,} sessions is {ratio:.2f} times that of {first_x} (goal: at most 1.3): "
                   + ("reached" if ratio <= 1.3 else "MISSED"))
    return out
