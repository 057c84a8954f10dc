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
from maximask_astro.training.sky_crops import draw_sky_crops

__all__ = ["Counts", "count_exposures", "spread_tables"]

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

    by_sky : list of `~numpy.ndarray`
        For each exposure, shape (classes, 2, bins): pixels that are not, and are, of
        the class, by logit between ``SPREAD_EDGES``.
    """

    histogram: ScoreHistogram = field(
        default_factory=lambda: ScoreHistogram(_N_CLASSES)
    )
    by_sky: list = field(default_factory=list)

    def add(self, logits, labels, known):
        """
        Count an exposure.

        Parameters
        ----------
        logits : `~numpy.ndarray`
            Shape (height, width, classes).

        labels, known : `~numpy.ndarray`
            uint16, shape (height, width): bits of classes.
        """
        bits = np.uint16(1) << np.arange(_N_CLASSES, dtype=np.uint16)
        labels, known = (values[..., None] & bits != 0 for values in (labels, known))
        self.histogram.add(logits, labels, known)
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


def _batches(recipe, config, purpose, number, batch, skies):
    """Raw exposures, labels and what is known, half of them on real skies, if any."""
    for index in range(-(-number // batch)):
        if skies and index % 2:
            seed = (recipe.seed, index, len(purpose))
            crops = draw_sky_crops(skies, batch, recipe.size, seed)
            real = RealSkies(
                crops.images, crops.present, crops.known, crops.inside, crops.fwhm
            )
            key = exposure_key(recipe.seed, f"{purpose} on skies", index)
            images, labels, known, _ = spoil_skies(key, real, config)
        else:
            images, labels = simulated_batch(recipe, config, purpose, index, batch)
            labels = pack_bits(labels)
            known = np.full(images.shape, ALL_KNOWN, np.uint16)
        yield from zip(*map(np.asarray, (images, labels, known)), strict=True)


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
    batch = options.get("batch") or recipe.batch
    counts = Counts()
    exposures = _batches(recipe, config, purpose, number, batch, skies)
    bar = not options.get("progress_bar", False)
    for image, labels, known in tqdm(exposures, total=number, disable=bar):
        counts.add(logits_of_image(model, image), labels, known)
    return counts


def spread_tables(by_sky, factors):
    """
    Tell how much the true fraction at a given probability differs from sky to sky.

    Parameters
    ----------
    by_sky : list of `~numpy.ndarray`
        From `Counts`.

    factors : array_like of float
        For each class, how many times as many pixels of it the training presented,
        relative to others, as these exposures have.

    Returns
    -------
    tables : dict of str to dict
        ``spread`` of a `~maximask_astro.weights.ModelCard`: for each class ``logit``,
        and ``sigma``, the deviation of the fraction that two in three skies are
        within, as one of the logit.
    """
    no, yes = np.moveaxis(np.stack(by_sky), 2, 0).astype(float)
    pixels = no + yes
    yes = yes * np.asarray(factors, float)[None, :, None]
    with np.errstate(invalid="ignore"):
        fraction = yes / (no + yes)
    middle = (SPREAD_EDGES[:-1] + SPREAD_EDGES[1:]) / 2
    expected = expit(middle)
    tables = {}
    for number, name in enumerate(ABBREVIATIONS):
        logits, sigmas = [], []
        for place, (logit, probability) in enumerate(
            zip(middle, expected, strict=True)
        ):
            seen = pixels[:, number, place] >= _FEWEST
            if seen.sum() < _FEWEST_SKIES:
                continue
            apart = np.abs(fraction[seen, number, place] - probability)
            sigma = np.quantile(apart, _WITHIN) / (probability * (1 - probability))
            logits.append(float(logit))
            sigmas.append(float(f"{sigma:.4g}"))
        if logits:
            tables[name] = {"logit": logits, "sigma": sigmas}
    return tables
