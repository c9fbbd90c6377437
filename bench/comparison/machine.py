"""The machine on which is measured: who else uses it, how much processor a server took, what it is."""
import os
import platform
import resource
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def busy_s():
    """Processor time of the whole machine, all cores. What the hypervisor stole counts as busy: a process's own time includes it."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(f) for f in fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def tree_s(pid):
    """Processor time of a process and all its descendants, those included that have ended and were waited for."""
    total = 0
    todo = [pid]
    while todo:
        p = todo.pop()
        try:
            fields = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(f) for f in fields[11:15])
            for task in Path(f"/proc/{p}/task").iterdir():
                todo += [int(c) for c in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICKS


def children_s():
    """Processor time of this script and of all that it started and waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def others_percent(ours_s, busy, seconds):
    """Of one core, used by processes that are none of ours."""
    return max(0.0, 100 * (busy - ours_s) / seconds) if seconds > 0 else 0.0


def wait_quiet(percent, patience_s):
    """Waits until others use less than `percent` of one core for a second; True if such a moment came."""
    end = time.monotonic() + patience_s
    while True:
        busy, ours, begun = busy_s(), children_s(), time.monotonic()
        time.sleep(1)
        if others_percent(children_s() - ours, busy_s() - busy, time.monotonic() - begun) <= percent:
            return True
        if time.monotonic() >= end:
            return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def version(root):
    """The commit, and whether the tree was changed after it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def describe(folder):
    cores = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in cores if line.startswith("model name")), "?")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    kind = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=False).stdout.split()[-1]
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {kernel}, {kind}"
