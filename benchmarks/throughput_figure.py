"""
Draw what `throughput.py` printed.

    python benchmarks/throughput_figure.py benchmarks/output/throughput.txt \
        docs/_static/benchmark_throughput.png
"""

import argparse
import re
from pathlib import Path

import matplotlib.pyplot as plt
from shared import COLORS

# How the titles of tables begin, and what programs are called there and here.
TITLE = "Files of 2048 x 2048"
NAMES = {
    "maximask-astro mask": "maximask_astro",
    "astroscrappy (cosmic rays only)": "astroscrappy",
    "deepCR (cosmic rays only)": "deepCR",
    "its network, default tiling": "MaxiMask's network, ours",
    "its network, original tiling": "MaxiMask's network and blocks, ours",
    "MaxiMask 1.4.1": "MaxiMask 1.4.1",
}
ROW = re.compile(r"  (\S.*?)\s{2,}([\d.]+)")


def read_speeds(text):
    """Millions of pixels a second by program."""
    speeds, wanted = {}, False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            wanted = line.startswith(TITLE)
        found = ROW.match(line)
        if wanted and found and found[1] in NAMES:
            speeds[NAMES[found[1]]] = float(found[2])
    return speeds


def draw(speeds, path):
    """Bars, the fastest first."""
    order = sorted(speeds, key=speeds.get)
    figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
    colors = [COLORS[0] if name == "maximask_astro" else COLORS[2] for name in order]
    bars = axes.barh(order, [speeds[name] for name in order], color=colors)
    axes.bar_label(bars, [f"{speeds[name]:.2g}" for name in order], padding=3)
    axes.set_xscale("log")
    axes.set_xlim(min(speeds.values()) / 2, 2 * max(speeds.values()))
    axes.set_xlabel("Mpix/s")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("figure", type=Path)
    args = parser.parse_args()
    draw(read_speeds(args.output.read_text(encoding="utf-8")), args.figure)
