"""The result of masking an exposure."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from astropy.table import QTable

from maximask_astro.flags import BITMASK_DTYPE, NO_DATA, get_class, select

__all__ = ["ClassSettings", "ContaminantMap"]

# Stands for "background" among the verdicts; it has no bit in bit masks.
BACKGROUND_CODE = 1 << 31


@dataclass(frozen=True)
class ClassSettings:
    """
    What was decided about a class.

    Parameters
    ----------
    name : str
        Its abbreviation.

    training_prior : float or None
        Prior of the network, None if its model card has none.

    prior : float or None
        Prior used, None if the network's was kept.

    threshold : float
        Threshold of the posterior probability.
    """

    name: str
    training_prior: float | None
    prior: float | None
    threshold: float

    @property
    def bit(self):
        """Value in bit masks, 0 for the background."""
        return get_class(self.name).bit

    @property
    def code(self):
        """Value among the verdicts: the bit, or one more for the background."""
        return self.bit or BACKGROUND_CODE


def _read_only(array):
    if array is not None:
        array = array.view()
        array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False, repr=False)
class ContaminantMap:
    """
    Contaminants of an exposure, made by `ContaminantMasker`.

    A map does not change; its arrays are read-only. It has the shape of the
    exposure, two dimensions or, for a cube, three.

    Parameters
    ----------
    settings : tuple of `ClassSettings`
        The classes, in the order of the model.

    verdicts : `~numpy.ndarray` of uint32
        The codes of the classes that each pixel belongs to.

    invalid : `~numpy.ndarray` of bool
        True where the exposure had no value: no verdict.

    probability_planes, uncertainty_planes : `~numpy.ndarray` or None
        float32, one plane a class in front; None if not kept or estimated.

    wcs : `~astropy.wcs.WCS` or None
        World coordinates of the exposure.

    meta : mapping
        Header of the exposure.

    provenance : mapping
        How the map was made: ``model``, ``weights_sha256``, ``version``,
        ``normalization``, ``tiling``, ``uncertainty``, ``saturation`` (where its
        level comes from), ``saturation_level`` (None if no level is known; of a
        cube, the lowest of its planes), ``unlike`` (fraction of the exposures that
        the model was trained on that are less unusual than this one; None if the
        model does not know; of a cube, the largest), ``grow``, ``date``.

    spread : mapping of str to dict
        What the model's card says of the uncertainty of probabilities, by
        abbreviation, see `~maximask_astro.weights.ModelCard`; empty if it was not
        asked for or says nothing.
    """

    settings: tuple
    verdicts: np.ndarray
    invalid: np.ndarray
    probability_planes: np.ndarray | None = None
    uncertainty_planes: np.ndarray | None = None
    wcs: Any = None
    meta: Any = field(default_factory=dict)
    provenance: Any = field(default_factory=dict)
    spread: Any = field(default_factory=dict)

    def __post_init__(self):
        for name in (
            "verdicts",
            "invalid",
            "probability_planes",
            "uncertainty_planes",
        ):
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        for name in ("provenance", "spread"):
            mapping = MappingProxyType(dict(getattr(self, name)))
            object.__setattr__(self, name, mapping)

    def __repr__(self):
        size = " x ".join(str(number) for number in self.shape)
        return (
            f"<ContaminantMap of {size} pixels: {len(self.classes)} classes, "
            f"{self.mask.mean():.2%} unusable, model {self.provenance.get('model')}>"
        )

    def __reduce__(self):
        # A mapping proxy can neither be pickled nor copied.
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("provenance", "spread"):
            values[name] = dict(values[name])
        return type(self), tuple(values.values())

    @property
    def shape(self):
        """Shape of the exposure."""
        return self.verdicts.shape

    @property
    def classes(self):
        """The classes' abbreviations, in the order of the model."""
        return tuple(settings.name for settings in self.settings)

    @cached_property
    def bitmask(self):
        """
        One bit a class (see `maximask_astro.flags`), unsigned integers.

        0 is background, or no class at all; pixels without a verdict have the
        bit ``NO_DATA`` alone.
        """
        bits = (self.verdicts & ~np.uint32(BACKGROUND_CODE)).astype(BITMASK_DTYPE)
        bits[self.invalid] = NO_DATA.bit
        return _read_only(bits)

    @cached_property
    def mask(self):
        """
        Boolean, True for pixels that should not be used.

        These are pixels of classes that make a pixel unusable (all but FR,
        NEB, BBG and BG) and pixels without a verdict.
        """
        names = [name for name in self.classes if get_class(name).unusable]
        return _read_only(select(self.bitmask, [*names, NO_DATA.abbreviation]))

    def class_mask(self, name):
        """
        The pixels of one class.

        Parameters
        ----------
        name : str
            Abbreviation of one of the map's classes.

        Returns
        -------
        mask : `~numpy.ndarray` of bool
            True where the posterior probability is above the threshold, unless
            another class that looks alike is much likelier (and in what ``grow``
            added around). Unlike `bitmask`, this also works for BG.

        Raises
        ------
        ValueError
            The map does not have the class.
        """
        name = get_class(name).abbreviation
        for settings in self.settings:
            if settings.name == name:
                return (self.verdicts & np.uint32(settings.code)) != 0
        raise ValueError(
            f"This map has no class {name}; it has {', '.join(self.classes)}."
        )

    @cached_property
    def probabilities(self):
        """
        Posterior probabilities by abbreviation, each an `~astropy.nddata.NDData`.

        Each has ``data`` in [0, 1] (NaN where there is no verdict), ``mask``,
        ``wcs``, a `~astropy.nddata.StdDevUncertainty` if one is known (looked up
        in ``spread`` when it is first asked for), and ``meta`` with the class, its
        bit, priors and threshold, and the map's provenance.
        """
        from maximask_astro.masking.planes import probability_planes

        if self.probability_planes is None:
            raise ValueError(
                "This map has no probabilities: it was made with "
                "keep_probabilities=False."
            )
        return MappingProxyType(probability_planes(self))

    def to_table(self):
        """
        Count the pixels of each class.

        Returns
        -------
        table : `~astropy.table.QTable`
            One row a class: ``class``, ``name``, ``bit``, ``pixels``,
            ``fraction`` (of the pixels with a verdict), ``training_prior``,
            ``prior``, ``threshold`` (NaN for a prior that was not changed) and
            ``unusable``. The table's ``meta`` has ``pixels``, ``no_data`` and
            the map's provenance.
        """
        n_valid = int(self.invalid.size - np.count_nonzero(self.invalid))
        counts = [int(self.class_mask(name).sum()) for name in self.classes]

        def number(value):
            return np.nan if value is None else value

        flags = [get_class(name) for name in self.classes]
        table = QTable(
            {
                "class": list(self.classes),
                "name": [flag.name for flag in flags],
                "bit": [flag.bit for flag in flags],
                "pixels": counts,
                "fraction": [count / max(n_valid, 1) for count in counts],
                "training_prior": [number(s.training_prior) for s in self.settings],
                "prior": [number(s.prior) for s in self.settings],
                "threshold": [s.threshold for s in self.settings],
                "unusable": [flag.unusable for flag in flags],
            },
            meta={
                "pixels": int(self.invalid.size),
                "no_data": int(self.invalid.size - n_valid),
                **self.provenance,
            },
        )
        table["fraction"].info.format = ".2e"
        return table

    def imshow(self, data=None, *, ax=None, classes=None, plane=0, alpha=0.6):
        """
        Show the classes as a colored overlay.

        A pixel of several has the color of the likeliest, by its odds in units of
        those of its threshold; without probabilities, of the rarest in the exposure.

        Parameters
        ----------
        data : array_like, optional
            The exposure, shown below in gray.

        ax : `~matplotlib.axes.Axes`, optional
            Where to draw; a new figure by default.

        classes : iterable of str, optional
            Which classes; all but BG and BBG by default.

        plane : int, optional
            Which plane of a cube.

        alpha : float, optional
            Opacity of the overlay, in [0, 1].

        Returns
        -------
        ax : `~matplotlib.axes.Axes`
            Where it was drawn.
        """
        from maximask_astro.masking.plot import draw_map

        return draw_map(
            self, data=data, ax=ax, classes=classes, plane=plane, alpha=alpha
        )

    def write(self, path, *, overwrite=False):
        """
        Write the map to a FITS file that `read` reads back.

        The primary HDU holds the bit mask under the exposure's header; then
        come a table of the classes and, if they were kept, the probabilities,
        and uncertainties or the table that they are looked up in.

        Parameters
        ----------
        path : path-like
            The file.

        overwrite : bool, optional
            Whether an existing file is replaced.

        Raises
        ------
        FileExistsError
            The file exists and ``overwrite`` is False.
        """
        from maximask_astro.masking.storage import write_map

        write_map(self, path, overwrite=overwrite)

    @classmethod
    def read(cls, path):
        """
        Read a map that `write` wrote.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        map : `ContaminantMap`
            The map.

        Raises
        ------
        InputError
            The file cannot be read or is not such a map.
        """
        from maximask_astro.masking.storage import read_map

        return read_map(path)

    def to_ccddata(self, ccd, *, update_mask=True):
        """
        Copy an exposure with this map as its flags and in its mask.

        Parameters
        ----------
        ccd : `~astropy.nddata.CCDData`
            The exposure this map was made of.

        update_mask : bool, optional
            Whether `mask` is ORed into the mask of the copy.

        Returns
        -------
        flagged : `~astropy.nddata.CCDData`
            The copy: ``flags`` has the bits of `bitmask` (ORed with the flags
            that were there), ``meta`` says how they were made.

        Raises
        ------
        TypeError
            ``ccd`` is not CCDData, or its flags are not integers.

        ValueError
            The shapes differ, or the exposure's flags use the same bits for
            something else.
        """
        from maximask_astro.masking.ccddata import flag_ccddata

        return flag_ccddata(ccd, self, update_mask=update_mask)
