"""
How fast files are masked, and with how much memory, against other programs.

    python benchmarks/throughput.py --published OTHER/bin/maximask \
        --output benchmarks/output/throughput.txt

Every program runs as a process of its own, in turn, round by round; what counts is the
ratio, round by round. What a program needs to start is taken out where it says so: by
the difference between many files and one. The exposures are simulated, of 16 bits. The
published program must be installed in an environment of its own (MaxiMask 1.4.1, with
TensorFlow); without --published it is left out, and so are astroscrappy and deepCR if
they are not installed. Nothing is reported if the machine is busy with something else.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import shared
from astropy.io import fits
from distributed import Client

from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.weights import load_model

BIN = Path(sys.executable).parent
PUBLISHED_MODEL = "maximask-1.4.1"
# Processes waiting for a processor, a minute's average, that are too many.
BUSY = 0.5

# Others that find cosmic rays only: from a path and an array to a mask.
OTHERS = {
    "astroscrappy": """
import astroscrappy
def find(data):
    return astroscrappy.detect_cosmics(data, gain=1.5, readnoise=6.0)[0]
""",
    "deepCR": """
from deepCR import deepCR
model = deepCR(mask="ACS-WFC", inpaint=None, device="CPU")
def find(data):
    return model.clean(data, threshold=0.5, inpaint=False, segment=True)
""",
}
ON_FILES = """
import sys
from astropy.io import fits
for path in sys.argv[2:]:
    mask = find(fits.getdata(path).astype("f4"))
    name = path.rsplit("/", 1)[1]
    fits.writeto(f"{sys.argv[1]}/{name}", mask.astype("u1"))
"""


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
        """MaxiMask 1.4.1, one bit mask a file, beside it."""
        for mask in folder.glob("*.mask*"):
            mask.unlink()
        return [self.published, folder, "--single_mask", "True"]

    def other(self, name, folder):
        """Another program, on all files in one process."""
        output = folder.with_name(f"{folder.name}_{name}")
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        code = OTHERS[name] + ON_FILES
        return [sys.executable, "-c", code, output, *sorted(folder.glob("*.fits"))]


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


def directory_of_files(programs, rounds, few):
    """Start-up taken out."""
    many = programs.files(2048, few)
    one = programs.files(2048, 1)
    makers = {"maximask-astro mask": programs.ours}
    for name in OTHERS:
        if importlib.util.find_spec(name):
            makers[f"{name} (cosmic rays only)"] = partial(programs.other, name)
    title = f"Files of 2048 x 2048, {few} less one: start-up taken out"
    compare(
        title,
        {name: partial(make, many) for name, make in makers.items()},
        2048**2 * (few - 1),
        rounds,
        less={name: partial(make, one) for name, make in makers.items()},
    )


def against_published(programs, rounds, few):
    """The published command, and its network; files are fewer where they take long."""
    fewer = 4
    folders = {number: programs.files(2048, number) for number in (1, fewer, few)}
    cases = {
        "default model": (few, programs.ours, ()),
        "its network, default tiling": (
            fewer,
            programs.ours,
            ("--model", PUBLISHED_MODEL),
        ),
        "its network, original tiling": (
            fewer,
            programs.ours,
            ("--model", PUBLISHED_MODEL, "--tiling", "original"),
        ),
        "MaxiMask 1.4.1": (fewer, programs.theirs, ()),
    }
    compare(
        f"Files of 2048 x 2048, {few} less one or {fewer} less one: start-up taken out",
        {
            name: partial(make, folders[number], *options)
            for name, (number, make, options) in cases.items()
        },
        {name: 2048**2 * (number - 1) for name, (number, _, _) in cases.items()},
        rounds,
        less={
            name: partial(make, folders[1], *options)
            for name, (_, make, options) in cases.items()
        },
    )
    cold = programs.files(4096, 1)
    measure(programs.ours(cold))  # compiles
    compare("One file of 4096 x 4096, start-up included", {
        "default model": lambda: programs.ours(cold),
        "MaxiMask 1.4.1": lambda: programs.theirs(cold),
    }, 4096**2, rounds)  # fmt: skip


def start_up(programs, rounds):
    """What a process costs beyond the work, where everything was compiled before."""
    one, five = programs.files(2048, 1), programs.files(2048, 5)
    print("\nStart-up of a command on one file of 2048 x 2048")
    for _ in range(rounds):
        small, large = measure(programs.ours(one)), measure(programs.ours(five))
        work = (large.wall - small.wall) / 4
        print(f"  {small.wall:.2f} s, of which {work:.2f} s are work: "
              f"start-up {small.wall - work:.2f} s")  # fmt: skip


def workers(programs, rounds):
    """Processes with one thread each."""
    print("\nWorkers of one thread, each bound to a processor")
    print("16 files of 2048 x 2048 less 4: start-up taken out")
    many, few = programs.files(2048, 16), programs.files(2048, 4)
    ratios = []
    for _ in range(rounds):
        seconds = []
        for number in (1, 2):
            with cluster(number) as address:
                options = ("--dask-scheduler", address)
                measure(programs.ours(few, *options))  # compiles
                seconds.append(
                    measure(programs.ours(many, *options)).wall
                    - measure(programs.ours(few, *options)).wall
                )
        ratios.append(seconds[0] / seconds[1])
        speeds = [12 * 2048**2 / 1e6 / wall for wall in seconds]
        print(f"  one {speeds[0]:.2f} Mpix/s, two {speeds[1]:.2f} Mpix/s: "
              f"{ratios[-1]:.2f} times")  # fmt: skip
    print(f"  median {median(ratios):.2f}")


@contextmanager
def cluster(number):
    """Workers that have one thread and one processor each."""
    environment = {**os.environ, "NPROC": "1"}
    dask = BIN / "dask"
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "scheduler.json"
        options = ("--scheduler-file", file)
        processes = [start(dask, "scheduler", "--no-dashboard", "--port", 0, *options)]
        try:
            for processor in range(number):
                command = ("taskset", "-c", processor, dask, "worker", "--nthreads", 1)
                processes.append(start(*command, *options, env=environment))
            with Client(scheduler_file=str(file), timeout=60) as client:
                client.wait_for_workers(number, timeout=60)
                yield client.scheduler.address
        finally:
            for process in processes:
                process.terminate()
                process.wait()


def start(*command, **options):
    """A process that goes on by itself."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )


def large(programs, rounds):
    """Memory and speed where a file is large, against 4096 x 4096, warm."""
    folder = programs.directory
    float_image = exposure(4096).astype("f4")
    places = {name: folder / name for name in ("4096", "16384", "mosaic")}
    for place in places.values():
        place.mkdir()
    fits.writeto(places["4096"] / "0.fits", float_image)
    fits.writeto(places["16384"] / "0.fits", np.tile(float_image, (4, 4)))
    hdus = [fits.ImageHDU(np.roll(float_image[:, :2048], n)) for n in range(32)]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(places["mosaic"] / "0.fits")
    del float_image, hdus
    pixels = {"4096": 4096**2, "16384": 16384**2, "mosaic": 32 * 2048 * 4096}
    for place in places.values():
        measure(programs.ours(place))  # compiles
    print("\nLarge files of float32, start-up taken out")
    square = exposure(2048).astype("f4")
    ones = [folder / f"{number}_hdus" for number in (1, 5)]
    for place, number in zip(ones, (1, 5), strict=True):
        place.mkdir()
        hdus = [fits.ImageHDU(square) for _ in range(number)]
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(place / "0.fits")
    speeds = {name: [] for name in places}
    peaks = dict.fromkeys(places, 0.0)
    for _ in range(rounds):
        one, five = (measure(programs.ours(place)).wall for place in ones)
        start = one - (five - one) / 4
        for name, place in places.items():
            cost = measure(programs.ours(place))
            speeds[name].append(pixels[name] / 1e6 / (cost.wall - start))
            peaks[name] = max(peaks[name], cost.peak)
    for name, found in speeds.items():
        ratio = median(a / b for a, b in zip(found, speeds["4096"], strict=True))
        title = {"mosaic": "32 HDUs of 4096 x 2048"}.get(name, f"{name} x {name}")
        print(f"  {title:24s} {median(found):6.2f} Mpix/s, {ratio:.2f} of that of "
              f"4096 x 4096; peak memory {peaks[name]:.2f} GB")  # fmt: skip


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
        if "start-up" in args.parts:
            start_up(programs, args.number)
        if "large" in args.parts:
            large(programs, args.number)
        if "workers" in args.parts:
            workers(programs, args.number)
        if "sizes" in args.parts:
            sizes(programs, args.number)
        if "published" in args.parts and args.published is not None:
            against_published(programs, args.number, args.files)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=3)
    parser.add_argument("--published", type=Path, help="the command of MaxiMask 1.4.1")
    parser.add_argument("--files", type=int, default=9, help="files of a directory")
    parts = ("files", "start-up", "large", "workers", "sizes", "published")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    sys.exit(shared.run(main, parser.parse_args()))
