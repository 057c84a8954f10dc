"""
Compare the ported networks with the published ones.

Run with the published networks installed (``maximask-astro weights install
maximask-1.4.1 maxitrack-1.4.1``)::

    python benchmarks/parity.py DATA | tee benchmarks/output/parity.txt

DATA is the directory of real exposures and reference outputs, by default
``$MAXIMASK_ASTRO_TEST_DATA``. The exit code is 1 if a bound is not met.
"""

import argparse
import os
import platform
import sys
from pathlib import Path

import jax
import numpy as np
from astropy.io import fits

from maximask_astro.flags import CLASSES
from maximask_astro.inference import update_probability
from maximask_astro.masking import ContaminantMasker
from maximask_astro.utils.keras_backend import import_keras
from maximask_astro.weights import load_model

MASKER, TRACKER = "maximask-1.4.1", "maxitrack-1.4.1"

# Exposures on which the two tilings are compared: file, HDU.
TILING_SET = (
    ("exotic_013612.fits", 0),
    ("saao_ste3_raw.fits", 0),
    ("hst_wfc3uvis_pluto1.fits", 1),
    ("irac_ngc2264.fits", 0),
    ("apogee_eso085_a.fit", 0),
    ("orion_m13_5s.fits", 0),
    ("lco_sinistro_raw_i15s.fits.fz", 1),
    ("lco_sinistro_raw_I60s.fits.fz", 1),
)


def logits_of(model, images):
    """Logits of a loaded model, shape (n, ...), evaluated one image at a time."""
    network = model.network
    variables = (
        [variable.value for variable in network.trainable_variables],
        [variable.value for variable in network.non_trainable_variables],
    )
    evaluate = jax.jit(network.stateless_call)
    return np.concatenate(
        [
            np.asarray(evaluate(*variables, image[None, ..., None])[0])
            for image in images
        ]
    )


def report(label, value, bound=None, *, at_least=False, form=".3g"):
    """Print a figure with its bound, and return whether the bound is met."""
    met = bound is None or (value >= bound if at_least else value <= bound)
    wanted = ""
    if bound is not None:
        wanted = f"   (bound: {'>=' if at_least else '<='} {bound:g}: "
        wanted += f"{'met' if met else 'NOT MET'})"
    print(f"  {label:<58s} {value:{form}}{wanted}")
    return met


def compare_blocks(data):
    """Both networks on the reference blocks, already normalized."""
    reference = np.load(data / "reference" / "blocks.npz")
    images = reference["image"]
    print("Reference blocks (3 of 400 x 400, normalized)")

    model = load_model(MASKER)
    found = 1 / (1 + np.exp(-logits_of(model, images).astype(np.float64)))
    published = reference["maximask"].astype(np.float64)
    met = report("MaxiMask, largest difference in probability",
                 np.abs(found - published).max(), 1e-4)  # fmt: skip

    training = np.array([model.card.training_priors[c.abbreviation] for c in CLASSES])
    prior = np.array([flag.prior for flag in CLASSES])
    threshold = np.array([flag.threshold for flag in CLASSES])
    ours, theirs = (
        np.stack(
            [
                update_probability(p[..., k], training[k], prior[k]) > threshold[k]
                for k in range(14)
            ]
        )
        for p in (found, published)
    )
    agreement = (ours == theirs).mean()
    met &= report("MaxiMask, agreement of thresholded pixels (all classes)",
                  agreement, 0.9999, at_least=True, form=".6f")  # fmt: skip
    print(f"  {'of them different':<58s} {(ours != theirs).sum()} of {ours.size}")

    logits = logits_of(load_model(TRACKER), images).astype(np.float64)
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    found = exponents / exponents.sum(1, keepdims=True)
    met &= report("MaxiTrack, largest difference in probability",
                  np.abs(found - reference["maxitrack"]).max(), 1e-4)  # fmt: skip
    return met


def compare_exposures(data):
    """From the FITS file to masks, against what the published command wrote."""
    reference = np.load(data / "reference" / "published_outputs.npz")
    met = True
    for name in ("exotic_013612", "saao_ste3_raw"):
        exposure = fits.getdata(data / "exposures" / f"{name}.fits")
        print(f"\n{name}: {exposure.shape} {exposure.dtype}, tiling='original'")
        masks = ContaminantMasker(MASKER, tiling="original")(exposure)
        planes = np.stack([masks.class_mask(key) for key in masks.classes])
        packed = reference[f"{name}_masks"]
        published = np.unpackbits(packed, axis=0, count=len(planes)).astype(bool)
        met &= report("agreement of masks (14 planes)", (planes == published).mean(),
                      0.9999, at_least=True, form=".6f")  # fmt: skip
        single = reference[f"{name}_single"]
        met &= report("agreement of the single mask", (masks.bitmask == single).mean(),
                      0.9999, at_least=True, form=".6f")  # fmt: skip
        raw = ContaminantMasker(MASKER, tiling="original", priors=None)(exposure)
        published = reference[f"{name}_proba"].astype(np.float32)
        # The reference is stored in half precision, which rounds by up to 2.4e-4.
        difference = np.abs(raw.probability_planes.astype(np.float16) - published)
        report("largest difference in probability (reference: float16)",
               float(difference.max()))  # fmt: skip
        report("fraction of probabilities that differ by over 1e-3",
               float((difference > 1e-3).mean()))  # fmt: skip
    return met


def compare_tilings(data):
    """The default tiling against the original's, on real exposures."""
    print("\nDefault tiling ('seamless') against 'original', posterior probabilities")
    print(f"  {'exposure':<34s} {'largest':>8s} {'mean':>8s} "
          f"{'masks differ':>13s}  most in")  # fmt: skip
    for name, hdu in TILING_SET:
        exposure = fits.getdata(data / "exposures" / name, hdu)
        exposure = exposure.reshape(exposure.shape[-2:])
        seamless, original = (
            ContaminantMasker(MASKER, tiling=tiling)(exposure)
            for tiling in ("seamless", "original")
        )
        difference = np.abs(seamless.probability_planes - original.probability_planes)
        unequal = {
            key: (seamless.class_mask(key) != original.class_mask(key)).mean()
            for key in seamless.classes
        }
        worst = max(unequal, key=unequal.get)
        print(
            f"  {name:<34s} {np.nanmax(difference):8.3f} {np.nanmean(difference):8.1e} "
            f"{np.mean(list(unequal.values())):13.2e}  {worst} {unequal[worst]:.2e}"
        )


def compare_sizes(data):
    """Whether the default tiling depends on the sizes of tiles and batches."""
    name = "apogee_eso085_a.fit"
    exposure = fits.getdata(data / "exposures" / name)
    print(f"\nTile and batch sizes, {name} {exposure.shape}, 'seamless'")
    whole = ContaminantMasker(MASKER)(exposure)
    met = True
    for options in ({"tile_size": 448}, {"tile_size": 640},
                    {"tile_size": 448, "batch_size": 4}):  # fmt: skip
        tiled = ContaminantMasker(MASKER, **options)(exposure)
        difference = np.abs(whole.probability_planes - tiled.probability_planes)
        met &= report(f"{options}: largest difference", float(difference.max()), 0.0)
    return met


def main():
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    args = parser.parse_args()
    if args.data is None:
        parser.error("name the directory of exposures")
    print(
        f"Python {platform.python_version()}, keras {import_keras().__version__}, "
        f"jax {jax.__version__} on {jax.default_backend()}, numpy {np.__version__}\n"
    )
    met = compare_blocks(args.data)
    met &= compare_exposures(args.data)
    compare_tilings(args.data)
    met &= compare_sizes(args.data)
    print(f"\nAll bounds met: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
