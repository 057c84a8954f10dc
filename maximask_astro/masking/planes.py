"""Planes of probabilities, with what is known of their uncertainty."""

from functools import partial

import numpy as np
from astropy.nddata import NDData, StdDevUncertainty
from scipy.special import logit

from maximask_astro.flags import get_class
from maximask_astro.masking.decisions import log_factor
from maximask_astro.weights import look_up_uncertainty

__all__ = ["ProbabilityPlane", "probability_planes"]


class ProbabilityPlane(NDData):
    """
    NDData whose uncertainty may be found when it is first asked for.

    Parameters
    ----------
    data : array_like
        As of `~astropy.nddata.NDData`.

    find : callable, optional
        Returns the array of a `~astropy.nddata.StdDevUncertainty`, for planes that
        are made without one.

    **options
        As of `~astropy.nddata.NDData`.
    """

    def __init__(self, data, *, find=None, **options):
        self._find = find
        super().__init__(data, **options)

    @NDData.uncertainty.getter
    def uncertainty(self):
        """The `~astropy.nddata.StdDevUncertainty`, None if there is none."""
        if self._uncertainty is None and self._find is not None:
            self.uncertainty = StdDevUncertainty(self._find(), copy=False)
            self._find = None
        return self._uncertainty


def _look_up(plane, table, factor):
    """Uncertainty of posterior probabilities, from the table of a model card."""
    with np.errstate(divide="ignore"):
        return look_up_uncertainty(logit(plane), table, factor)


def probability_planes(cmap):
    """
    See `ContaminantMap.probabilities`.

    Parameters
    ----------
    cmap : `ContaminantMap`
        The map, with probabilities.

    Returns
    -------
    planes : dict of str to `ProbabilityPlane`
        By abbreviation.
    """
    planes = {}
    for index, item in enumerate(cmap.settings):
        values, find, uncertainty = cmap.probability_planes[index], None, None
        if cmap.uncertainty_planes is not None:
            uncertainty = StdDevUncertainty(cmap.uncertainty_planes[index], copy=False)
        elif item.name in cmap.spread:
            find = partial(_look_up, values, cmap.spread[item.name], log_factor(item))
        planes[item.name] = ProbabilityPlane(
            values,
            find=find,
            uncertainty=uncertainty,
            mask=cmap.invalid,
            wcs=cmap.wcs,
            meta={
                "class": item.name,
                "name": get_class(item.name).name,
                "bit": item.bit,
                "training_prior": item.training_prior,
                "prior": item.prior,
                "threshold": item.threshold,
                **cmap.provenance,
            },
        )
    return planes
