"""
Whether many small files in one call take more and more memory, or compile twice.

    python benchmarks/many_files.py --output benchmarks/output/many_files.txt

So many files of 300 x 300 are masked by one call of `maximask_astro.batch.process`.
Exits with 1 if the memory of the process grows by more than 2% from the hundredth file
to the last, or if more than one network is compiled.
"""

import sys
import tempfile
from pathlib import Path

import jax
import numpy as np
import psutil
import shared
from astropy.io import fits

from maximask_astro import ContaminantMasker
from maximask_astro.batch import process
from maximask_astro.inference import keep_memory
from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.scripts.start import without_thread_caches
from maximask_astro.weights import load_model

SIDE = 300
# What takes longer to compile, in seconds, is a network; nothing else takes a third.
LONG = 0.15
COMPILED = "/jax/core/compile/backend_compile_duration"


def main(args):
    """Mask and measure."""
    keep_memory()
    shared.print_header(
        f"{args.number} files of {SIDE} x {SIDE} in one call",
        [load_model(DEFAULT_MODEL)],
    )
    durations, memory = [], []

    def listen(name, duration, **_):
        if name == COMPILED:
            durations.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    own = psutil.Process()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "exposures"
        folder.mkdir()
        image = np.random.default_rng(1).normal(500, 8, (SIDE, SIDE)).astype("f4")
        for number in range(args.number):
            fits.writeto(folder / f"{number:04d}.fits", np.roll(image, number))

        def note(done, total, result):
            assert result.status == "masked", result.message
            memory.append(own.memory_info().rss / 1e6)

        process(folder, ContaminantMasker(), output_dir=directory, on_result=note)
    print("\nMemory of the process")
    for number in sorted({1, 10, 100, *range(200, args.number, 200), args.number}):
        print(f"  after file {number:5d}: {memory[number - 1]:7.1f} MB")
    growth = memory[-1] / memory[99] - 1
    networks = sum(duration > LONG for duration in durations)
    print(f"  growth from the hundredth file to the last: {100 * growth:+.2f}%")
    print("\nCompiled")
    print(f"  networks: {networks}")
    others = sorted(duration for duration in durations if duration <= LONG)
    print(f"  anything else: {len(others)}, in up to {others[-1]:.2f} s each")
    return 0 if growth < 0.02 and networks == 1 else 1


if __name__ == "__main__":
    without_thread_caches()  # as commands
    parser = shared.make_parser(__doc__, number=1000)
    sys.exit(shared.run(main, parser.parse_args()))
