"""
Whether a run that is killed again and again ends like one that is not.

    python benchmarks/survival.py --output benchmarks/output/survival.txt

A directory of exposures is masked once without disturbance. Then the same command is
started again and again with --if-exists resume, and killed (SIGKILL) at a random
moment, so many times; after each kill, every file that shows must be one of the first
run, byte by byte but for the card with its date, MM_UTC. At last the command is run to
its end. The same is done with two workers of dask.distributed of which one is killed
while they work. Exits with 1 if anything differs.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import shared
from astropy.io import fits

from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.weights import load_model

COMMAND = Path(sys.executable).parent / "maximask-astro"
N_FILES, SIDE = 120, 1600
# When a mask was made is not the same.
DATE = re.compile(rb"MM_UTC  = '[^']*'")


def write_exposures(folder):
    """Sky with stars and hot columns."""
    folder.mkdir()
    for number in range(N_FILES):
        generator = np.random.default_rng(number)
        image = generator.normal(500, 8, (SIDE, SIDE)).astype("f4")
        image[:, generator.integers(SIDE)] += 300
        fits.writeto(folder / f"{number:02d}.fits", image)


def start(exposures, masks, *options):
    """The command as a process that runs."""
    return subprocess.Popen(
        [
            *(COMMAND, "mask", exposures, "-q", "-o", masks),
            *("--if-exists", "resume", *options),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(masks):
    """The masks that show, by name; those under way have names that do not."""
    if not masks.is_dir():
        return {}
    return {
        path.name: DATE.sub(b"", path.read_bytes())
        for path in masks.glob("[!.]*.masks.fits")
    }


def finish(process):
    """Wait for the end of a command that must succeed."""
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors)


def kill_runs(exposures, masks, expected, number):
    """Kill so many runs, and let the last one end."""
    moments = random.Random(1)
    wrong = shown = 0
    for index in range(number):
        process = start(exposures, masks)
        # From the start of the interpreter to the last files.
        time.sleep(moments.uniform(0.5, 6.0))
        ended = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = contents(masks)
        new, shown = len(found) - shown, len(found)
        wrong += sum(expected.get(name) != data for name, data in found.items())
        how = "had ended" if ended else "killed"
        print(f"  run {index + 1:2d}: {how}, {new:2d} new files, {shown:2d} in all")
    finish(start(exposures, masks))
    return wrong


def kill_worker(exposures, masks):
    """Kill one of two workers while they work."""
    process = start(exposures, masks, "--jobs", "2")
    while len(contents(masks)) < N_FILES // 4:
        if process.poll() is not None:
            raise RuntimeError(process.stderr.read())
        time.sleep(0.05)
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]
    os.kill(workers[0].pid, signal.SIGKILL)
    print(f"  one of {len(workers)} worker processes killed "
          f"after {len(contents(masks))} files")  # fmt: skip
    finish(process)


def report(expected, masks, wrong=0):
    """Compare what is there in the end; whether all is well."""
    found = contents(masks)
    others = [path.name for path in masks.iterdir() if path.name not in expected]
    same = found == expected
    print(f"  files that were partial or different after a kill: {wrong}")
    print(f"  in the end the same {len(expected)} files, but for MM_UTC: {same}")
    print(f"  other files in the directory: {len(others)}")
    return same and not wrong and not others


def main(args):
    """Disturb and compare."""
    shared.print_header(
        f"A run over {N_FILES} files of {SIDE} x {SIDE} that is killed",
        [load_model(DEFAULT_MODEL)],
    )
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        exposures = directory / "exposures"
        write_exposures(exposures)
        finish(start(exposures, directory / "undisturbed"))
        expected = contents(directory / "undisturbed")
        assert len(expected) == N_FILES
        print(f"\nKilled {args.number} times at random moments, and started again")
        masks = directory / "killed"
        wrong = kill_runs(exposures, masks, expected, args.number)
        well = report(expected, masks, wrong)
        print("\nTwo workers of dask.distributed")
        masks = directory / "workers"
        kill_worker(exposures, masks)
        well = report(expected, masks) and well
    return 0 if well else 1


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=20)
    sys.exit(shared.run(main, parser.parse_args()))
