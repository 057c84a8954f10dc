"""Reduction steps that find contaminants."""

from functools import lru_cache

from maximask_astro.flags import NO_DATA, select
from maximask_astro.masking import ContaminantMasker
from maximask_astro.masking.settings import resolve_classes
from maximask_astro.reduction.inputs import require_ccd
from maximask_astro.reduction.log import log_step

__all__ = ["flag_contaminants", "mask_contaminants"]


@lru_cache(maxsize=1)
def _default_masker():
    return ContaminantMasker(keep_probabilities=False)


def _flagged(ccd, masker):
    """The map of an exposure, and a copy of the exposure with its flags."""
    require_ccd(ccd)
    masker = _default_masker() if masker is None else masker
    cmap = masker(ccd)
    return cmap, cmap.to_ccddata(ccd, update_mask=False), masker


def flag_contaminants(ccd, masker=None, *, add_keyword=True):
    """
    Flag contaminants, leaving the mask as it is.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The exposure, raw or at any stage of its reduction.

    masker : `~maximask_astro.masking.ContaminantMasker`, optional
        The masker to use; one with all defaults if left out.

    add_keyword : bool, None, str, `~ccdproc.Keyword` or dict, optional
        What to add to the header: True for the name and arguments of this
        step, False or None for nothing, or keywords of your own.

    Returns
    -------
    flagged : `~astropy.nddata.CCDData`
        A copy whose ``flags`` have the bits of `maximask_astro.flags`, ORed
        with the flags that were there, and whose ``meta`` says how they were
        made. Data, unit, uncertainty, mask and WCS are those of ``ccd``.

    Raises
    ------
    TypeError
        ``ccd`` is not CCDData, or its flags are not integers.

    ValueError
        The exposure's flags use the same bits for something else.

    Notes
    -----
    Flags are kept by copying, but lost by slicing, arithmetic and ccdproc's
    `~ccdproc.gain_correct`, `~ccdproc.flat_correct`, `~ccdproc.trim_image` and
    `~ccdproc.Combiner`: flag after these steps, or use `mask_contaminants`.
    `~ccdproc.combine` gives its result the flags of the first exposure alone:
    set them to None.
    """
    _, flagged, masker = _flagged(ccd, masker)
    log_step(flagged, "flag_contaminants", "flagcont", {"masker": masker}, add_keyword)
    return flagged


def mask_contaminants(ccd, masker=None, *, classes="unusable", add_keyword=True):
    """
    Flag contaminants and mask the pixels of some classes.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The exposure, raw or at any stage of its reduction.

    masker : `~maximask_astro.masking.ContaminantMasker`, optional
        The masker to use; one with all defaults if left out.

    classes : str or iterable of str, optional
        The classes to mask: ``'unusable'`` (those that make a pixel unusable:
        all but FR, NEB, BBG and BG) or abbreviations, in one string with
        commas or one by one. All classes of the masker are flagged. Pixels
        without a value (NaN, infinite) are masked too.

    add_keyword : bool, None, str, `~ccdproc.Keyword` or dict, optional
        What to add to the header: True for the name and arguments of this
        step, False or None for nothing, or keywords of your own.

    Returns
    -------
    masked : `~astropy.nddata.CCDData`
        A copy with flags as from `flag_contaminants`, and with these pixels
        ORed into its ``mask``. Data, unit, uncertainty and WCS are those of
        ``ccd``.

    Raises
    ------
    TypeError
        ``ccd`` is not CCDData, or its flags are not integers.

    ValueError
        A class is unknown or not among those of the masker, or the exposure's
        flags use the same bits for something else.
    """
    require_ccd(ccd)
    masker = _default_masker() if masker is None else masker
    # Fail on the classes before the network runs.
    names = resolve_classes(classes, masker.classes)
    select(0, names)
    cmap, masked, masker = _flagged(ccd, masker)
    chosen = select(cmap.bitmask, [*names, NO_DATA.abbreviation])
    masked.mask = chosen if masked.mask is None else (masked.mask != 0) | chosen
    log_step(
        masked,
        "mask_contaminants",
        "maskcont",
        {"masker": masker, "classes": ",".join(names)},
        add_keyword,
    )
    return masked
