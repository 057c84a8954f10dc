"""Smooth maps that are known by few numbers, evaluated where they are needed."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter1d

__all__ = [
    "SplineSurface",
    "constant_surface",
    "interpolated_surface",
    "zoomed_surface",
]

_CUBIC = 3

# Steps between knots that differ by less, relatively, are the same.
_EVEN = 1e-9

# No image has as many pixels along an axis.
_FAR = 1e12


@dataclass(frozen=True, eq=False)
class SplineSurface:
    """
    A product of splines along both axes.

    Parameters
    ----------
    coefficients : `~numpy.ndarray`
        float64, shape (m, n).

    knots : tuple of two `~numpy.ndarray`
        Of the rows' and of the columns' spline, in pixels.

    degrees : tuple of two int
        Of either spline.

    low, high : float, optional
        Values are clipped to this range.

    replacement : float, optional
        What stands in for values that are not positive; NaN keeps them.
    """

    coefficients: np.ndarray
    knots: tuple
    degrees: tuple
    low: float = -np.inf
    high: float = np.inf
    replacement: float = np.nan

    def basis(self, axis, positions):
        """
        Evaluate the basis splines along an axis.

        Parameters
        ----------
        axis : int
            0 for rows, 1 for columns.

        positions : array_like of float
            In pixels, within the knots.

        Returns
        -------
        first : int
            Number of the first basis spline that is not zero everywhere here.

        values : `~numpy.ndarray`
            float64, shape (positions, splines): those from the first to the last.
        """
        knots, degree = self.knots[axis], self.degrees[axis]
        positions, steps = np.asarray(positions, float), np.diff(knots)
        if degree == _CUBIC and np.ptp(steps) < _EVEN * steps[0]:
            # Basis spline i is centered at knot i + 2.
            places = (positions - knots[2]) / steps[0]
            first, last = int(places.min()) - 1, int(places.max()) + 2
            units = np.eye(len(knots) - _CUBIC - 1)[first : last + 1]
            values = [
                map_coordinates(unit, [places], order=_CUBIC, prefilter=False)
                for unit in units
            ]
            return first, np.stack(values, axis=-1)
        # Here, since it takes a tenth of a second to import.
        from scipy.interpolate import BSpline

        values = BSpline.design_matrix(positions, knots, degree)
        used = np.unique(values.indices)
        first, last = int(used[0]), int(used[-1])
        return first, values[:, first : last + 1].toarray()

    def values(self, rows, columns):
        """
        Evaluate at all crossings of rows and columns.

        Parameters
        ----------
        rows, columns : array_like of float
            In pixels.

        Returns
        -------
        values : `~numpy.ndarray`
            float32, shape (rows, columns).
        """
        (top, down), (left, across) = self.basis(0, rows), self.basis(1, columns)
        part = self.coefficients[
            top : top + down.shape[1], left : left + across.shape[1]
        ]
        narrow = (down @ part).astype(np.float32)
        values = narrow @ across.T.astype(np.float32)
        np.clip(values, self.low, self.high, out=values)
        if not np.isnan(self.replacement):
            values[~(values > 0)] = self.replacement
        return values


def constant_surface(value):
    """
    Make a surface of one value.

    Parameters
    ----------
    value : float
        The value.

    Returns
    -------
    surface : `SplineSurface`
        The surface.
    """
    everywhere = np.array([-_FAR, _FAR])
    return SplineSurface(np.full((1, 1), float(value)), (everywhere,) * 2, (0, 0))


def zoomed_surface(grid, box, **options):
    """
    Draw a surface through the centers of boxes as `scipy.ndimage.zoom` does.

    Parameters
    ----------
    grid : `~numpy.ndarray`
        Values of the boxes, shape (m, n).

    box : tuple of two int
        Height and width of a box in pixels. The first begins at pixel 0.

    **options
        Of `SplineSurface`.

    Returns
    -------
    surface : `SplineSurface`
        Cubic splines that are mirrored at the edges of the grid (its mode
        ``'reflect'``, with ``grid_mode=True``).
    """
    # Two coefficients beyond each edge are those within, mirrored.
    coefficients, knots = np.asarray(grid, float), []
    for axis, (number, step) in enumerate(zip(coefficients.shape, box, strict=True)):
        if number > 1:
            coefficients = spline_filter1d(
                coefficients, _CUBIC, axis=axis, mode="reflect"
            )
        around = [(0, 0), (0, 0)]
        around[axis] = (2, 2)
        coefficients = np.pad(coefficients, around, mode="symmetric")
        # The center of box i is at pixel (i + 1/2) step - 1/2.
        knots.append((np.arange(-4, number + 4) + 0.5) * step - 0.5)
    return SplineSurface(coefficients, tuple(knots), (_CUBIC, _CUBIC), **options)


def interpolated_surface(grid, nodes, **options):
    """
    Draw a surface through points, as FITPACK does without smoothing.

    Parameters
    ----------
    grid : `~numpy.ndarray`
        Values, shape (m, n).

    nodes : tuple of two `~numpy.ndarray`
        Rows and columns of the points in pixels.

    **options
        Of `SplineSurface`.

    Returns
    -------
    surface : `SplineSurface`
        Cubic splines (of lower degree through less than four points), without a
        knot at the second point from either end.
    """
    from scipy.interpolate import make_interp_spline

    coefficients, knots, degrees = np.asarray(grid, float), [], []
    for axis, places in enumerate(nodes):
        degree = min(_CUBIC, len(places) - 1)
        spline = make_interp_spline(places, coefficients, degree, axis=axis)
        coefficients = np.moveaxis(spline.c, 0, axis)
        knots.append(spline.t)
        degrees.append(degree)
    return SplineSurface(coefficients, tuple(knots), tuple(degrees), **options)
