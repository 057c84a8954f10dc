"""
Compare the port of MaxiTrack with the published network.

    python benchmarks/tracking_parity.py DATA \
        --output benchmarks/output/tracking/parity.txt

DATA is the directory of real exposures and reference outputs, by default
``$MAXIMASK_ASTRO_TEST_DATA``. The network is run on the reference blocks, and the
command ``maxitrack`` on two exposures whose published results are known. The exit
code is 1 if a bound is not met.
"""

import os
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import shared
from parity import TRACKER, logits_of, report
from scipy.special import softmax

from maximask_astro.scripts.maxitrack import OUTPUT
from maximask_astro.scripts.maxitrack import main as maxitrack
from maximask_astro.weights import load_model

# As the published command wrote them, with its default prior.
PUBLISHED = {"exotic_013612.fits": 0.0000, "saao_ste3_raw.fits": 0.0060}


def main(args):
    """Compare blocks, then files."""
    model = load_model(TRACKER)
    shared.print_header("MaxiTrack against its port", [model])
    reference = np.load(args.data / "reference" / "blocks.npz")
    found = softmax(logits_of(model, reference["image"]).astype(float), axis=1)
    print("Reference blocks (3 of 400 x 400, normalized)")
    difference = np.abs(found - reference["maxitrack"]).max()
    met = report("largest difference in probability", difference, 1e-4)
    print(f"\nThe command maxitrack: lines of {OUTPUT}")
    with tempfile.TemporaryDirectory() as directory, chdir(directory):
        for name, published in PUBLISHED.items():
            met &= maxitrack([str(args.data / "exposures" / name)]) == 0
            line = Path(OUTPUT).read_text(encoding="utf-8").splitlines()[-1]
            path, value = line.rsplit(" ", 1)
            same = report(
                f"{Path(path).name} {value}, published {published:.4f}: difference",
                abs(float(value) - published),
                1e-4,
            )
            met &= same
    return 0 if met else 1


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=0)
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the directory of exposures")
    arguments.data = arguments.data.resolve()
    sys.exit(shared.run(main, arguments))
