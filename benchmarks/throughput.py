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
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import shared
from measuring import Programs, compare, measure, wait_until_quiet

from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.weights import load_model

PUBLISHED_MODEL = "maximask-1.4.1"

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


class OtherPrograms(Programs):
    """The commands to compare."""

    def __init__(self, directory, published):
        super().__init__(directory)
        self.published = published

    def first(self, folder):
        """Our command where nothing was compiled before."""
        compiled = self.directory / "compiled"
        shutil.rmtree(compiled, ignore_errors=True)
        return ["env", f"JAX_COMPILATION_CACHE_DIR={compiled}", *self.ours(folder)]

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
        "default model, and compiles": lambda: programs.first(cold),
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


def main(args):
    """Measure and report."""
    wait_until_quiet()
    shared.print_header(
        f"Throughput of whole commands on {os.cpu_count()} processors, "
        f"{args.number} rounds",
        [load_model(name) for name in (DEFAULT_MODEL, PUBLISHED_MODEL)],
    )
    with tempfile.TemporaryDirectory() as directory:
        programs = OtherPrograms(Path(directory), args.published)
        # What is compiled is kept from here on.
        measure(programs.ours(programs.files(2048, 1)))
        directory_of_files(programs, args.number, args.files)
        start_up(programs, args.number)
        if args.published is not None:
            against_published(programs, args.number, args.files)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=3)
    parser.add_argument("--published", type=Path, help="the command of MaxiMask 1.4.1")
    parser.add_argument("--files", type=int, default=17, help="files of a directory")
    sys.exit(shared.run(main, parser.parse_args()))
