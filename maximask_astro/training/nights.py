"""
Judge a model on exposures that it has not seen, and on nights of them.

Training shows contaminants as often as each other, nearly. A night has far fewer: what
matters there is how much of a sky without contaminants is taken for one. So negatives
come from nights, in which contaminants are as rare as the default priors say; positives
come from exposures that are full of them.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit
from tqdm import tqdm

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.inference import logits_of_image
from maximask_astro.simulation import RealSkies, spoil_skies
from maximask_astro.training.exposures import (
    exposure_key,
    night_config,
    pack_bits,
    simulated_batch,
    simulation_config,
)
from maximask_astro.training.frames import ALL_KNOWN
from maximask_astro.training.rivalry import RivalCounts
from maximask_astro.training.sky_crops import draw_sky_crops

__all__ = [
    "SPREAD_EDGES",
    "Counts",
    "count_exposures",
    "exposures_of",
    "presented_factors",
    "spread_tables",
]

_N_CLASSES = len(ABBREVIATIONS)

# Logits between which the true fraction is looked at, sky by sky.
SPREAD_EDGES = np.arange(-9.0, 9.5)

# A sky counts where it has so many pixels between two of them.
_FEWEST = 64

# Skies that count, for an entry of the table.
_FEWEST_SKIES = 8

# Of normal deviations, this fraction is within one standard deviation.
_WITHIN = 0.683


@dataclass
class Counts:
    """
    Counted pixels of exposures.

    Parameters
    ----------
    histogram : `~maximask_astro.evaluation.ScoreHistogram`
        Of all of them.

    rivals : `~maximask_astro.training.rivalry.RivalCounts`
        Of all of them.

    by_sky : list of `~numpy.ndarray`
        For each exposure, shape (classes, 2, bins): pixels that are not, and are, of
        the class, by logit between ``SPREAD_EDGES``.

    real : list of bool
        Whether each is of a real sky.
    """

    histogram: ScoreHistogram = field(
        default_factory=lambda: ScoreHistogram(_N_CLASSES)
    )
    rivals: RivalCounts = field(default_factory=RivalCounts)
    by_sky: list = field(default_factory=list)
    real: list = field(default_factory=list)

    def add(self, logits, labels, known, *, real=False):
        """
        Count an exposure.

        Parameters
        ----------
        logits : `~numpy.ndarray`
            Shape (height, width, classes).

        labels, known : `~numpy.ndarray`
            uint16, shape (height, width): bits of classes.

        real : bool, optional
            Whether it is of a real sky.
        """
        bits = np.uint16(1) << np.arange(_N_CLASSES, dtype=np.uint16)
        labels, known = (values[..., None] & bits != 0 for values in (labels, known))
        self.histogram.add(logits, labels, known)
        self.rivals.add(logits, labels, known)
        bins = np.digitize(logits, SPREAD_EDGES) - 1
        n_bins = len(SPREAD_EDGES) - 1
        inside = known & (bins >= 0) & (bins < n_bins)
        counted = [
            [
                np.bincount(
                    bins[..., number][
                        inside[..., number] & (labels[..., number] == yes)
                    ],
                    minlength=n_bins,
                )
                for yes in (False, True)
            ]
            for number in range(_N_CLASSES)
        ]
        self.by_sky.append(np.array(counted))
        self.real.append(real)


def exposures_of(recipe, config, purpose, number, skies=None, *, batch=None):
    """
    Make exposures, half of them on real skies, if there are any.

    What is made of a sky that is smaller has its size: mirrored at its edges it would
    be like nothing that a telescope sees.

    Parameters
    ----------
    recipe : `Recipe`
        Gives their size and seed.

    config : `~maximask_astro.simulation.SimulationConfig`
        What is in them.

    purpose : {'export', 'night'}
        No two have exposures in common.

    number : int
        How many.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        The real skies.

    batch : int, optional
        How many are simulated at a time.

    Yields
    ------
    image, labels, known : `~numpy.ndarray`
        An exposure, and uint16 bits of the classes that its pixels have, and of those
        of which that is known.

    real : bool
        Whether it is on a real sky.
    """
    batch = batch or recipe.batch
    for index in range(-(-number // batch)):
        real_ones = bool(skies) and index % 2 == 1
        if real_ones:
            seed = (recipe.seed, index, len(purpose))
            crops = draw_sky_crops(skies, batch, recipe.size, seed, often_alone=1.0)
            real = RealSkies(
                crops.images, crops.present, crops.known, crops.inside, crops.fwhm
            )
            key = exposure_key(recipe.seed, f"{purpose} on skies", index)
            images, labels, known, _ = spoil_skies(key, real, config)
        else:
            images, labels = simulated_batch(recipe, config, purpose, index, batch)
            labels = pack_bits(labels)
            known = np.full(images.shape, ALL_KNOWN, np.uint16)
        places = [np.s_[:]] * batch
        if real_ones:
            places = [_bounds(inside) for inside in crops.inside]
        arrays = (
            np.asarray(a)[: number - index * batch] for a in (images, labels, known)
        )
        for *each, place in zip(*arrays, places, strict=False):
            yield *(array[place] for array in each), real_ones


def _bounds(inside):
    """The rectangle of a frame in which a sky is."""
    return tuple(
        slice(found.min(), found.max() + 1)
        for found in (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    )


def count_exposures(model, recipe, number, *, skies=None, fractions=None, **options):
    """
    Judge a model on exposures that training has not seen.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    recipe : `Recipe`
        Its recipe.

    number : int
        How many exposures.

    skies : list of `~maximask_astro.training.skies.Sky`, optional
        Real skies that training has not seen, for half of them.

    fractions : mapping of str to float, optional
        Makes it a night, see `~maximask_astro.training.exposures.night_config`.

    **options
        ``batch``: how many are simulated at a time, and ``progress_bar``.

    Returns
    -------
    counts : `Counts`
        What was counted.
    """
    if fractions is None:
        config, purpose = simulation_config(recipe), "export"
    else:
        config, purpose = night_config(recipe, fractions), "night"
    counts = Counts()
    exposures = exposures_of(
        recipe, config, purpose, number, skies, batch=options.get("batch")
    )
    bar = not options.get("progress_bar", False)
    for image, labels, known, real in tqdm(exposures, total=number, disable=bar):
        counts.add(logits_of_image(model, image), labels, known, real=real)
    return counts


def presented_factors(counts, priors):
    """
    Say how much more often the training presented each class than exposures have it.

    Parameters
    ----------
    counts : `Counts`
        The exposures.

    priors : mapping of str to float
        Training priors.

    Returns
    -------
    factors : `~numpy.ndarray`
        Ratios of odds; 1 for classes that the exposures do not have.
    """
    presented, found = (
        values / (1 - values)
        for values in (
            np.array([priors[name] for name in ABBREVIATIONS]),
            np.nan_to_num(counts.histogram.fractions, nan=0.5),
        )
    )
    with np.errstate(divide="ignore"):
        factors = presented / found
    return np.where(np.isfinite(factors), factors, 1.0)


def _deviation(pixels, fraction, probability):
    """What two in three skies with enough pixels are within; None if they are few."""
    seen = pixels >= _FEWEST
    if seen.sum() < _FEWEST_SKIES:
        return None
    apart = np.quantile(np.abs(fraction[seen] - probability), _WITHIN)
    return float(f"{apart / (probability * (1 - probability)):.4g}")


def spread_tables(counts, factors):
    """
    Tell how much the true fraction at a given probability differs from sky to sky.

    Parameters
    ----------
    counts : `Counts`
        The skies.

    factors : array_like of float
        For each class, how many times as many pixels of it the training presented,
        relative to others, as these exposures have.

    Returns
    -------
    tables : dict of str to dict
        ``spread`` of a `~maximask_astro.weights.ModelCard`: for each class ``logit``,
        and ``sigma``, the deviation of the fraction that two in three skies are
        within, as one of the logit; the same of the simulated and the real skies alone,
        None where these are too few.
    """
    no, yes = np.moveaxis(np.stack(counts.by_sky), 2, 0).astype(float)
    pixels, real = no + yes, np.array(counts.real)
    yes = yes * np.asarray(factors, float)[None, :, None]
    with np.errstate(invalid="ignore"):
        fraction = yes / (no + yes)
    middle = (SPREAD_EDGES[:-1] + SPREAD_EDGES[1:]) / 2
    chosen = {"sigma": slice(None), "simulated": ~real, "real": real}
    tables = {}
    for number, name in enumerate(ABBREVIATIONS):
        table = {"logit": [], **{which: [] for which in chosen}}
        for place, logit in enumerate(middle):
            found = {
                which: _deviation(
                    pixels[of, number, place], fraction[of, number, place], expit(logit)
                )
                for which, of in chosen.items()
            }
            if found["sigma"] is not None:
                for key, value in {"logit": float(logit), **found}.items():
                    table[key].append(value)
        if table["logit"]:
            tables[name] = table
    return tables
