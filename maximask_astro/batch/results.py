"""What happened to the files of a batch."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from maximask_astro.inference import UNLIKE

__all__ = [
    "STATUSES",
    "FileResult",
    "HDUResult",
    "SourceResult",
    "first_of",
    "no_image",
    "summarize",
]

STATUSES = ("masked", "judged", "partial", "skipped", "failed")


@dataclass(frozen=True)
class HDUResult:
    """
    What happened to an HDU.

    Parameters
    ----------
    index : int
        Its index in the file.

    name : str
        Its EXTNAME.

    action : {'masked', 'partial', 'copied', 'failed'}
        What was done; ``'partial'``: not all planes of a cube could be judged.

    reason : str
        Why it was copied, or failed (in part).

    shape : tuple of int
        Shape of its data.

    pixels : dict of str to int
        Pixels of each class, and ``NO_DATA``.

    unlike : float or None
        Fraction of the exposures that the model was trained on that are less unusual,
        if the model knows.
    """

    index: int
    name: str
    action: str
    reason: str = ""
    shape: tuple = ()
    pixels: dict = field(default_factory=dict)
    unlike: float | None = None


@dataclass(frozen=True)
class SourceResult:
    """
    What happened to a file, whatever was to be done with it.

    Parameters
    ----------
    source : str
        The file, with the HDU if one was asked for.

    status : str
        One of ``STATUSES``.
    """

    source: str
    status: str

    @property
    def ok(self):
        """Whether nothing went wrong."""
        return self.status not in ("partial", "failed")

    @property
    def warning(self):
        """What to look at though nothing went wrong: a sentence, or nothing."""
        return ""


@dataclass(frozen=True)
class FileResult(SourceResult):
    """
    What happened to a file that was to be masked.

    Parameters
    ----------
    source : str
        The file, with the HDU if one was asked for.

    status : {'masked', 'partial', 'skipped', 'failed'}
        ``'partial'``: masks were written, but not all HDUs could be judged.

    output : str or None
        The file written.

    message : str
        One sentence: why it was skipped or failed.

    hdus : tuple of `HDUResult`
        Its HDUs.
    """

    output: str | None = None
    message: str = ""
    hdus: tuple = ()

    @property
    def warning(self):
        """What to look at though nothing went wrong: a sentence, or nothing."""
        unlike = [f"HDU {hdu.index}" for hdu in self.hdus if (hdu.unlike or 0) > UNLIKE]
        if not unlike:
            return ""
        return (
            f"{self.source} is unlike the exposures that the model was trained on "
            f"({first_of(unlike)}): look at its mask before you trust it."
        )

    def as_dict(self):
        """
        Convert to plain types, for JSON.

        Returns
        -------
        content : dict
            The fields.
        """
        return asdict(self)


def first_of(reasons):
    """
    List what is wrong, but not at any length.

    Parameters
    ----------
    reasons : sequence of str
        What is wrong.

    Returns
    -------
    text : str
        The first three, and how many more there are.
    """
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f"{'; '.join(reasons[:3])}{more}"


def no_image(source, purpose, reasons):
    """
    Say in one sentence why nothing could be done with a file.

    Parameters
    ----------
    source : `~maximask_astro.batch.Source`
        The file.

    purpose : str
        What was to be done with its images, a verb.

    reasons : list of str
        What is wrong with each HDU.

    Returns
    -------
    sentence : str
        Such as ``'a.fits has no image to mask (HDU 0: it has no data).'``.
    """
    return f"{source} has no image to {purpose} ({first_of(reasons)})."


def summarize(results):
    """
    Sum up a batch in a sentence.

    Parameters
    ----------
    results : iterable of `FileResult` or `FileVerdict`
        The results.

    Returns
    -------
    summary : str
        Such as ``'3 files: 2 masked, 1 failed.'``.
    """
    counts = Counter(result.status for result in results)
    total = sum(counts.values())
    parts = ", ".join(f"{counts[s]} {s}" for s in STATUSES if counts[s])
    return f"{total} file{'s' * (total != 1)}: {parts or 'nothing to do'}."
