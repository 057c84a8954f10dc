"""Header cards that say how masks were made."""

from datetime import UTC, datetime

from maximask_astro.flags import get_class
from maximask_astro.utils.headers import card_text

__all__ = ["class_cards", "provenance_cards"]


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
