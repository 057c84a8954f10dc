"""
Pictures of a model's failures, at the default priors and thresholds.

For each class, where most pixels were called so that are not (red), and where most that
are were missed (cyan), among the exposures of a night and exposures full of
contaminants, half of them on the real skies for validation::

    python benchmarks/failures.py DATA --models contaminants-2 \\
        --figure docs/_static/failures.png
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import shared
from scipy.ndimage import uniform_filter
from skies import marked_skies

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.masking import ContaminantMasker
from maximask_astro.training import read_recipe
from maximask_astro.training.exposures import night_config, simulation_config
from maximask_astro.training.nights import exposures_of
from maximask_astro.weights import load_model

SEED, SIZE, CUTOUT = 978, 768, 192
COLORS = {"wrong": (0.9, 0.1, 0.1, 0.45), "missed": (0.0, 0.8, 0.9, 0.45)}


def worst(masker, exposures, found):
    """Keep, for each class, the cut-out with most wrong pixels, and most missed."""
    for image, labels, known, _ in exposures:
        cmap = masker(image)
        for name in shared.CONTAMINANTS:
            bit = np.uint16(1 << ABBREVIATIONS.index(name))
            true, sure = labels & bit != 0, known & bit != 0
            called = cmap.class_mask(name)
            failures = {"wrong": called & ~true, "missed": true & ~called}
            for kind, pixels in failures.items():
                density = uniform_filter((pixels & sure).astype(np.float32), CUTOUT)
                best = float(density.max())
                if best > found.get((name, kind), (0.0,))[0]:
                    y, x = np.unravel_index(density.argmax(), density.shape)
                    top, left = (
                        int(np.clip(n - CUTOUT // 2, 0, max(length - CUTOUT, 0)))
                        for n, length in zip((y, x), image.shape, strict=True)
                    )
                    part = np.s_[top : top + CUTOUT, left : left + CUTOUT]
                    found[name, kind] = best, image[part], (pixels & sure)[part]


def draw(found, title, path):
    """Two panels a class."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(4, 6, figsize=(15, 10.6), layout="constrained")
    figure.suptitle(title)
    names = [
        (name, kind) for name in shared.CONTAMINANTS for kind in ("wrong", "missed")
    ]
    for (name, kind), ax in zip(names, axes.flat, strict=False):
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{name}: {kind}", loc="left", fontsize=10)
        if (name, kind) not in found:
            continue
        _, image, pixels = found[name, kind]
        low, high = np.quantile(image, (0.02, 0.99))
        ax.imshow(image, vmin=low, vmax=high, cmap="gray", origin="lower")
        shade = np.zeros((*pixels.shape, 4))
        shade[pixels] = (
            (0.9, 0.1, 0.1, 0.45) if kind == "wrong" else (0, 0.8, 0.9, 0.45)
        )
        ax.imshow(shade, origin="lower")
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    shared.save_figure(figure, path)


def main(args):
    """Draw the figure, and say how large the failures are."""
    (model,) = (load_model(name) for name in args.models[:1])
    masker = ContaminantMasker(args.models[0], keep_probabilities=False)
    recipe = replace(read_recipe("cpu"), size=SIZE, seed=SEED)
    skies = marked_skies(args.data, "validation")
    shared.print_header(
        f"The largest failures in {args.number} exposures of a night and "
        f"{args.number} full of contaminants: fraction of {CUTOUT} x {CUTOUT} pixels",
        [model],
    )
    found = {}
    fractions = dict.fromkeys(ABBREVIATIONS, 0.02)
    for purpose, config in (
        ("export", simulation_config(recipe)),
        ("night", night_config(recipe, fractions)),
    ):
        worst(masker, exposures_of(recipe, config, purpose, args.number, skies), found)
    for (name, kind), (share, *_) in sorted(found.items()):
        print(f"  {name:<5}{kind:<8}{share:.3f}")
    if args.figure:
        title = f"Largest failures of {model.card.name}: called wrongly, and missed"
        draw(found, title, args.figure)
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=36)
    parser.add_argument("data", type=Path, help="folder with the folder 'skies'")
    sys.exit(shared.run(main, parser.parse_args()))
