"""Find the exposures that a path stands for."""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from maximask_astro.utils.errors import InputError

__all__ = ["AUXILIARY_FILES", "Source", "expand_paths", "fits_stem"]

_FITS_NAME = re.compile(
    r"^(?P<stem>.+)\.(?:fits|fit|fts)(?:\.(?:gz|fz|bz2|z))?$", re.IGNORECASE
)
# Ours are `a.masks.fits`, those of MaxiMask 1.4.1 `a.mask.fits`.
_MASKS = re.compile(r"\.masks?\d*\.fits$", re.IGNORECASE)
_WITH_HDU = re.compile(r"^(?P<path>.+)\[(?P<hdu>[^\[\]]+)\]$")

# Data-quality and weight maps by the names that surveys give them. Found in a
# directory, such a file is left out unless one of its HDUs is named SCI.
AUXILIARY_FILES = ("*_dq.*", "*_ood_*", "*_oow_*", "*.weight.*", "*_wht.*")


class _MissingError(InputError):
    """There is no such file or directory."""


@dataclass(frozen=True)
class Source:
    """
    One exposure, or what was wrong when looking for it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    hdu : int, str or None
        One HDU of it, by index or name; None for all.

    problem : str or None
        A sentence about why there is nothing to process.

    auxiliary : str or None
        The pattern of auxiliary files that its name matches, if it was found
        in a directory.
    """

    path: Path
    hdu: int | str | None = None
    problem: str | None = None
    auxiliary: str | None = None

    def __str__(self):
        return str(self.path) if self.hdu is None else f"{self.path}[{self.hdu}]"


def fits_stem(path):
    """
    A file's name without its FITS and compression suffixes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    stem : str
        ``'a'`` for ``a.fits``, ``a.fit.gz``, ``A.FITS`` gives ``'A'``; the
        whole name if it has no such suffix.
    """
    name = Path(path).name
    match = _FITS_NAME.match(name)
    return match["stem"] if match else name


def _search_directory(directory, exclude):
    names = sorted(
        path
        for path in directory.iterdir()
        if _FITS_NAME.match(path.name) and path.is_file()
    )
    found = []
    for path in names:
        if _MASKS.search(path.name) or path.name.startswith("."):
            continue
        pattern = next((p for p in exclude if fnmatch(path.name.lower(), p)), None)
        found.append(Source(path, auxiliary=pattern))
    if not found:
        raise InputError(
            f"The directory {directory} has no FITS file (.fits, .fit or .fts, also "
            "compressed)."
        )
    return found


def _read_list(path, exclude, lists):
    if path.resolve() in lists:
        raise InputError(f"The list {path} names itself.")
    lists = (*lists, path.resolve())
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The list {path} cannot be read: {error}.") from error
    entries = [line.strip() for line in lines]
    entries = [line for line in entries if line and not line.startswith("#")]
    if not entries:
        raise InputError(f"The list {path} is empty; it must name one file a line.")
    sources = []
    for entry in entries:
        # Relative to where the command runs, else to where the list is.
        for candidate in (entry, str(path.parent / entry)):
            problem = None
            try:
                sources += _expand(candidate, exclude, lists)
                break
            except _MissingError:
                problem = f"'{entry}' in the list {path} does not exist."
            except (InputError, OSError) as error:
                problem = _problem(candidate, error)
                break
        if problem is not None:
            sources.append(Source(Path(entry), problem=problem))
    return sources


def _problem(path, error):
    if isinstance(error, OSError):
        return f"{path} cannot be read: {error.strerror or error}."
    return str(error)


def _expand(text, exclude, lists=()):
    path = Path(text).expanduser()
    if path.is_dir():
        return _search_directory(path, exclude)
    if path.is_file():
        if path.suffix.lower() == ".list":
            return _read_list(path, exclude, lists)
        return [Source(path)]
    match = _WITH_HDU.match(str(text))
    if match:
        path = Path(match["path"]).expanduser()
        if path.is_file():
            hdu = match["hdu"].strip()
            return [Source(path, int(hdu) if hdu.isdigit() else hdu)]
    raise _MissingError(f"{path} does not exist.")


def expand_paths(paths, *, exclude=AUXILIARY_FILES):
    """
    Find the exposures that paths stand for.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Each a FITS file, a file with an HDU (``file.fits[2]`` or
        ``file.fits[SCI]``), a directory, or a ``.list`` file with one of
        these a line (``#`` starts a comment).

    exclude : iterable of str, optional
        Patterns of names of auxiliary files in directories.

    Returns
    -------
    sources : list of `Source`
        In the order given, directories in alphabetical order. What cannot be
        found is in it, with its ``problem``. Masks that this library wrote
        (``*.masks.fits``), or MaxiMask (``*.mask.fits``), are left out of
        directories.
    """
    if isinstance(paths, (str, Path)):
        paths = [paths]
    sources = []
    for path in paths:
        try:
            sources += _expand(path, exclude)
        except (InputError, OSError) as error:
            sources.append(Source(Path(path), problem=_problem(path, error)))
    return sources
