"""Header cards that say how masks were made."""

from datetime import UTC, datetime

from maximask_astro.flags import get_class
from maximask_astro.masking.saturation import describe_saturation
from maximask_astro.masking.uncertainty import describe_uncertainty
from maximask_astro.utils.headers import card_text

__all__ = [
    "class_cards",
    "provenance_cards",
    "provenance_of",
    "saturation_card",
    "unlike_card",
]


def provenance_of(card, *, tiling, uncertainty, saturation, grow):
    """
    Say how a masker makes maps, see `ContaminantMap`.

    Parameters
    ----------
    card : `~maximask_astro.weights.ModelCard`
        Card of the model.

    tiling : str
        How images are cut.

    uncertainty : {'card', 'dihedral', None}
        Where the uncertainty comes from.

    saturation : float, tuple of str, or None
        Where the level of saturation comes from.

    grow : dict of str to float
        Radii of classes that are grown.

    Returns
    -------
    made : dict
        What JSON can hold.
    """
    from maximask_astro import __version__

    return {
        "model": card.name,
        "weights_sha256": card.weights_sha256,
        "version": __version__,
        "normalization": card.normalization,
        "tiling": tiling,
        "uncertainty": describe_uncertainty(uncertainty),
        "saturation": describe_saturation(saturation),
        "grow": grow,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def saturation_card(level):
    """
    Say at which level pixels count as saturated in a header card.

    Parameters
    ----------
    level : float or None
        In units of the data, None if it is not known.

    Returns
    -------
    card : tuple of (keyword, value, comment)
        A FITS card.
    """
    return "MM_SATLV", "none" if level is None else level, "level of saturation"


def unlike_card(unlike):
    """
    Say how unlike what a model was trained on an image is in a header card.

    Parameters
    ----------
    unlike : float or None
        See `~maximask_astro.inference.likeness_of`.

    Returns
    -------
    card : tuple of (keyword, value, comment)
        A FITS card.
    """
    comment = "fraction of training exposures less unusual"
    return "MM_UNLIK", "unknown" if unlike is None else round(unlike, 4), comment


def provenance_cards(made, n_invalid):
    """
    Say which model was used, and how, in header cards.

    Parameters
    ----------
    made : mapping
        Provenance, see `ContaminantMap`.

    n_invalid : int
        Number of pixels without a verdict.

    Returns
    -------
    cards : list of (keyword, value, comment)
        FITS keywords of at most eight characters.
    """
    date = made.get("date") or datetime.now(UTC).isoformat(timespec="seconds")
    cards = [
        ("MM_UTC", date, "UTC date of contaminant masking"),
        ("MM_VERS", made.get("version", ""), "version of maximask_astro"),
        ("MM_MODEL", made.get("model", ""), "model"),
        ("MM_SHA", made.get("weights_sha256", "")[:32], "start of its SHA-256"),
        ("MM_NORM", made.get("normalization", ""), "normalization"),
        ("MM_TILES", made.get("tiling", ""), "tiling"),
        ("MM_UNCER", made.get("uncertainty", ""), "method of uncertainty"),
    ]
    return [
        *((card[0], card_text(*card[1:]), card[2]) for card in cards),
        saturation_card(made.get("saturation_level")),
        unlike_card(made.get("unlike")),
        ("MM_NODAT", int(n_invalid), "pixels without a verdict"),
    ]


def class_cards(class_settings, *, thresholded=True, single_mask=False):
    """
    Describe the classes in header cards, as MaxiMask 1.4.1 does.

    Numbers are strings, as in the original, but with all their digits.

    Parameters
    ----------
    class_settings : sequence of `ClassSettings`
        The classes.

    thresholded : bool, optional
        Whether the image holds masks rather than probabilities.

    single_mask : bool, optional
        Whether the image is one bit mask rather than a plane a class.

    Returns
    -------
    cards : list of (keyword, value, comment)
        FITS keywords of at most eight characters.
    """

    def yes(condition):
        return "Yes" if condition else "No"

    priors = any(settings.prior is not None for settings in class_settings)
    cards = [
        ("PRIORS", yes(priors), "Whether priors were modified"),
        ("THRESH", yes(thresholded), "Whether probabilities were thresholded"),
        ("SMASK", yes(single_mask), "Whether all classes are in one bit mask"),
    ]
    for index, settings in enumerate(class_settings):
        name = settings.name
        cards += [
            (name, f"{name}: {get_class(name).name}", None),
            (f"{name}_DIM", str(index), f"plane of {name} (from 0)"),
        ]
        if settings.prior is not None:
            cards.append((f"{name}_PR", f"{settings.prior:.7g}", f"{name} prior"))
        if thresholded:
            threshold = f"{settings.threshold:.7g}"
            cards.append((f"{name}_TH", threshold, f"{name} threshold"))
        if single_mask:
            cards.append((f"{name}_SM", str(settings.bit), f"{name} bit"))
    return cards
