"""The result of judging how a telescope tracked."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from astropy import units as u
from astropy.table import QTable

from maximask_astro.inference import combine_evidence, posterior_of

__all__ = ["TileVerdict", "TrackingResult"]


@dataclass(frozen=True)
class TileVerdict:
    """
    What the network says about a tile.

    Parameters
    ----------
    image : int
        Index of the image (CCD, HDU or plane) that the tile is a part of.

    top, left, height, width : int
        Where the tile is, in pixels.

    evidence : float
        Natural logarithm of the Bayes factor of a tracking error.

    usable : float
        Probability that there are enough stars to judge, in [0, 1].

    defocused : float
        Probability that the telescope was out of focus; NaN if the model does
        not say.

    length : float
        Of the blur in pixels: that of a uniform drift with the same second
        moment; NaN if the model does not say.

    angle : float
        Of the blur in degrees from the first axis (columns) towards the second
        (rows), in [0, 180); NaN if the model does not say.
    """

    image: int
    top: int
    left: int
    height: int
    width: int
    evidence: float
    usable: float = 1.0
    defocused: float = np.nan
    length: float = np.nan
    angle: float = np.nan


@dataclass(frozen=True, eq=False, repr=False)
class TrackingResult:
    """
    How a telescope tracked, as judged by a `TrackingClassifier`.

    A result does not change.

    Parameters
    ----------
    tiles : tuple of `TileVerdict`
        What was said about each tile.

    shapes : tuple of tuple of int
        Height and width of each image.

    problems : tuple of str or None
        Why an image has no tile that was judged; None for the others.

    prior : float
        Probability of a tracking error before looking, in (0, 1).

    threshold : float
        An exposure is affected where its probability is above this.

    correlation : float
        Between tiles, see `combine_evidence`.

    enough : float, optional
        A tile has enough stars where ``usable`` is above this.

    provenance : mapping
        Model, version and settings.
    """

    tiles: tuple
    shapes: tuple
    problems: tuple
    prior: float
    threshold: float
    correlation: float
    enough: float = 0.5
    provenance: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    def __repr__(self):
        return (
            f"TrackingResult({self.verdict}, probability={self.probability:.4f}, "
            f"{self.n_tiles} of {len(self.tiles)} tiles)"
        )

    @cached_property
    def _combined(self):
        return combine_evidence(
            [tile.evidence for tile in self.tiles],
            [tile.usable for tile in self.tiles],
            self.correlation,
        )

    @property
    def evidence(self):
        """Natural logarithm of the Bayes factor of a tracking error."""
        return self._combined[0]

    @property
    def probability(self):
        """Probability of a tracking error; the prior if nothing can be judged."""
        return float(posterior_of(self.evidence, self.prior))

    @property
    def uncertainty(self):
        """
        Standard deviation of the probability, from the scatter of the tiles.

        Half of how far it moves if the evidence moves by one standard error
        either way. NaN if fewer than two tiles can be judged.
        """
        total, error, _ = self._combined
        low, high = posterior_of([total - error, total + error], self.prior)
        return float(high - low) / 2

    @property
    def n_tiles(self):
        """Number of tiles with enough stars."""
        return sum(tile.usable > self.enough for tile in self.tiles)

    @property
    def is_decided(self):
        """Whether any tile has enough stars to judge."""
        return self.n_tiles > 0

    def is_affected(self, threshold=None):
        """
        Say whether the exposure is affected by a tracking error.

        Parameters
        ----------
        threshold : float, optional
            Of the probability; that of the classifier by default.

        Returns
        -------
        affected : bool or None
            None if there are not enough stars to say.
        """
        if not self.is_decided:
            return None
        return self.probability > (self.threshold if threshold is None else threshold)

    @property
    def verdict(self):
        """``'affected'``, ``'tracked'`` or ``'undecided'``."""
        affected = self.is_affected()
        if affected is None:
            return "undecided"
        return "affected" if affected else "tracked"

    def _average(self, values):
        """Mean of the tiles by how well they can be judged; NaN if none can."""
        weights = np.array(
            [tile.usable * (tile.usable > self.enough) for tile in self.tiles]
        )
        if not weights.sum() > 0:
            return np.nan
        return (weights * np.asarray(values)).sum() / weights.sum()

    @property
    def defocus_probability(self):
        """Probability that the telescope was out of focus; NaN if unknown."""
        return float(self._average([tile.defocused for tile in self.tiles]))

    @property
    def blur_length(self):
        """Length of the blur, a `~astropy.units.Quantity` in pixels."""
        # The logarithm is what the network tells.
        logs = [np.log(tile.length) for tile in self.tiles]
        return float(np.exp(self._average(logs))) * u.pix

    @property
    def blur_angle(self):
        """
        Direction of the blur, a `~astropy.units.Quantity` in degrees.

        From the first axis (columns) towards the second (rows), in [0, 180).
        """
        angles = 2 * np.radians([tile.angle for tile in self.tiles])
        sin, cos = self._average(np.sin(angles)), self._average(np.cos(angles))
        return float(np.degrees(np.arctan2(sin, cos)) / 2 % 180) * u.deg

    @cached_property
    def images(self):
        """Each image (CCD, HDU or plane) by itself: a tuple of `TrackingResult`."""
        return tuple(
            TrackingResult(
                tuple(replace(t, image=0) for t in self.tiles if t.image == number),
                (shape,),
                (problem,),
                self.prior,
                self.threshold,
                self.correlation,
                self.enough,
                dict(self.provenance),
            )
            for number, (shape, problem) in enumerate(
                zip(self.shapes, self.problems, strict=True)
            )
        )

    def probability_map(self, image=0):
        """
        Probability of a tracking error tile by tile.

        Parameters
        ----------
        image : int, optional
            Index of the image.

        Returns
        -------
        probabilities : `~numpy.ndarray`
            float32, of the shape of the image; NaN where no tile with enough
            stars is.
        """
        probabilities = np.full(self.shapes[image], np.nan, np.float32)
        for tile in self.tiles:
            if tile.image == image and tile.usable > self.enough:
                rows = slice(tile.top, tile.top + tile.height)
                columns = slice(tile.left, tile.left + tile.width)
                probabilities[rows, columns] = posterior_of(tile.evidence, self.prior)
        return probabilities

    def to_table(self):
        """
        Make a table of the tiles.

        Returns
        -------
        table : `~astropy.table.QTable`
            A row a tile; the exposure's own numbers are in ``meta``.
        """
        table = QTable()
        for name in ("image", "top", "left", "height", "width"):
            table[name] = np.array([getattr(t, name) for t in self.tiles], int)
        evidence = np.array([tile.evidence for tile in self.tiles], float)
        table["probability"] = posterior_of(evidence, self.prior)
        for name, unit in (
            ("evidence", None),
            ("usable", None),
            ("defocused", None),
            ("length", u.pix),
            ("angle", u.deg),
        ):
            values = np.array([getattr(tile, name) for tile in self.tiles], float)
            table[name] = values if unit is None else values * unit
        table.meta.update(self.summary())
        return table

    def summary(self):
        """
        Give the numbers of the whole exposure.

        Returns
        -------
        summary : dict
            Plain numbers and texts; None where something is not known.
        """

        def known(value, digits):
            return round(float(value), digits) if np.isfinite(value) else None

        return {
            "verdict": self.verdict,
            "probability": known(self.probability, 6),
            "uncertainty": known(self.uncertainty, 6),
            "evidence": known(self.evidence, 4),
            "tiles": len(self.tiles),
            "tiles_judged": self.n_tiles,
            "defocus_probability": known(self.defocus_probability, 6),
            "blur_length_pix": known(self.blur_length.value, 3),
            "blur_angle_deg": known(self.blur_angle.value, 2),
            "prior": self.prior,
            "threshold": self.threshold,
            "problems": [text for text in self.problems if text is not None],
            **self.provenance,
        }

    def imshow(self, data=None, *, image=0, ax=None):
        """
        Draw the probability of each tile.

        Parameters
        ----------
        data : array_like, optional
            The image, to draw below.

        image : int, optional
            Index of the image.

        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        ax : `~matplotlib.axes.Axes`
            Where it was drawn.
        """
        from maximask_astro.tracking.plot import draw_result

        return draw_result(self, data=data, image=image, ax=ax)
