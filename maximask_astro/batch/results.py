"""What happened to the files of a batch."""

from collections import Counter
from dataclasses import asdict, dataclass, field

__all__ = ["STATUSES", "FileResult", "HDUResult", "summarize"]

STATUSES = ("masked", "partial", "skipped", "failed")


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
    """

    index: int
    name: str
    action: str
    reason: str = ""
    shape: tuple = ()
    pixels: dict = field(default_factory=dict)


@dataclass(frozen=True)
class FileResult:
    """
    What happened to a file.

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

    source: str
    status: str
    output: str | None = None
    message: str = ""
    hdus: tuple = ()

    @property
    def ok(self):
        """Whether nothing went wrong."""
        return self.status in ("masked", "skipped")

    def as_dict(self):
        """
        Convert to plain types, for JSON.

        Returns
        -------
        content : dict
            The fields.
        """
        return asdict(self)


def summarize(results):
    """
    Sum up a batch in a sentence.

    Parameters
    ----------
    results : iterable of `FileResult`
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
