"""
Train what tells images that are unlike exposures, and try it.

It learns from simulated exposures, real skies for training with and without simulated
contaminants, and drawn pictures; how to judge whole images, from exposures of a night,
in which contaminants are as rare as the default priors say. What is usual is measured
on exposures of another night, with as few unusual ones as a night has, a third of them
on the real skies for validation. It is
tried on the real exposures and all the skies, of which at most three should be called
unlike, and on the pictures of ``no_exposures.py``, of which it has seen none, of which
at least 18 of 20 should::

    python benchmarks/train_likeness.py DATA --output benchmarks/output/likeness.npz

``--from FILE`` takes what was trained before, and only measures and tries it.
"""

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from astropy.io import fits
from no_exposures import pictures
from skies import marked_skies, sky_names

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import UNLIKE, Patches, image_score, keep_compiled
from maximask_astro.simulation import (
    RealSkies,
    SimulationConfig,
    simulate,
    spoil_skies,
)
from maximask_astro.training import (
    draw_picture,
    draw_sky_crops,
    measure_likeness,
    patches_of,
    read_recipe,
    train_likeness,
)
from maximask_astro.training.export import half_precision
from maximask_astro.training.exposures import night_config
from maximask_astro.utils.hdus import why_no_exposure

SEED = 31
SIZE = 768

# Not every patch of each is needed.
_PATCHES = 32

# Pixels along a side of the smallest that is judged.
_SMALL = 288

# Exposures that say how frequent classes are.
_FOR_FREQUENCIES = 128

# Skies that are spoilt together, for so many exposures that are simulated wholly.
_SKIES = 4


def exposures(skies, config, number, seed):
    """
    Simulate exposures, wholly and, half as many, on real skies.

    Yields
    ------
    image : array
        An exposure.

    fractions : array or None
        Of its pixels that have each class, if it is simulated wholly.
    """
    key = jax.random.key(seed)
    for index in range(number):
        this = jax.random.fold_in(key, index)
        (image,), labels, _ = simulate(this, 1, config)
        # Wholes and parts.
        size = (SIZE, SIZE // 2, SIZE, _SMALL)[index % 4]
        yield image[:size, :size], np.asarray(labels).mean((0, 1, 2))
        if index % (2 * _SKIES):
            continue
        crops = draw_sky_crops(skies, _SKIES, SIZE, (seed, index))
        real = RealSkies(
            crops.images, crops.present, crops.known, crops.inside, crops.fwhm
        )
        images, *_ = spoil_skies(this, real, config)
        # One of them stays as it was.
        for image in (*images[1:], crops.images[0]):
            yield image, None


def _some(rng, patches):
    chosen = np.sort(rng.permutation(len(patches.pixels))[:_PATCHES])
    pixels, levels = (values[chosen] for values in patches)
    return Patches(pixels.astype(np.float16), levels)


def patches_to_learn(data, number):
    """Patches of exposures and of a night to learn from."""
    rng, fractions, learned = np.random.default_rng(SEED), [], []
    config = SimulationConfig((SIZE, SIZE), quiet=0.5)
    skies = marked_skies(data, "training")
    for image, found in exposures(skies, config, number, SEED):
        learned.append(_some(rng, patches_of(image)))
        fractions += [] if found is None else [found]
    often = dict(zip(ABBREVIATIONS, np.mean(fractions, axis=0).tolist(), strict=True))
    # What is unusual is still an exposure.
    night = night_config(replace(read_recipe("cpu"), size=SIZE), often, unusual=1.0)
    nights = exposures(skies, night, number, SEED + 2)
    return learned, [patches_of(image) for image, _ in nights], often


def patches_to_compare(data, number, often):
    """Patches of a night that is not learned from."""
    night = night_config(replace(read_recipe("cpu"), size=SIZE), often)
    skies = marked_skies(data, "validation")
    return [patches_of(image) for image, _ in exposures(skies, night, number, SEED + 1)]


def read_images(path, most=4):
    """The first images of a file, by name."""
    with fits.open(path, ignore_missing_end=True) as file:
        good = [hdu for hdu in file if why_no_exposure(hdu, chosen=False) is None]
        for hdu in good[:most]:
            planes = hdu.data.reshape(-1, *hdu.shape[-2:])
            yield f"{path.parent.name}/{path.name} {hdu.name}".strip(), planes[0]


def real_images(data):
    """Real exposures, and all skies."""
    unmarked = set(sky_names("training")) | set(sky_names("validation"))
    paths = [p for p in sorted((data / "exposures").iterdir()) if ".fit" in p.name]
    paths += [p for p in sorted((data / "skies").iterdir()) if p.name in unmarked]
    for path in paths:
        if not any(part in path.name for part in ("_dq", "_mask")):
            yield from read_images(path)


def show(title, likeness, images):
    """Say which images are unlike, and of how many files."""
    weights = {
        name: value.astype(np.float32)
        for name, value in likeness.items()
        if name != "scores"
    }
    limit = np.quantile(likeness["scores"], UNLIKE)
    scored = []
    for name, image in images:
        score = image_score(weights, patches_of(image))
        scored.append((np.nan if score is None else score, name))
    unlike = [item for item in scored if item[0] > limit]
    print(f"\n{title}: {len(unlike)} of {len(scored)} are unlike (above {limit:.2f})")
    for score, name in sorted(scored, reverse=True, key=lambda i: np.nan_to_num(i[0])):
        if score > limit - 1.5:
            print(f"  {score:6.2f}  {'unlike' if score > limit else '      '}  {name}")


def learn(data, number, n_pictures, steps):
    """Train with exposures and other pictures; also how frequent classes were."""
    learned, nights, often = patches_to_learn(data, number)
    rng = np.random.default_rng(SEED)
    others = [
        _some(rng, patches_of(draw_picture(SEED, index))) for index in range(n_pictures)
    ]
    print(
        f"{len(learned)} exposures, {len(nights)} of a night and {len(others)} other "
        f"pictures to learn from in {steps} steps"
    )
    likeness = train_likeness(learned, others, nights, steps=steps, progress_bar=True)
    return likeness, often


def frequencies(number):
    """Fraction of the pixels of exposures to learn from that have each class."""
    config = SimulationConfig((SIZE, SIZE), quiet=0.5)
    _, labels, _ = simulate(jax.random.key(SEED), number, config)
    found = np.asarray(labels).mean((0, 1, 2))
    return dict(zip(ABBREVIATIONS, found.tolist(), strict=True))


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("data", type=Path, help="folder with the folders 'exposures' and 'skies'")
    add("--number", type=int, default=800, help="exposures (default: %(default)s)")
    add("--pictures", type=int, default=3000, help="to learn (default: %(default)s)")
    add("--steps", type=int, default=9000, help="of training (default: %(default)s)")
    add("--from", dest="start", type=Path, help="what this command wrote before")
    add("--output", type=Path, help="file of weights to write")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    keep_compiled()
    if args.start is None:
        likeness, often = learn(args.data, args.number, args.pictures, args.steps)
    else:
        likeness, often = dict(np.load(args.start)), frequencies(_FOR_FREQUENCIES)
    held_out = patches_to_compare(args.data, args.number, often)
    print(f"{len(held_out)} exposures of another night to compare with")
    likeness = half_precision(measure_likeness(likeness, held_out))
    if args.output is not None:
        np.savez_compressed(args.output, **likeness)
    shown = [(name, np.asarray(image)) for name, image in pictures()]
    show("Pictures that are no exposures", likeness, shown)
    show("Real exposures and skies", likeness, real_images(args.data))


if __name__ == "__main__":
    main()
