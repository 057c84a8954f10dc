"""How whole commands are measured: as processes of their own, in turn."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from astropy.io import fits

BIN = Path(sys.executable).parent
# Processes waiting for a processor, a minute's average, that are too many.
BUSY = 0.5


@dataclass(frozen=True)
class Cost:
    """Seconds and gigabytes of a process."""

    wall: float
    cpu: float
    peak: float


# A process of its own, since a process has at least the peak memory of its parent.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
print(json.dumps([wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(command):
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *(str(part) for part in command)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stderr[-2000:]}")
    return Cost(*json.loads(done.stdout))


def wait_until_quiet(minutes=3):
    """Refuse to measure beside something else."""
    for _ in range(minutes * 6):
        load = os.getloadavg()[0]
        if load < BUSY:
            return
        time.sleep(10)
    sys.exit(f"The machine is busy (load {load:.2f}); nothing can be measured now.")


def exposure(side):
    """Sky, stars, a few cosmic rays."""
    random = np.random.default_rng(side)
    data = random.normal(1000, 12, (side, side)).astype("f4")
    y, x = np.mgrid[-12:13, -12:13]
    profile = np.exp(-(y**2 + x**2) / (2 * 1.6**2))
    number = side * side // 4000
    places = random.integers(12, side - 13, (number, 2))
    fluxes = np.minimum(100 * random.pareto(0.8, number), 50000)
    for (row, column), flux in zip(places, fluxes, strict=True):
        data[row - 12 : row + 13, column - 12 : column + 13] += flux * profile
    for row, column in random.integers(20, side - 20, (side // 20, 2)):
        data[row, column : column + random.integers(1, 15)] += 2000
    return np.clip(data, 0, 65535).astype("u2")


class Programs:
    """Our command, on files in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        self._number = 0

    def files(self, side, number):
        """A directory with so many exposures."""
        self._number += 1
        folder = self.directory / f"{side}_{number}_{self._number}"
        folder.mkdir()
        data = exposure(side)
        for index in range(number):
            fits.writeto(folder / f"{index}.fits", np.roll(data, index))
        return folder

    def ours(self, folder, *options):
        """`maximask-astro mask`."""
        output = folder.with_name(f"{folder.name}_masks")
        shutil.rmtree(output, ignore_errors=True)
        return [BIN / "maximask-astro", "mask", folder, "-q", "-o", output, *options]


def compare(title, commands, pixels, rounds, *, less=None):
    """
    Run commands in turn, and print speeds, and ratios to the first.

    ``pixels`` are those of each command, or of all. ``less`` are commands whose cost
    is subtracted, with so many pixels less.
    """
    if not isinstance(pixels, dict):
        pixels = dict.fromkeys(commands, pixels)
    print(f"\n{title}")
    costs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, make in commands.items():
            cost = measure(make())
            wall, cpu = cost.wall, cost.cpu
            if less is not None:
                small = measure(less[name]())
                wall, cpu = wall - small.wall, cpu - small.cpu
            costs[name].append(Cost(wall, cpu, cost.peak))
    print(f"{'':40s} {'Mpix/s':>8s} {'wall s':>8s} {'CPU s':>8s} {'GB':>6s}  ratio")
    first = next(iter(costs))
    for name, found in costs.items():
        more = pixels[first] / pixels[name]
        ratios = [
            more * other.wall / one.wall
            for one, other in zip(costs[first], found, strict=True)
        ]
        wall = median(cost.wall for cost in found)
        cells = (
            pixels[name] / 1e6 / wall,
            wall,
            median(cost.cpu for cost in found),
            max(cost.peak for cost in found),
        )
        print(f"  {name:38s} {cells[0]:8.3f} {cells[1]:8.2f} {cells[2]:8.2f} "
              f"{cells[3]:6.2f}  {median(ratios):.2f} ({min(ratios):.2f} to "
              f"{max(ratios):.2f})")  # fmt: skip
    return costs
