"""One simulated exposure, with its labels, as users want it."""

import operator
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro.flags import ABBREVIATIONS, BITMASK_DTYPE, CLASSES, get_class
from maximask_astro.simulation.exposure import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path

__all__ = ["SimulatedExposure", "simulate_exposure"]

_SMALLEST = 64  # pixels

# How often a contaminant that must be there, but is not, gets another chance.
_ATTEMPTS = 64


class SimulatedExposure(NamedTuple):
    """
    A simulated exposure, and what each of its pixels is.

    It unpacks as a tuple: ``ccd, labels = simulate_exposure(1)``.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        float32, in adu above the bias. The header describes camera and sky.

    labels : mapping of str to `~numpy.ndarray`
        For each of the 14 classes by abbreviation, in the order of the table
        of classes, a boolean array that is True where the class is. A pixel
        can have several.
    """

    ccd: CCDData
    labels: MappingProxyType

    @property
    def bitmask(self):
        """
        The labels as a bit mask.

        Returns
        -------
        bitmask : `~numpy.ndarray`
            Unsigned integers with the bits of `maximask_astro.flags`.
        """
        bits = np.zeros(self.ccd.shape, BITMASK_DTYPE)
        for flag in CLASSES:
            bits |= self.labels[flag.abbreviation] * BITMASK_DTYPE.type(flag.bit)
        return bits

    def write(self, path, *, overwrite=False):
        """
        Write a FITS file: the exposure, and the bit mask in the extension DQ.

        The bits are in the header of the extension, under the keywords of the
        files that `maximask_astro.masking.ContaminantMap.write` writes.

        Parameters
        ----------
        path : path-like
            The file; with the suffix ``.gz`` it is compressed.

        overwrite : bool, optional
            Whether an existing file is replaced.

        Raises
        ------
        FileExistsError
            The file exists and ``overwrite`` is False.
        """
        header = self.ccd.header.copy()
        header["BUNIT"] = (str(self.ccd.unit), "unit of the pixel values")
        meanings = fits.Header()
        for flag in CLASSES:
            name = flag.abbreviation
            meanings[name] = f"{name}: {flag.name}"
            meanings[f"{name}_SM"] = (str(flag.bit), f"{name} bit")
        hdus = fits.HDUList(
            [
                fits.PrimaryHDU(self.ccd.data, header),
                fits.ImageHDU(self.bitmask, meanings, name="DQ"),
            ]
        )
        with atomic_path(path, overwrite=overwrite) as temporary:
            hdus.writeto(temporary, overwrite=True)


def _make_key(key):
    """A scalar PRNG key from a seed or a key, and the seed if it was one."""
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.shape == ():
            return key, None
    else:
        try:
            seed = operator.index(key)
        except TypeError:
            seed = -1
        if 0 <= seed < 2**32:
            return jax.random.key(seed), seed
    raise InputError(
        f"The key is {key!r}; it must be a whole number from 0 to 4294967295 or one "
        "key of jax.random."
    )


def _make_shape(shape):
    """The shape as two integers."""
    try:
        height, width = (operator.index(size) for size in shape)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < _SMALLEST:
        raise InputError(
            f"The shape is {shape!r}; it must be a height and a width of at least "
            f"{_SMALLEST} pixels each."
        )
    return height, width


def _names(classes):
    """Abbreviations of contaminants."""
    if isinstance(classes, str):
        classes = [] if classes.strip().lower() == "none" else classes.split(",")
    try:
        return {get_class(name).abbreviation for name in classes}
    except ValueError as error:
        raise InputError(str(error)) from None


def _make_config(shape, classes, config):
    """What to simulate, and the classes that must be there."""
    config = SimulationConfig() if config is None else config
    shape = _make_shape(config.shape if shape is None else shape)
    if isinstance(classes, str) and classes.strip().lower() == "all":
        return replace(config, shape=shape), set()
    wanted = _names(classes)
    never = dict.fromkeys(DEFAULT_FREQUENCIES, 0.0)
    often = {**never, **dict.fromkeys(wanted, 1.0)}
    # Quiet exposures would lack what was asked for.
    return SimulationConfig(shape, often, config.strengths), wanted


def _header(scene, seed, config):
    """What camera and sky are like, as header cards."""
    numbers = {name: float(value) for name, value in scene._asdict().items()}
    gain = numbers["gain"]
    cards = [
        ("INSTRUME", "simulated", "no real instrument"),
        ("GAIN", gain, "[electron/adu] gain"),
        ("RDNOISE", numbers["read_noise"], "[electron] read noise"),
        ("SKYLEVEL", numbers["sky"] / gain, "[adu] sky level"),
        ("SKYNOISE", numbers["sigma"] / gain, "[adu] noise of the empty sky"),
        ("FULLWELL", numbers["full_well"] / gain, "[adu] full well of a pixel"),
        ("FWHM", numbers["fwhm"], "[pixel] of the PSF"),
        ("PSFELL", numbers["ellipticity"], "1 - axis ratio of the PSF"),
        ("SMOOTH", numbers["smoothing"], "[pixel] smoothing by resampling"),
    ]
    if seed is not None:
        cards.append(("SEED", seed, "seed of the random numbers"))
    certain = [name for name, often in config.frequencies if often == 1.0]
    possible = [name for name, often in config.frequencies if 0.0 < often < 1.0]
    cards.append(("CERTAIN", ",".join(certain), "contaminants asked for"))
    cards.append(("POSSIBLE", ",".join(possible), "contaminants left to chance"))
    cards.append(("STRENGTH", config.strengths, "of contaminants: wide range or paper"))
    return fits.Header(cards)


def simulate_exposure(key, shape=None, *, classes="all", config=None):
    """
    Simulate an exposure, and say what each of its pixels is.

    Parameters
    ----------
    key : int or array
        A seed of at least 0, or a key of `jax.random`. The same key and the
        same arguments give the same exposure.

    shape : tuple of two int, optional
        Height and width in pixels, at least 64 each; by default that of
        ``config``, 416 by 416. The first exposure of a shape takes many
        seconds, in which the simulation is compiled.

    classes : str or iterable of str, optional
        Which contaminants there are. ``'all'``: any, each as often as in the
        training of a network. Abbreviations, or a string of them with commas:
        these are there and no others. ``'none'``: stars and galaxies on a
        clean sky. The classes BBG and BG are no contaminants.

    config : `SimulationConfig`, optional
        How often there is each contaminant when ``classes`` is ``'all'``.

    Returns
    -------
    exposure : `SimulatedExposure`
        The exposure and its labels.

    Raises
    ------
    InputError
        The key, the shape or a class cannot be used, or a contaminant that
        was asked for cannot be had: saturation and diffraction spikes need a
        bright star, which small frames seldom have.

    Examples
    --------
    >>> from maximask_astro.simulation import simulate_exposure
    >>> ccd, labels = simulate_exposure(1, (64, 96), classes="CR,OV")
    >>> ccd.shape, str(ccd.unit), bool(labels["CR"].any()), bool(labels["TRL"].any())
    ((64, 96), 'adu', True, False)
    """
    key, seed = _make_key(key)
    config, wanted = _make_config(shape, classes, config)
    for attempt in range(_ATTEMPTS):
        attempt_key = jax.random.fold_in(key, attempt)
        image, labels, scene = jax.tree.map(
            lambda values: np.asarray(values)[0], simulate(attempt_key, 1, config)
        )
        planes = np.moveaxis(np.asarray(labels), -1, 0).copy()
        planes.setflags(write=False)
        by_name = dict(zip(ABBREVIATIONS, planes, strict=True))
        missing = sorted(name for name in wanted if not by_name[name].any())
        if not missing:
            header = _header(scene, seed, config)
            ccd = CCDData(np.array(image), unit="adu", meta=header)
            return SimulatedExposure(ccd, MappingProxyType(by_name))
    raise InputError(
        f"In {_ATTEMPTS} attempts no exposure of {config.shape[0]} by "
        f"{config.shape[1]} pixels had all of {','.join(sorted(wanted))}; the last one "
        f"lacks {','.join(missing)}."
    )
