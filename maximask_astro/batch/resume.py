"""Tell whether masks were made already, of the same content in the same way."""

import hashlib
import json
from pathlib import Path

from maximask_astro.batch.fits_files import open_fits
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import file_sha256

__all__ = ["file_digest", "is_finished", "settings_digest"]

# Digits of a digest that are kept: 128 bits.
_DIGITS = 32


def file_digest(path):
    """
    Compute a digest of a file's content that fits on a card.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    digest : str
        The first 32 digits of its SHA-256.
    """
    return file_sha256(path)[:_DIGITS]


def settings_digest(masker, content):
    """
    Compute a digest of everything that decides what a mask file holds.

    Parameters
    ----------
    masker : `~maximask_astro.masking.ContaminantMasker`
        The masker.

    content : str
        What is written, see `~maximask_astro.batch.process`.

    Returns
    -------
    digest : str
        32 digits.
    """
    made = {k: v for k, v in masker.provenance.items() if k != "date"}
    classes = [
        (item.name, item.training_prior, item.prior, item.threshold)
        for item in masker.settings
    ]
    text = json.dumps([made, classes, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def is_finished(output, source_digest, settings):
    """
    Whether a mask file is what would be written again.

    Parameters
    ----------
    output : path-like
        The mask file.

    source_digest, settings : str
        From `file_digest` of the exposure and `settings_digest`.

    Returns
    -------
    finished : bool
        False also if it is no mask file, or if not all images could be masked.
    """
    try:
        with open_fits(Path(output)) as file:
            headers = [hdu.header for hdu in file if "MM_STATE" in hdu.header]
    except InputError:
        return False
    found = {(h.get("MM_SRC"), h.get("MM_SET"), h["MM_STATE"]) for h in headers}
    return found == {(source_digest, settings, "masked")}
