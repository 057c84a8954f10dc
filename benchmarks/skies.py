"""
The real skies, with what is seen on them.

The marks are ``marks/skies.json``; ``skies`` in the folder of the data has the
images. Ten of them are kept for validation: see ``about`` in the marks.
"""

from pathlib import Path

from maximask_astro.training.skies import read_skies
from maximask_astro.training.sky_marks import read_marks

MARKS = Path(__file__).parent / "marks" / "skies.json"
SPLITS = ("training", "validation")


def sky_names(split):
    """Names of the files of a split."""
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; there are {SPLITS}.")
    return [name for name, e in read_marks(MARKS).items() if e["split"] == split]


def marked_skies(data, split):
    """
    Read the skies of a split.

    Parameters
    ----------
    data : `~pathlib.Path`
        The folder with the folder ``skies``.

    split : {'training', 'validation'}
        Which ones.

    Returns
    -------
    skies : list of `~maximask_astro.training.skies.Sky`
        The skies; an `~maximask_astro.utils.errors.InputError` says which file
        has changed since it was marked.
    """
    return read_skies(data / "skies", marks=MARKS, names=sky_names(split))
