"""What was found out about the tracking of exposures in files."""

from dataclasses import dataclass

import numpy as np
from astropy.table import MaskedColumn, Table

from maximask_astro.batch.results import SourceResult, first_of
from maximask_astro.tracking import TrackingResult

__all__ = ["ExposureVerdict", "FileVerdict", "verdict_table"]


@dataclass(frozen=True)
class ExposureVerdict:
    """
    What was found out about an exposure.

    Parameters
    ----------
    hdus : tuple of int
        Indexes of the HDUs that hold it, in the order of ``result.images``:
        several for a mosaic.

    status : {'judged', 'partial', 'failed'}
        ``'partial'``: not all HDUs of a mosaic could be read; ``'failed'``:
        there is no verdict.

    problems : tuple of str
        Which images have no verdict, and why.

    channel : int or None
        Its index in a cube, from 0; None if it is none.

    result : `~maximask_astro.tracking.TrackingResult` or None
        The verdict; None if there is none.
    """

    hdus: tuple
    status: str
    problems: tuple = ()
    channel: int | None = None
    result: TrackingResult | None = None

    @property
    def hdu(self):
        """Index of its HDU; None for a mosaic of several."""
        return self.hdus[0] if len(self.hdus) == 1 else None

    def as_dict(self):
        """
        Convert to plain types, for JSON.

        Returns
        -------
        content : dict
            The fields, with the numbers of the result, and those of each HDU of
            a mosaic under ``images``.
        """
        content = {
            "hdus": list(self.hdus),
            "channel": self.channel,
            "status": self.status,
            **({} if self.result is None else self.result.summary()),
            "problems": list(self.problems),
        }
        if self.result is not None and self.hdu is None:
            own = self.result.provenance.keys() | {"prior", "threshold"}
            content["images"] = [
                {
                    "hdu": hdu,
                    **{k: v for k, v in image.summary().items() if k not in own},
                }
                for hdu, image in zip(self.hdus, self.result.images, strict=True)
            ]
        return content


@dataclass(frozen=True)
class FileVerdict(SourceResult):
    """
    What was found out about a file.

    Parameters
    ----------
    source : str
        The file, with the HDU if one was asked for.

    status : {'judged', 'partial', 'skipped', 'failed'}
        ``'judged'`` whatever the verdict is, also if there are not enough stars
        for one; ``'partial'``: an HDU could not be read, or a channel of a cube
        not be judged.

    message : str
        One sentence: why it was skipped or failed, or which images are left out.

    exposures : tuple of `ExposureVerdict`
        First the images of the file, which are one exposure, then the channels
        of its cubes.
    """

    message: str = ""
    exposures: tuple = ()

    def as_dict(self):
        """
        Convert to plain types, for JSON.

        Returns
        -------
        content : dict
            The fields.
        """
        return {
            "source": self.source,
            "status": self.status,
            "message": self.message,
            "exposures": [exposure.as_dict() for exposure in self.exposures],
        }


# Columns of the table from `TrackingResult.summary`: name, key, type and unit.
_COLUMNS = (
    ("verdict", "verdict", str, None),
    ("probability", "probability", float, None),
    ("uncertainty", "uncertainty", float, None),
    ("tiles", "tiles", int, None),
    ("tiles_judged", "tiles_judged", int, None),
    ("defocus_probability", "defocus_probability", float, None),
    ("blur_length", "blur_length_pix", float, "pix"),
    ("blur_angle", "blur_angle_deg", float, "deg"),
)
# What the table says about all of its rows.
_SETTINGS = ("model", "weights_sha256", "version", "prior", "threshold", "fraction")


def _column(values, dtype, unit=None):
    """A column that is masked where a value is None."""
    mask = [value is None for value in values]
    filled = [dtype() if value is None else value for value in values]
    return MaskedColumn(np.array(filled, dtype), mask=mask, unit=unit)


def verdict_table(verdicts):
    """
    Make a table of the exposures in files.

    Parameters
    ----------
    verdicts : iterable of `FileVerdict`
        What `judge` returned.

    Returns
    -------
    table : `~astropy.table.Table`
        A row an exposure, and one for each file without any, with the columns
        ``file``, ``hdu`` (masked for a mosaic), ``channel`` (masked but for
        cubes), ``verdict``, ``probability``, ``uncertainty``, ``tiles``,
        ``tiles_judged``, ``defocus_probability``, ``blur_length`` (pixels),
        ``blur_angle`` (degrees), ``status`` and ``message``. What is not known
        is masked. Model and settings are in ``meta``.
    """
    rows, meta = [], {}
    for verdict in verdicts:
        nothing = ExposureVerdict((), verdict.status, (verdict.message,))
        for exposure in verdict.exposures or [nothing]:
            found = {} if exposure.result is None else exposure.result.summary()
            meta = meta or {key: found[key] for key in _SETTINGS if key in found}
            rows.append((verdict.source, exposure, found))
    exposures = [exposure for _, exposure, _ in rows]
    table = Table(meta=meta)
    table["file"] = np.array([source for source, _, _ in rows], str)
    table["hdu"] = _column([exposure.hdu for exposure in exposures], int)
    table["channel"] = _column([exposure.channel for exposure in exposures], int)
    for name, key, dtype, unit in _COLUMNS:
        table[name] = _column([found.get(key) for _, _, found in rows], dtype, unit)
    table["status"] = np.array([exposure.status for exposure in exposures], str)
    messages = [first_of(exposure.problems) or None for exposure in exposures]
    table["message"] = _column(messages, str)
    return table
