"""
How fast files are masked, and with how much memory, against other programs.

    python benchmarks/throughput.py --published OTHER/bin/maximask \
        --output benchmarks/output/throughput.txt

Every program runs as a process of its own, in turn, round by round; what counts is the
ratio, round by round. What a program needs to start is taken out where it says so: by
the difference between many files and one. The exposures are simulated, of 16 bits. The
published program must be installed in an environment of its own (MaxiMask 1.4.1, with
TensorFlow); without --published it is left out, and so is astroscrappy if it is not
installed. Nothing is reported if the machine is busy with something else.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import shared
from astropy.io import fits

from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.weights import load_model

BIN = Path(sys.executable).parent
PUBLISHED_MODEL = "maximask-1.4.1"
# Processes waiting for a processor, a minute's average, that are too many.
BUSY = 0.5

COSMIC_RAYS = """
import sys
import astroscrappy
from astropy.io import fits
for path in sys.argv[2:]:
    data = fits.getdata(path).astype("f4")
    mask, _ = astroscrappy.detect_cosmics(data, gain=1.5, readnoise=6.0)
    name = path.rsplit("/", 1)[1]
    fits.writeto(f"{sys.argv[1]}/{name}", mask.astype("u1"))
"""


@dataclass(frozen=True)
class Cost:
    """Seconds and gigabytes of a process."""

    wall: float
    cpu: float
    peak: float


def measure(command):
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed: {errors.decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


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
    """The commands to compare, on files in a directory of their own."""

    def __init__(self, directory, published):
        self.directory, self.published = directory, published
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

    def theirs(self, folder):
        """MaxiMask 1.4.1, one bit mask a file."""
        return [self.published, folder, "--single_mask", "True"]

    def la_cosmic(self, folder):
        """astroscrappy."""
        output = folder.with_name(f"{folder.name}_cosmic")
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        return [
            sys.executable,
            "-c",
            COSMIC_RAYS,
            output,
            *sorted(folder.glob("*.fits")),
        ]


def compare(title, commands, pixels, rounds, *, less=None):
    """
    Run commands in turn, and print speeds, and ratios to the first.

    ``less`` are commands whose cost is subtracted, with so many pixels less.
    """
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
        ratios = [
            other.wall / one.wall
            for one, other in zip(costs[first], found, strict=True)
        ]
        wall = median(cost.wall for cost in found)
        cells = (
            pixels / 1e6 / wall,
            wall,
            median(cost.cpu for cost in found),
            max(cost.peak for cost in found),
        )
        print(f"  {name:38s} {cells[0]:8.3f} {cells[1]:8.2f} {cells[2]:8.2f} "
              f"{cells[3]:6.2f}  {median(ratios):.2f} ({min(ratios):.2f} to "
              f"{max(ratios):.2f})")  # fmt: skip
    return costs


def directory_of_files(programs, rounds, few):
    """Start-up taken out."""
    many = programs.files(2048, few)
    one = programs.files(2048, 1)
    commands = {"maximask-astro mask": lambda: programs.ours(many)}
    less = {"maximask-astro mask": lambda: programs.ours(one)}
    if importlib.util.find_spec("astroscrappy"):
        commands["astroscrappy (cosmic rays only)"] = lambda: programs.la_cosmic(many)
        less["astroscrappy (cosmic rays only)"] = lambda: programs.la_cosmic(one)
    title = f"Files of 2048 x 2048, {few} less one: start-up taken out"
    compare(title, commands, 2048**2 * (few - 1), rounds, less=less)


def against_published(programs, rounds):
    """The published command on one file and on two, ours on as many more."""
    two, one = programs.files(2048, 2), programs.files(2048, 1)
    names = {
        "MaxiMask 1.4.1": (programs.theirs, ()),
        "its network, default tiling": (programs.ours, ("--model", PUBLISHED_MODEL)),
        "its network, original tiling": (
            programs.ours,
            ("--model", PUBLISHED_MODEL, "--tiling", "original"),
        ),
        "default model": (programs.ours, ()),
    }

    def commands(folder):
        return {
            name: (lambda make=make, options=options: make(folder, *options))
            for name, (make, options) in reversed(names.items())
        }

    title = "A second file of 2048 x 2048: start-up taken out"
    compare(title, commands(two), 2048**2, rounds, less=commands(one))
    cold = programs.files(4096, 1)
    compare("One file of 4096 x 4096, start-up included", {
        "default model": lambda: programs.ours(cold),
        "MaxiMask 1.4.1": lambda: programs.theirs(cold),
    }, 4096**2, 1)  # fmt: skip


def sizes(programs, rounds):
    """One file of each size, start-up included, and what memory it takes."""
    for side in (512, 1024, 2048, 4096, 8192, 16384):
        folder = programs.files(side, 1)
        compare(f"One file of {side} x {side}, start-up included", {
            "default model": lambda folder=folder: programs.ours(folder),
        }, side**2, rounds)  # fmt: skip
        shutil.rmtree(folder)


def main(args):
    """Measure and report."""
    wait_until_quiet()
    shared.print_header(
        f"Throughput of whole commands on {os.cpu_count()} processors, "
        f"{args.number} rounds",
        [load_model(name) for name in (DEFAULT_MODEL, PUBLISHED_MODEL)],
    )
    with tempfile.TemporaryDirectory() as directory:
        programs = Programs(Path(directory), args.published)
        # What is compiled is kept from here on.
        measure(programs.ours(programs.files(2048, 1)))
        if "files" in args.parts:
            directory_of_files(programs, args.number, args.files)
        if "sizes" in args.parts:
            sizes(programs, args.number)
        if "published" in args.parts and args.published is not None:
            against_published(programs, args.number)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=3)
    parser.add_argument("--published", type=Path, help="the command of MaxiMask 1.4.1")
    parser.add_argument("--files", type=int, default=9, help="files of a directory")
    parts = ("files", "sizes", "published")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    sys.exit(shared.run(main, parser.parse_args()))
