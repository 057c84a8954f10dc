"""What the benchmarks on simulated exposures share."""

import argparse
import hashlib
import platform
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import cycle
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from maximask_astro import __version__
from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import logits_of_image
from maximask_astro.masking import DEFAULT_MODEL
from maximask_astro.simulation import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.utils.keras_backend import import_keras
from maximask_astro.weights import load_model

# Training and validation use keys made from the recipe's seed, which is small;
# the tests' exposures come from this one.
TEST_KEY = 20201

# A multiple of the strides of all networks, so that one pass is one exposure.
SHAPE = (416, 416)

PUBLISHED = "maximask-1.4.1"
CONTAMINANTS = tuple(DEFAULT_FREQUENCIES)
COLORS = ("#0b6e4f", "#c1440e", "#3f51b5", "#8e24aa")

# As a converter of 16 bits would: the normalization of MaxiMask 1.4.1 clips at
# 80,000, and simulated exposures may go far beyond.
_LARGEST_VALUE = 65535.0

_BATCH = 4
_LARGEST_FIGURE = 400_000  # bytes


class Tee(StringIO):
    """Keep what is printed, and print it."""

    def write(self, text):
        """Write to both."""
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def make_parser(description, *, number):
    """Options that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description.strip().split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=list(dict.fromkeys([DEFAULT_MODEL, PUBLISHED])),
        help="names or directories of models",
    )
    parser.add_argument(
        "--number", type=int, default=number, help="number of exposures"
    )
    parser.add_argument("--output", type=Path, help="write what is printed here, too")
    parser.add_argument("--figure", type=Path, help="draw a figure, in this PNG file")
    return parser


def run(main, args):
    """Call ``main(args)``, and write what it prints to ``args.output``."""
    if args.output is None:
        return main(args)
    tee = Tee()
    with redirect_stdout(tee):
        code = main(args)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(tee.getvalue(), encoding="utf-8")
    return code


def print_header(title, models):
    """Say what is measured, with which versions."""
    print(title)
    print(
        f"maximask_astro {__version__.split('+')[0]}, "
        f"Python {platform.python_version()}, keras {import_keras().__version__}, "
        f"jax {jax.__version__} on {jax.default_backend()}"
    )
    for model in models:
        print(f"  {model.card.name}: weights {model.card.weights_sha256[:12]}")
    print()


@dataclass(frozen=True)
class ExposureSet:
    """
    A set of simulated exposures.

    Parameters
    ----------
    name : str
        What is in it.

    number : int
        How many exposures.

    frequencies : tuple of float
        How often an exposure has each class of `CONTAMINANTS`.

    stream : int
        Sets of different streams have no exposure in common.

    strengths : {'wide', 'paper'}
        How strong contaminants are, see `SimulationConfig`.
    """

    name: str
    number: int
    frequencies: tuple = tuple(DEFAULT_FREQUENCIES.values())
    stream: int = 0
    strengths: str = "wide"

    def batch(self, index):
        """Images, labels and scenes of a few exposures, as NumPy arrays."""
        key = jax.random.fold_in(jax.random.key(TEST_KEY), self.stream)
        key = jax.random.fold_in(key, index)
        often = dict(zip(CONTAMINANTS, self.frequencies, strict=True))
        drawn = simulate(key, _BATCH, SimulationConfig(SHAPE, often, self.strengths))
        return jax.tree.map(np.asarray, drawn)

    def exposures(self):
        """
        Simulate them, one by one.

        Yields
        ------
        image, labels, scene : `~numpy.ndarray`, `~numpy.ndarray`, Scene
            As `maximask_astro.simulation.simulate` makes them, but scaled so that
        the brightest pixel is at most 65,535.
        """
        # The bar shows in terminals only.
        with tqdm(total=self.number, desc=self.name, disable=None, leave=False) as bar:
            for index in range(-(-self.number // _BATCH)):
                images, labels, scenes = self.batch(index)
                for which in range(min(_BATCH, self.number - index * _BATCH)):
                    scene = jax.tree.map(lambda v, w=which: v[w], scenes)
                    scale = min(1.0, _LARGEST_VALUE / float(images[which].max()))
                    scene = scene._replace(gain=scene.gain / scale)
                    yield images[which] * np.float32(scale), labels[which], scene
                    bar.update()

    def digest(self):
        """Of its first exposures, so that changes of the simulation show."""
        images, labels, _ = self.batch(0)
        text = hashlib.sha256(images.tobytes())
        text.update(np.packbits(labels).tobytes())
        text.update(f"{self.number} {SHAPE}".encode())
        return text.hexdigest()


class Evaluator:
    """
    Logits of a model, without tiles or priors.

    Parameters
    ----------
    model : str or path-like
        Its name or directory.
    """

    def __init__(self, model):
        self.model = load_model(model)
        self.card = self.model.card
        self._order = [self.card.classes.index(name) for name in ABBREVIATIONS]

    def __call__(self, image):
        """Logits, shape (height, width, 14), in the order of the flags."""
        return logits_of_image(self.model, image)[..., self._order]


def load_evaluators(names):
    """One `Evaluator` a model, by the name on its card."""
    found = [Evaluator(name) for name in names]
    return {evaluator.card.name: evaluator for evaluator in found}


def score(evaluators, exposures, cache=None):
    """
    Count the logits of models on a set of exposures.

    Parameters
    ----------
    evaluators : dict of str to `Evaluator`
        The models.

    exposures : `ExposureSet`
        The set.

    cache : path-like, optional
        Directory where counts are kept for other benchmarks on the same set.
        Meant for one run of all benchmarks: it notices other exposures and
        other weights, not other code.

    Returns
    -------
    histograms : dict of str to `~maximask_astro.evaluation.ScoreHistogram`
        By the names of the models.
    """
    histograms = {name: ScoreHistogram(len(ABBREVIATIONS)) for name in evaluators}
    files = {}
    if cache is not None:
        digest = exposures.digest()
        for name, evaluator in evaluators.items():
            key = f"{digest} {evaluator.card.weights_sha256} {__version__}"
            code = hashlib.sha256(key.encode()).hexdigest()[:24]
            files[name] = Path(cache) / f"{code}.npy"
    missing = dict(evaluators)
    for name, file in files.items():
        if file.exists():
            histograms[name].counts = np.load(file)
            del missing[name]
    if missing:
        for image, labels, _ in exposures.exposures():
            for name, evaluator in missing.items():
                histograms[name].add(evaluator(image), labels)
    for name in missing.keys() & files.keys():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        np.save(files[name], histograms[name].counts)
    return histograms


def class_panels(title):
    """A figure with one panel a class, and one for the legend."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(3, 5, figsize=(15, 9.2), layout="constrained")
    figure.suptitle(title)
    axes = axes.ravel()
    for ax, name in zip(axes, ABBREVIATIONS, strict=False):
        ax.set_title(name, loc="left", fontweight="bold", fontsize=10)
        ax.grid(alpha=0.3)
    axes[-1].axis("off")
    return figure, axes[: len(ABBREVIATIONS)], axes[-1]


def with_colors(items):
    """Pairs of a color and an item."""
    return zip(cycle(COLORS), items, strict=False)


def save_figure(figure, path):
    """Save a figure as a small PNG, and close it."""
    from matplotlib import pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
    if path.stat().st_size > _LARGEST_FIGURE:
        raise RuntimeError(f"{path} has {path.stat().st_size} bytes; make it smaller.")
