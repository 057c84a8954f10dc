"""
How speed and memory change with the size of an exposure and the number of workers.

    python benchmarks/scaling.py --output benchmarks/output/scaling.txt

Every command runs as a process of its own, see `throughput.py`. Exits with 1 if a large
file needs 1.5 GB or more, or is slower per pixel than 0.85 times a file of 4096 x 4096,
or if two workers are not 1.7 times as fast as one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import shared
from astropy.io import fits
from distributed import Client
from measuring import BIN, Programs, compare, exposure, measure, wait_until_quiet

from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.weights import load_model

# What is wanted: gigabytes, parts of the speed of 4096 x 4096, times one worker.
MEMORY, SPEED, WORKERS = 1.5, 0.85, 1.7


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
    return median(ratios) >= WORKERS


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
    good = True
    for name, found in speeds.items():
        ratio = median(a / b for a, b in zip(found, speeds["4096"], strict=True))
        title = {"mosaic": "32 HDUs of 4096 x 2048"}.get(name, f"{name} x {name}")
        print(f"  {title:24s} {median(found):6.2f} Mpix/s, {ratio:.2f} of that of "
              f"4096 x 4096; peak memory {peaks[name]:.2f} GB")  # fmt: skip
        good = good and ratio >= SPEED and peaks[name] < MEMORY
    return good


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
        f"Sizes and workers on {os.cpu_count()} processors, {args.number} rounds",
        [load_model(DEFAULT_MODEL)],
    )
    with tempfile.TemporaryDirectory() as directory:
        programs = Programs(Path(directory))
        # What is compiled is kept from here on.
        measure(programs.ours(programs.files(2048, 1)))
        good = [large(programs, args.number), workers(programs, args.number)]
        sizes(programs, args.number)
    return 0 if all(good) else 1


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=3)
    sys.exit(shared.run(main, parser.parse_args()))
