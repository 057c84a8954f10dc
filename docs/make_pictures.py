# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the pictures of the documentation, in ``docs/_static``.

Run with the published network and matplotlib installed::

    python docs/make_pictures.py DATA

DATA is the directory of real exposures, by default
``$MAXIMASK_ASTRO_TEST_DATA``. Only exposures whose license permits it are shown,
and the captions name their origin. Without the directory, only the pictures of
simulated exposures are made. ``--only motions tracking`` makes only these.
"""

import argparse
import os
import tempfile
from pathlib import Path

import jax
import matplotlib as mpl
import numpy as np
from astropy.io import fits
from astropy.visualization import ZScaleInterval
from PIL import Image

from maximask_astro.background import normalize
from maximask_astro.datasets import make_example_exposure
from maximask_astro.flags import ABBREVIATIONS, get_class
from maximask_astro.masking import ContaminantMasker
from maximask_astro.scripts.main import main as maximask_astro
from maximask_astro.simulation import simulate_exposure, simulate_tracking
from maximask_astro.simulation.motion import KINDS
from maximask_astro.tracking import TrackingClassifier

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

STATIC = Path(__file__).parent / "_static"

# Picture, file, HDU, and the part that is shown: x and y (None: all of it).
REAL = (
    ("real_hst", "hst_wfc3uvis_pluto1.fits", 1, None),
    ("real_hsc", "hsc_raw_trail.fits", 0, None),
    ("real_saao", "saao_ste3_raw.fits", 0, ((0, 250), (80, 330))),
    ("real_vatt", "vatt4k_trail.fits", 0, None),
)

LARGEST = 300_000  # bytes

# The gallery of simulated exposures: shape, and how many are made for a panel.
GALLERY_SHAPE, GALLERY_CHOICE = (192, 192), 8

# The gallery of tracking errors: what its panels show, and of which blurs (pixels)
# and with how many stars.
MOTIONS = {
    "tracked": "tracked",
    "drift": "drift",
    "jump": "jump",
    "periodic": "periodic error",
    "shake": "wind",
    "curve": "curved drift",
    "rotation": "rotation",
    "partial": "guiding lost",
}
MOTION_LENGTHS, MOTION_STARS = (12, 30), 25

# The exposure that is judged, and the most that are looked at to find one.
JUDGED_SHAPE, JUDGED_CHOICE = (768, 1024), 400


def save(source, name):
    """Save a picture with 32 levels a color, which makes its file small."""
    picture = np.asarray(Image.open(source).convert("RGB"))
    picture = np.rint(np.rint(picture / 255 * 31) / 31 * 255).astype(np.uint8)
    path = STATIC / f"{name}.png"
    Image.fromarray(picture).save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        raise RuntimeError(f"{path} has {size} bytes; make it smaller.")
    print(f"{path.name:20s} {size:7d} bytes")


def save_figure(figure, name, dpi=90):
    """Save a figure and close it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "picture.png"
        figure.savefig(path, dpi=dpi, bbox_inches="tight")
        save(path, name)
    plt.close(figure)


def draw_demo():
    """What ``maximask-astro demo`` draws."""
    with tempfile.TemporaryDirectory() as directory:
        if maximask_astro(["demo", "--output-dir", directory]):
            raise RuntimeError("The demonstration failed.")
        save(Path(directory) / "maximask_demo.png", "demo")


def draw_uncertainty():
    """A star with spikes: their probability and its uncertainty."""
    exposure = make_example_exposure()
    masker = ContaminantMasker(classes="SP", uncertainty="dihedral")
    cmap = masker(exposure)
    spikes = cmap.probabilities["SP"]
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    cmap.imshow(exposure, ax=axes[0], classes=[])
    axes[0].set_title("Exposure (simulated)")
    for ax, values, title, high in (
        (axes[1], spikes.data, "Probability of SP", 1.0),
        (axes[2], spikes.uncertainty.array, "Its standard deviation", 0.5),
    ):
        image = ax.imshow(values, origin="lower", vmin=0, vmax=high, cmap="magma")
        figure.colorbar(image, ax=ax, shrink=0.85)
        ax.set_title(title)
        ax.set_xlabel("x (pixels)")
    for ax in axes:
        ax.set(xlim=(130, 350), ylim=(285, 505))
    save_figure(figure, "uncertainty", dpi=70)


def choose_simulation(index, name):
    """Of a few exposures with a class, the one in which it is seen best."""
    best, most = None, -1.0
    for seed in range(index * GALLERY_CHOICE, (index + 1) * GALLERY_CHOICE):
        clean = simulate_exposure(seed, GALLERY_SHAPE, classes="none")
        exposure = clean
        if name not in ("BBG", "BG"):
            exposure = simulate_exposure(seed, GALLERY_SHAPE, classes=name)
        # What changes between black and white.
        limits = ZScaleInterval().get_limits(exposure.ccd.data)
        before = np.median(clean.ccd.data) if exposure is clean else clean.ccd.data
        change = np.clip(exposure.ccd.data, *limits) - np.clip(before, *limits)
        seen = np.abs(change[exposure.labels[name]]).sum() / np.ptp(limits)
        if seen > most:
            best, most = exposure, seen
    return best


def draw_gallery():
    """Simulated exposures, one a class, with the outlines of its labels."""
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.4), layout="constrained")
    for index, (ax, name) in enumerate(zip(axes.flat, ABBREVIATIONS, strict=True)):
        ccd, labels = choose_simulation(index, name)
        low, high = ZScaleInterval().get_limits(ccd.data)
        ax.imshow(ccd.data, origin="lower", cmap="gray", vmin=low, vmax=high)
        color = get_class(name).color
        if name != "BG":
            ax.contour(labels[name], [0.5], colors=color, linewidths=1.0)
        ax.set_title(name if name != "BG" else "BG: no outlines", fontsize=9)
        ax.set(xticks=[], yticks=[])
    save_figure(figure, "simulations", dpi=72)


def stretched(image):
    """A normalized image as levels of gray."""
    return np.arcsinh(normalize(image, method="photutils")[0])


def simulated_motions():
    """An exposure and its truth for each of `MOTIONS`, the first with many stars."""
    found = {}
    for seed in range(64):
        images, truth = simulate_tracking(jax.random.key(seed), 64)
        images, truth = np.asarray(images), jax.tree.map(np.asarray, truth)
        clear = (truth.n_stars >= MOTION_STARS) & ~truth.defocused & (truth.fwhm < 5)
        shows = (truth.affected == 2) & (truth.length > MOTION_LENGTHS[0])
        shows &= truth.length < MOTION_LENGTHS[1]
        for name in MOTIONS:
            if name == "tracked":
                chosen = clear & (truth.affected == 0)
            else:
                chosen = clear & shows & (truth.kind == KINDS.index(name))
            if name not in found and chosen.any():
                first = int(np.argmax(chosen))
                one = jax.tree.map(lambda value, i=first: value[i], truth)
                found[name] = images[first], one
        if len(found) == len(MOTIONS):
            return found
    raise RuntimeError(f"There is no exposure with {set(MOTIONS) - set(found)}.")


def draw_motions():
    """Simulated tracking errors, one of each kind, with length and angle."""
    figure, axes = plt.subplots(2, 4, figsize=(12, 6.6), layout="constrained")
    found = simulated_motions()
    for ax, (name, title) in zip(axes.flat, MOTIONS.items(), strict=True):
        image, truth = found[name]
        ax.imshow(stretched(image), origin="lower", cmap="gray", vmin=-1.5, vmax=5)
        if name != "tracked":
            angle = np.degrees(truth.angle)
            title = f"{title}: {truth.length:.0f} pixels, {angle:.0f}°"
            half = truth.length / 2
            dy, dx = half * np.sin(truth.angle), half * np.cos(truth.angle)
            ax.add_patch(Rectangle((4, 4), 36, 36, facecolor="white", edgecolor="none"))
            ax.plot([22 - dx, 22 + dx], [22 - dy, 22 + dy], color="#d62728", lw=2.5)
        ax.set_title(title, fontsize=11)
        ax.set(xticks=[], yticks=[])
    save_figure(figure, "motions", dpi=72)


def rotating_exposure():
    """A simulated exposure of a field that rotates about a point in or near it."""
    for seed in range(JUDGED_CHOICE):
        images, truth = simulate_tracking(jax.random.key(seed), 1, JUDGED_SHAPE)
        if (
            KINDS[truth.kind[0]] == "rotation"
            and truth.affected[0] == 2
            and 8 < truth.length[0] < 30
            and truth.n_stars[0] > 150
            and not truth.defocused[0]
        ):
            return np.asarray(images[0])
    raise RuntimeError("There is no exposure of a rotating field with enough stars.")


def draw_tracking():
    """A simulated exposure, and what the default model says about it."""
    image = rotating_exposure()
    figure, axes = plt.subplots(1, 2, figsize=(14, 5.2), layout="constrained")
    axes[0].imshow(stretched(image), origin="lower", cmap="gray", vmin=-1.5, vmax=5)
    axes[0].set(title="Exposure (simulated)", xlabel="x (pixels)", ylabel="y (pixels)")
    TrackingClassifier()(image).imshow(image, ax=axes[1])
    save_figure(figure, "tracking", dpi=66)


def draw_real(data):
    """Real exposures beside what the published network finds in them."""
    masker = ContaminantMasker("maximask-1.4.1", keep_probabilities=False)
    for name, file, hdu, part in REAL:
        exposure = fits.getdata(data / "exposures" / file, hdu)
        cmap = masker(exposure)
        figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
        cmap.imshow(exposure, ax=axes[0], classes=[])
        cmap.imshow(exposure, ax=axes[1])
        if part is not None:
            for ax in axes:
                ax.set(xlim=part[0], ylim=part[1])
        save_figure(figure, name, dpi=80)


PICTURES = {
    "simulations": draw_gallery,
    "motions": draw_motions,
    "tracking": draw_tracking,
    "demo": draw_demo,
    "uncertainty": draw_uncertainty,
    "real": draw_real,
}


def main():
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES))
    args = parser.parse_args()
    for name in args.only:
        if name != "real":
            PICTURES[name]()
        elif args.data is None:
            print("No directory of real exposures: their pictures stay as they are.")
        else:
            draw_real(args.data)


if __name__ == "__main__":
    main()
