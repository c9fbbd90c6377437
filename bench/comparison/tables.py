"""Runs to medians, medians to tables."""
import statistics

COLUMNS = ["work", "connections", "in flight", "system", "ops/s", "range", "p50 / p99 / p99.9", "CPU us/op", "Holdfast is", "others"]


def chosen(runs, wanted):
    """The quietest of the runs of a cell."""
    return sorted(runs, key=lambda r: r["others"])[:wanted]


def median(runs, key):
    values = [r[key] for r in runs if r.get(key) is not None]
    return statistics.median(values) if values else None


def rate(n):
    if n is None:
        return "-"
    return f"{n / 1e6:.2f} M" if n >= 1e6 else f"{n / 1e3:.1f} k" if n >= 1e3 else f"{n:.0f}"


def time(us):
    if us is None:
        return "-"
    if us >= 1e6:
        return f"{us / 1e6:.2f} s"
    return f"{us / 1e3:.0f} ms" if us >= 1e5 else f"{us / 1e3:.1f} ms" if us >= 1e3 else f"{us:.0f} us"


def span(s):
    return f"{rate(s['lowest'])} - {rate(s['highest'])}"


def percentiles(s):
    return " / ".join(time(s[k]) for k in ("p50_us", "p99_us", "p999_us"))


def noise(s):
    return f"{s['others'][0]}-{s['others'][1]} %"


def times(ratio):
    return f"{ratio:.0f} x" if ratio >= 10 else f"{ratio:.2f} x" if ratio < 1 else f"{ratio:.1f} x"


def summary(runs, wanted):
    best = chosen(runs, wanted)
    out = {key: median(best, key) for key in ("a_second", "p50_us", "p99_us", "p999_us", "cpu_us", "load_cpu_us")}
    out["lowest"] = min(r["a_second"] for r in best)
    out["highest"] = max(r["a_second"] for r in best)
    out["others"] = [round(best[0]["others"]), round(best[-1]["others"])]
    out["runs"] = len(best)
    out["failed"] = sum(r.get("failed", 0) for r in best)
    return out


def rows(cells):
    """`cells`: (Cell, system name) -> summary, in the order of the table."""
    out = []
    for (cell, system), s in cells.items():
        ours = cells.get((cell, "holdfast"))
        ratio = times(ours["a_second"] / s["a_second"]) if ours and system != "holdfast" and s["a_second"] else ""
        who = system + (f" ({s['failed']} failed)" if s["failed"] else "")
        cpu = "-" if s["cpu_us"] is None else f"{s['cpu_us']:.2f}"
        shape = [cell.work, str(cell.connections), str(cell.depth)]
        out.append([*shape, who, rate(s["a_second"]), span(s), percentiles(s), cpu, ratio, noise(s)])
    return out


def text(lines, columns=None):
    table = [columns or COLUMNS, *lines]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in table)


def markdown(lines, columns=None):
    columns = columns or COLUMNS
    return "\n".join(["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |",
                      *("| " + " | ".join(row) + " |" for row in lines)])
