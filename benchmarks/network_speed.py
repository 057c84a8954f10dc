"""
How much of a run is the network, and how near it is to what the machine can do.

    python benchmarks/network_speed.py --output benchmarks/output/network_speed.txt

In one process, where everything is compiled: a FITS file of 4096 x 4096 pixels to its
bit mask, the network alone on as many pixels, and single convolutions of as many
channels as suit the machine. On an accelerator the network also runs in bfloat16, and
what that changes is counted. Nothing is reported if the machine is busy.
"""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
import shared
from astropy.io import fits
from measuring import exposure, wait_until_quiet

from maximask_astro import ContaminantMasker
from maximask_astro.batch import process
from maximask_astro.inference import keep_memory
from maximask_astro.inference.row_engine import band_height
from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.networks import RowNetwork, apply_kernel, row_function
from maximask_astro.utils.compiling import compiled
from maximask_astro.weights import load_model

SIDE = 4096
# Multiply-adds of 3 by 3 kernels with so many channels, in and out.
CHANNELS = (48, 96, 128, 256)

# What makers say, in FLOP/s: float32 (with TF32 for products), bfloat16; byte/s.
PEAKS = {"NVIDIA H200": (494e12, 989e12, 4.8e12)}


def seconds(function, rounds):
    """Median time of a call whose results are there."""
    jax.block_until_ready(function())
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return median(times)


def convolution_rate(rounds):
    """The fastest convolution, in FLOP/s."""
    rates = []
    for channels in CHANNELS:
        image = jnp.ones((1, 160, 256, channels), jnp.float32)
        kernel = jnp.ones((3, 3, channels, channels), jnp.float32)
        convolve = jax.jit(partial(apply_kernel, kernel=kernel))
        work = 2 * 9 * channels**2 * 160 * 256
        rates.append(work / seconds(lambda c=convolve, i=image: c(i), 5 * rounds))
        print(f"  {channels:4d} channels: {rates[-1] / 1e9:8.0f} GFLOP/s")
    return max(rates)


class Counter:
    """A graph whose maps are (pixels of the image to one of theirs, channels)."""

    def __init__(self):
        self.work = 0

    def conv(self, x, name, filters, size=3, activation="relu"):
        """Count multiplications and additions, a pixel of the image."""
        self.work += 2 * size**2 * x[1] * filters / x[0]
        return x[0], filters

    def arcsinh(self, x):
        """Do nothing: what is not a convolution does not count."""
        return x

    def pool(self, x):
        """Make four pixels one."""
        return 4 * x[0], x[1]

    def upsample(self, x, name):
        """Make one pixel four."""
        return x[0] // 4, x[1]

    def fold(self, x):
        """Make pixels channels."""
        return 4 * x[0], 4 * x[1]

    def unfold(self, x):
        """Make channels pixels."""
        return x[0] // 4, x[1] // 4

    def add(self, first, second):
        """Check that both are alike."""
        assert first == second
        return first

    def concatenate(self, maps):
        """Put channels together."""
        return maps[0][0], sum(x[1] for x in maps)


def work_of(model):
    """Multiplications and additions of the network's convolutions, a pixel."""
    counter = Counter()
    row_function(model.card.architecture, model.card.options)(counter, (1, 1))
    return counter.work


def network_alone(model, dtype, rounds):
    """Time of the network on rows, as often as an image needs, and its logits."""
    card = model.card
    rows = band_height(model, (SIDE, SIDE))
    function = row_function(card.architecture, card.options)
    weights = {path: jnp.asarray(w, dtype) for path, w in model.weights.items()}
    network = RowNetwork(function, weights, rows, SIDE)
    image = np.random.default_rng(1).normal(0, 3, (rows, SIDE, 1)).astype("f4")
    image = jnp.asarray(image, dtype)

    @compiled
    def step(queues, start):
        return network.step(weights, queues, image, start, SIDE)

    def run():
        state = network.first_state()
        state = jax.tree.map(lambda array: jnp.asarray(array, dtype), state)
        for start in range(0, SIDE + network.late, rows):
            logits, new = step(network.before_step(state), start)
            state = network.after_step(state, new)
            if jax.default_backend() == "cpu":
                jax.block_until_ready(logits)
        return logits

    return seconds(run, rounds), np.asarray(run(), "f4")


def whole_run(rounds):
    """Time from file to file."""
    masker = ContaminantMasker()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "exposure.fits"
        fits.writeto(path, exposure(SIDE))

        def run():
            results = process(path, masker, if_exists="overwrite")
            assert results[0].status == "masked", results[0].message

        return seconds(run, rounds)


def main(args):
    """Measure and report."""
    keep_memory()
    if jax.default_backend() == "cpu":
        wait_until_quiet()
    device = jax.devices()[0].device_kind
    model = load_model(DEFAULT_MODEL)
    shared.print_header(f"Speed of the network on {device}", [model])
    print("Convolutions of 3 x 3 in float32")
    rate = convolution_rate(args.number)
    work = work_of(model)
    print(f"\nThe network: {work / 1e3:.1f} kFLOP a pixel in convolutions")
    pixels = SIDE**2
    alone, logits = network_alone(model, jnp.float32, args.number)
    print(f"  alone, {SIDE} x {SIDE}: {alone:.3f} s, {pixels / alone / 1e6:.2f} "
          f"Mpix/s, {pixels * work / alone / 1e9:.0f} GFLOP/s")  # fmt: skip
    print(f"  of the rate of convolutions: {pixels * work / alone / rate:.1%}")
    whole = whole_run(args.number)
    print(f"\nFrom a FITS file of {SIDE} x {SIDE} to its bit mask: {whole:.3f} s, "
          f"{pixels / whole / 1e6:.2f} Mpix/s")  # fmt: skip
    print(f"  of which the network: {alone / whole:.1%}")
    if device in PEAKS:
        for name, peak in zip(("float32", "bfloat16"), PEAKS[device], strict=False):
            print(f"  no faster than, in {name}: {peak / work / 1e9:.1f} Gpix/s")
    if jax.default_backend() != "cpu":
        low, other = network_alone(model, jnp.bfloat16, args.number)
        change = np.abs(1 / (1 + np.exp(-other)) - 1 / (1 + np.exp(-logits)))
        print(f"\nIn bfloat16: {low:.3f} s, {pixels / low / 1e6:.2f} Mpix/s")
        print(f"  probabilities change by {change.mean():.1e} in the mean, "
              f"{change.max():.2f} at most")  # fmt: skip


if __name__ == "__main__":
    sys.exit(shared.run(main, shared.make_parser(__doc__, number=7).parse_args()))
