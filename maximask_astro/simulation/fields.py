"""Smooth random fields: power laws and polynomials, on grids coarse or fine."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "Grid",
    "larger_period",
    "make_grid",
    "periodic_field",
    "polynomial_field",
    "power_law_field",
    "sample_periodic",
]

_WAVES = jnp.cos, jnp.sin

# Cells of a coarse grid beyond each side of the frame: what a cubic spline needs.
_MARGIN = 2


class Grid(NamedTuple):
    """
    A coarse grid on which smooth things are drawn before they are enlarged.

    It reaches beyond the frame, so that the interpolation is right up to the
    frame's edge, unlike that of a field that ends there.

    Parameters
    ----------
    frame : tuple of two int
        Height and width of the frame in pixels.

    factor : int
        Side of a cell in pixels.

    shape : tuple of two int
        Height and width of the grid in cells.
    """

    frame: tuple
    factor: int
    shape: tuple

    def coordinates(self):
        """
        Give the pixel coordinates of the centers of the cells.

        Returns
        -------
        y, x : array
            float32, of shapes (rows, 1) and (1, columns).
        """
        first = (self.factor - 1) / 2 - _MARGIN * self.factor
        y, x = (first + self.factor * jnp.arange(n, dtype=float) for n in self.shape)
        return y[:, None], x[None, :]

    def inside(self, field):
        """
        Leave out the cells beyond the frame.

        Parameters
        ----------
        field : array
            Of the grid's shape.

        Returns
        -------
        field : array
            Smaller by two cells at each side.
        """
        return field[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]

    def enlarge(self, field):
        """
        Interpolate to the frame.

        Parameters
        ----------
        field : array
            Of the grid's shape.

        Returns
        -------
        field : array
            Of the frame's shape, by cubic convolution, which a polynomial of
            second degree passes unchanged.
        """
        rows = _enlarge_rows(field, self.factor)[: self.frame[0]]
        return _enlarge_rows(rows.T, self.factor)[: self.frame[1]].T

    def average(self, image):
        """
        Average an image in the cells.

        Parameters
        ----------
        image : array
            Of the frame's shape.

        Returns
        -------
        averages : array
            Of the grid's shape; beyond the frame those of the nearest cells.
        """
        # Cells that reach beyond the frame repeat its last pixels.
        beyond = [(0, -size % self.factor) for size in self.frame]
        padded = jnp.pad(image, beyond, mode="edge")
        cells = [size // self.factor for size in padded.shape]
        blocks = padded.reshape(cells[0], self.factor, cells[1], self.factor)
        return jnp.pad(blocks.mean(axis=(1, 3)), _MARGIN, mode="edge")


def _enlarge_rows(field, factor):
    """Keys's (1981) cubic convolution along the first axis, within the margin."""
    number = field.shape[0] - 2 * _MARGIN
    phases = []
    for phase in range(factor):
        place = (phase - (factor - 1) / 2) / factor
        first = math.floor(place) - 1
        distance = np.abs(place - first - np.arange(4))
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weights = np.where(distance < 1, near, far).tolist()
        start = _MARGIN + first
        phases.append(
            sum(
                w * field[start + i : start + i + number] for i, w in enumerate(weights)
            )
        )
    return jnp.stack(phases, axis=1).reshape(number * factor, field.shape[1])


def _fast_size(size):
    """The next even size whose Fourier transform is fast."""
    size += size % 2
    while 2**20 * 3**12 * 5**8 % size:
        size += 2
    return size


def make_grid(shape, factor):
    """
    Make a coarse grid.

    Parameters
    ----------
    shape : tuple of two int
        Height and width of the frame in pixels.

    factor : int
        Side of a cell in pixels.

    Returns
    -------
    grid : `Grid`
        The grid, which reaches two cells beyond the frame.
    """
    cells = tuple(-(-size // factor) + 2 * _MARGIN for size in shape)
    return Grid(tuple(shape), factor, cells)


def _complex_noise(key, shape):
    """Gaussian complex numbers (Box & Muller 1958), of 32 random bits each."""
    bits = jax.random.bits(key, shape, jnp.uint32)
    low, high = ((part + 0.5) / 2**16 for part in (bits & 0xFFFF, bits >> 16))
    radius = jnp.sqrt(-2 * jnp.log(low))
    return jax.lax.complex(*(radius * wave(2 * jnp.pi * high) for wave in _WAVES))


def larger_period(shape, factor):
    """
    Give the period of a field of which a frame shows a part.

    Parameters
    ----------
    shape : tuple of two int
        Height and width of the part.

    factor : float
        How much larger the period is, at least.

    Returns
    -------
    shape : tuple of two int
        Even sizes whose Fourier transforms are fast.
    """
    return tuple(_fast_size(math.ceil(factor * size)) for size in shape)


def periodic_field(key, shape, slope, smallest=2.0, stretch=1.0, angle=0.0):
    """
    Gaussian random field with a power-law spectrum that continues periodically.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width, even, of one period.

    slope : float
        Power goes as the wave number to minus this.

    smallest : float, optional
        Structures smaller than this, in pixels, are smoothed away.

    stretch : float, optional
        How many times as long as wide structures are.

    angle : float, optional
        Direction in which they are long, in radians from the rows.

    Returns
    -------
    field : array
        Mean 0 and standard deviation 1.
    """
    ky = jnp.fft.fftfreq(shape[0])[:, None]
    kx = jnp.fft.rfftfreq(shape[1])
    wave = jnp.hypot(ky, kx)
    # The same area, whatever the stretch.
    root = jnp.sqrt(stretch)
    along = (jnp.cos(angle) * kx + jnp.sin(angle) * ky) * root
    across = (jnp.cos(angle) * ky - jnp.sin(angle) * kx) / root
    scaled = jnp.hypot(along, across)
    amplitude = jnp.where(wave > 0, jnp.maximum(scaled, 1e-6) ** (-slope / 2), 0.0)
    amplitude = amplitude * jnp.exp(-0.5 * (wave * smallest * 2.0) ** 2)
    field = jnp.fft.irfft2(_complex_noise(key, amplitude.shape) * amplitude, s=shape)
    return field / (field.std() + 1e-12)


def sample_periodic(fields, y, x):
    """
    Interpolate linearly in periodic fields.

    Parameters
    ----------
    fields : sequence of array
        Fields of the same shape.

    y, x : array
        Where, in pixels of the fields; any numbers.

    Returns
    -------
    values : list of array
        For each field, of the shape of the coordinates.
    """
    height, width = fields[0].shape
    top, left = jnp.floor(y), jnp.floor(x)
    fy, fx = (y - top)[..., None], (x - left)[..., None]
    rows = [(top.astype(int) + i) % height for i in (0, 1)]
    columns = [(left.astype(int) + i) % width for i in (0, 1)]
    # Side by side in memory: what is gathered together lies together.
    together = jnp.stack(fields, axis=-1)
    corners = [[together[row, column] for column in columns] for row in rows]
    upper, lower = (a * (1 - fx) + b * fx for a, b in corners)
    sampled = upper * (1 - fy) + lower * fy
    return [sampled[..., i] for i in range(len(fields))]


def power_law_field(key, shape, slope, smallest=2.0, stretch=1.0, angle=0.0):
    """
    Gaussian random field with a power-law spectrum.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width; the field is periodic over 1.5 times that, so that
        opposite sides of the frame differ.

    slope : float
        Power goes as the wave number to minus this.

    smallest : float, optional
        Structures smaller than this, in pixels, are smoothed away.

    stretch : float, optional
        How many times as long as wide structures are.

    angle : float, optional
        Direction in which they are long, in radians from the rows.

    Returns
    -------
    field : array
        Mean 0 and standard deviation 1 over the frame.
    """
    period = larger_period(shape, 1.5)
    field = periodic_field(key, period, slope, smallest, stretch, angle)
    field = field[: shape[0], : shape[1]]
    field = field - field.mean()
    return field / (field.std() + 1e-12)


def polynomial_field(key, shape, degree=3):
    """
    Polynomial of two variables with random coefficients.

    Parameters
    ----------
    key : array
        PRNG key.

    shape : tuple of two int
        Height and width.

    degree : int, optional
        Total degree.

    Returns
    -------
    field : array
        From -1 to 1 over the frame.
    """
    y, x = jnp.meshgrid(
        jnp.linspace(-1.0, 1.0, shape[0]), jnp.linspace(-1.0, 1.0, shape[1]),
        indexing="ij",
    )  # fmt: skip
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i) if i + j]
    weights = jax.random.normal(key, (len(powers),))
    terms = (w * x**i * y**j for w, (i, j) in zip(weights, powers, strict=True))
    field = sum(terms)
    low, high = field.min(), field.max()
    return (2 * field - high - low) / (high - low + 1e-12)
