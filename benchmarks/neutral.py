"""
Compare models on exposures that none of them was trained on.

Stars, galaxies and diffraction spikes are rendered by GalSim, contaminants
come from real detectors where possible (``neutral_sky.py`` and
``neutral_contaminants.py``). Nothing comes from the library's simulation::

    python benchmarks/neutral.py DATA --models maximask-1.4.1 \
        --output benchmarks/output/neutral.txt --figure docs/_static/neutral.png

The exposures are the same in every run; ``--cache`` keeps them in a directory.
"""

import sys
from pathlib import Path

import numpy as np
import shared
from neutral_contaminants import (
    bad_lines,
    bad_pixels,
    cosmic_rays,
    dead_values,
    fringes,
    hot_values,
    nebulosity,
    overscan,
    persistence,
    read_ingredients,
    trails,
)
from neutral_sky import (
    SIZE,
    Optics,
    bleed,
    draw_camera,
    draw_galaxies,
    draw_spikes,
    draw_stars,
)
from pictures import save_picture

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS, CLASSES

SEED, VERSION = 4719, 3
FREQUENCY = 0.4  # of each contaminant
MARGIN = 0.02

# A defect that takes light away shows where the sky is this often the noise.
_SEEN = 5


def make_exposure(number, ingredients):
    """
    Render one exposure.

    Parameters
    ----------
    number : int
        Which one.

    ingredients : `~neutral_contaminants.Ingredients`
        What is taken from real detectors.

    Returns
    -------
    image : `~numpy.ndarray`
        float32, in counts.

    labels : `~numpy.ndarray` of bool
        Shape (height, width, 14).
    """
    rng = np.random.default_rng([SEED, number])
    camera = draw_camera(rng)
    optics = Optics(rng, camera)
    has = {name: rng.random() < FREQUENCY for name in ABBREVIATIONS}
    noise, sky = camera.noise, camera.sky
    where = {name: np.zeros((SIZE, SIZE), bool) for name in ABBREVIATIONS}

    # Light
    light = draw_stars(rng, camera, optics) + draw_galaxies(rng, camera, optics)
    if has["SP"]:
        stars, where["SP"] = draw_spikes(rng, camera, optics, rng.integers(1, 4))
        light += stars
    where["BBG"] = light > 10 * noise
    for name, draw, source in (
        ("NEB", nebulosity, ingredients.nebula),
        ("FR", fringes, ingredients.fringes),
        ("P", persistence, optics),
        ("TRL", trails, optics),
    ):
        if has[name]:
            added, where[name] = draw(rng, noise, source)
            light += added

    # Charge
    charge = rng.poisson(np.maximum(light + sky, 0)).astype(float)
    if has["CR"]:
        added, where["CR"] = cosmic_rays(rng, noise, ingredients.cosmic_rays)
        charge += added
    well = camera.full_well + sky
    charge, where["SAT"] = bleed(charge, well, rng.uniform(0.2, 1.0))

    # Readout
    visible = sky > _SEEN * noise
    if has["OV"] and visible:
        where["OV"] = overscan(rng)
        charge[where["OV"]] = 0
        for name in ABBREVIATIONS:
            where[name] &= (name == "OV") | ~where["OV"]
    counts = charge + rng.normal(0, camera.read_noise, charge.shape)
    for name, dead in (("HCL", False), ("DCL", True), ("HP", False), ("DP", True)):
        if not has[name] or (dead and not visible):
            continue
        if name in ("HCL", "DCL"):
            shapes = ingredients.columns, ingredients.clusters
            mask = bad_lines(rng, *shapes, dead)
        else:
            mask = bad_pixels(rng, ingredients.dead if dead else ingredients.hot)
        if dead:
            counts[mask] = dead_values(rng, sky, noise, mask)
        else:
            counts[mask] = sky + hot_values(rng, noise, mask)
        where[name] = mask
    image = counts / camera.gain
    image = np.rint(image + camera.bias) if camera.raw else image - sky / camera.gain
    where["BG"] = ~np.any([where[name] for name in ABBREVIATIONS], axis=0)
    labels = np.stack([where[name] for name in ABBREVIATIONS], axis=-1)
    return np.minimum(image, 65535).astype(np.float32), labels


def exposures(args):
    """Render the exposures, or read those that were kept."""
    ingredients = None
    for number in range(args.number):
        file = None
        if args.cache is not None:
            file = args.cache / f"neutral-{VERSION}-{SEED}-{number}.npz"
            if file.exists():
                kept = np.load(file)
                labels = np.unpackbits(kept["labels"], axis=-1, count=14).astype(bool)
                yield kept["image"], labels
                continue
        if ingredients is None:
            ingredients = read_ingredients(args.data)
        image, labels = make_exposure(number, ingredients)
        if file is not None:
            args.cache.mkdir(parents=True, exist_ok=True)
            np.savez(file, image=image, labels=np.packbits(labels, axis=-1))
        yield image, labels


def print_table(histograms, reference):
    """Area under the ROC curve by class and model, and who lost where."""
    areas = {name: histogram.auc() for name, histogram in histograms.items()}
    fractions = next(iter(histograms.values())).fractions
    print("Area under the ROC curve")
    print(f"  {'class':<6}{'of pixels':>10}", *(f"{name[:22]:>24}" for name in areas))
    for index, flag in enumerate(ABBREVIATIONS):
        values = "".join(f" {area[index]:>24.4f}" for area in areas.values())
        print(f"  {flag:<6}{fractions[index]:>10.1e}{values}")
    values = "".join(f" {np.nanmean(area):>24.4f}" for area in areas.values())
    print(f"  {'mean':<16}{values}\n")
    for name, area in areas.items():
        if name == reference or reference not in areas:
            continue
        lost = area - areas[reference]
        better = int((lost >= 0).sum())
        print(f"{name} against {reference}: {better} of 14 classes not below")
        mean = np.nanmean(area) - np.nanmean(areas[reference])
        print(f"  {'PASS' if mean >= 0 else 'FAIL'}  mean: {mean:+.4f}")
        below = [
            f"{flag} {value:+.4f}"
            for flag, value in zip(ABBREVIATIONS, lost, strict=True)
            if value < -MARGIN
        ]
        verdict = "FAIL" if below else "PASS"
        print(f"  {verdict}  more than {MARGIN} below: {', '.join(below) or 'none'}")


def draw_sheet(kept, path):
    """Some of the exposures with their labels."""
    from astropy.visualization import ZScaleInterval
    from matplotlib import pyplot as plt
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    flags = [flag for flag in CLASSES if flag.abbreviation not in ("BG", "BBG")]
    shown = kept[:16]
    n_rows = -(-len(shown) // 4)
    figure, axes = plt.subplots(
        n_rows, 8, figsize=(16, 2.05 * n_rows + 0.4), layout="constrained"
    )
    for ax in axes.ravel():
        ax.axis("off")
    for (image, labels), left, right in zip(
        shown, axes.ravel()[::2], axes.ravel()[1::2], strict=False
    ):
        low, high = ZScaleInterval().get_limits(image)
        stretched = np.arcsinh(4 * (image - low) / max(high - low, 1e-6))
        left.imshow(stretched, origin="lower", cmap="gray", vmin=0, vmax=2.5)
        overlay = np.full((*image.shape, 3), 1.0)
        overlay[labels[..., ABBREVIATIONS.index("BBG")]] = 0.85
        masks = {flag: labels[..., ABBREVIATIONS.index(flag.abbreviation)]
                 for flag in flags}  # fmt: skip
        for flag in sorted(flags, key=lambda f: -masks[f].sum()):
            overlay[masks[flag]] = to_rgb(flag.color)
        right.imshow(overlay, origin="lower")
    handles = [Patch(color=flag.color, label=flag.abbreviation) for flag in flags]
    figure.legend(handles=handles, loc="outside lower center", ncols=12)
    save_picture(figure, path)


def main(args):
    """Score the models and print."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        f"Neutral exposures: {args.number} of {SIZE} x {SIZE} pixels",
        evaluators.values(),
    )
    histograms = {name: ScoreHistogram(len(ABBREVIATIONS)) for name in evaluators}
    kept = []
    for image, labels in exposures(args):
        for name, evaluator in evaluators.items():
            histograms[name].add(evaluator(image), labels)
        if args.figure is not None and len(kept) < 16:
            kept.append((image, labels))
    print_table(histograms, shared.PUBLISHED)
    if args.figure is not None:
        draw_sheet(kept, args.figure)
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=60)
    parser.add_argument("data", type=Path, help="directory of real data")
    parser.add_argument("--cache", type=Path, help="keep the exposures here")
    args = parser.parse_args()
    sys.exit(shared.run(main, args))
