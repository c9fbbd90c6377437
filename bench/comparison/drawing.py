"""Curves as pictures, by gnuplot: one panel a figure, the number along the bottom in powers of ten."""
import shutil
import subprocess

HEIGHT, WIDTH = 240, 640


def script(path, title, figures, points, low, high):
    """`figures`: names of the panels. A number of 0 stands at `low`: there is no place for it on a logarithmic axis."""
    lines = [f"set terminal svg size {WIDTH},{HEIGHT * len(figures)} font 'sans-serif,11' background '#ffffff'",
             f"set output '{path}'",
             f"set multiplot layout {len(figures)},1",
             "set logscale x; set grid; set format x '%.0s%c'; set lmargin 10; set key off; set style data linespoints",
             f"set xrange [{low}:{high}]; set yrange [0:*]; set xlabel '{title}' noenhanced"]
    for name in figures:
        large = max(values[name] for _, values in points) >= 1000
        lines += [f"set title '{name}' noenhanced", "set format y '%.0s%c'" if large else "set format y '%g'"]
        lines += ["plot '-' using 1:2 linewidth 2 pointtype 7 linecolor '#1f6f8b'"]
        lines += [f"{max(x, low)} {values[name]}" for x, values in points]
        lines.append("e")
    lines.append("unset multiplot")
    return "\n".join(lines) + "\n"


def draw(folder, name, title, points):
    """The picture's path, or None where there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return None
    path = folder / f"{name}.svg"
    low = max(1, min(x for x, _ in points))
    high = max(max(x for x, _ in points), low * 10)
    text = script(path, title, list(points[0][1]), points, low, high)
    subprocess.run(["gnuplot"], input=text, text=True, check=True, stderr=subprocess.DEVNULL)
    return path
