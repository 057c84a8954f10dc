"""Light of stars: in small stamps, or by Fourier transforms where all are blurred."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.extended import coarse_shape, enlarge
from maximask_astro.simulation.psf import (
    blurred_psf,
    elliptical_square,
    psf_in_pixel,
    psf_profile,
    psf_value,
    share_bilinearly,
)
from maximask_astro.simulation.scene import pixel_grid
from maximask_astro.simulation.stamps import add_stamps, in_groups, stamp_grid

__all__ = ["MARGIN", "N_BRIGHT", "psf_shape", "render_points"]

# So many stars have wings over the whole frame, and halos.
N_BRIGHT = 8

# Sources may lie this far outside of the frame, in pixels.
MARGIN = 40

# A star is drawn in the smallest stamp beyond which it is below this times the sky
# noise, but no more than so many in an area of so many pixels in the largest.
_INVISIBLE, _MOST_LARGE, _AREA = 0.15, 60, 400**2

# Sides in pixels of the small stamps: where the PSF is narrow, up to this FWHM, and
# where it is not. They are looked up in a table of PSFs: at so many places within a
# pixel and, where there is coma, in so many cells of the frame, each squared.
_COMPACT, _SMALL_COMPACT, _SMALL_WIDE = 4.0, (21, 9), (41, 21)
_PLACES, _CELLS = 4, 4

# The side of the large stamps, and of the part about the star where the PSF is
# integrated over each pixel.
_LARGE, _CENTRAL = 61, 15

# So many stars are drawn at a time.
_GROUP_LARGE, _GROUP_SMALL, _GROUP_POINTS = 4, 64, 1024

# Blurred stars: side of the image of the PSF, and how far from one side of the frame
# light is that appears on the other one, beyond the frame.
_BLURRED, _AROUND, _FAST = 256, 128, 64

# Coma makes stars no more elliptical than this.
_MOST_ELLIPTICAL = 0.5

# Halos: the sharpness of the edge, and radius, sharpness and depth of the secondary
# mirror's shadow, in radii squared of the disk.
_EDGE, _SHADOW, _EDGE_OF_SHADOW, _DEPTH = 7.5, 0.12, 21.0, 0.6


def psf_shape(y, x, scene, shape):
    """
    Ellipticity of stars, and direction of their major axes.

    Parameters
    ----------
    y, x : array
        Places in pixels.

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Height and width of the frame.

    Returns
    -------
    ellipticity, angle : array
        Of the PSF there: coma points away from the optical axis.
    """
    dy, dx = y - scene.axis_y * shape[0], x - scene.axis_x * shape[1]
    growth = scene.coma * jnp.hypot(dx, dy) / jnp.hypot(*shape)
    radial = growth > scene.ellipticity
    ellipticity = jnp.minimum(jnp.maximum(growth, scene.ellipticity), _MOST_ELLIPTICAL)
    return ellipticity, jnp.where(radial, jnp.arctan2(dy, dx), scene.angle)


def _table(scene, shape, size):
    """PSFs in square stamps, by cell and place within a pixel."""
    places = (jnp.arange(_PLACES) + 0.5) / _PLACES - 0.5
    y, x = (place.ravel() for place in jnp.meshgrid(places, places, indexing="ij"))
    dx, dy, _, _ = stamp_grid(size, x, y)
    inside = jnp.hypot(dx, dy) < size // 2 + 0.5

    def add_cell(cell, table):
        row, column = cell // _CELLS, cell % _CELLS
        y, x = (
            (i + 0.5) / _CELLS * n for i, n in zip((row, column), shape, strict=True)
        )
        form = psf_shape(y, x, scene, shape)
        values = psf_in_pixel(dx, dy, scene, *form, core_only=True)
        return table.at[cell].set(jnp.where(inside, values, 0.0))

    cells = jnp.where(scene.coma > 0, _CELLS**2, 1)
    table = jnp.zeros((_CELLS**2, _PLACES**2, size, size))
    table = jax.lax.fori_loop(0, cells, add_cell, table)
    return table.reshape(-1, size, size)


def _entries(stars, scene, shape):
    """Which entry of the table each star has."""
    y, x = (
        jnp.floor((values - jnp.round(values) + 0.5) * _PLACES).astype(int)
        for values in (stars.y, stars.x)
    )
    place = jnp.clip(y, 0, _PLACES - 1) * _PLACES + jnp.clip(x, 0, _PLACES - 1)
    row, column = (
        jnp.clip(values / n * _CELLS, 0, _CELLS - 1).astype(int)
        for values, n in zip((stars.y, stars.x), shape, strict=True)
    )
    cell = jnp.where(scene.coma > 0, row * _CELLS + column, 0)
    return cell * _PLACES**2 + place


def _rim(ellipticity):
    """Square of the elliptical radius up to which a star is in a large stamp."""
    return (_LARGE // 2 - 1.0) ** 2 * (1 - ellipticity)


def _add_large(canvas, stars, there, scene, margin):
    """Add stars in large stamps, without the plateau at the height of their rims."""
    dx, dy, top, left = stamp_grid(_LARGE, stars.x, stars.y)
    form = (stars.ellipticity[:, None, None], stars.angle[:, None, None])
    values = psf_value(dx, dy, scene, *form)
    a = (_LARGE - _CENTRAL) // 2
    b = a + _CENTRAL
    central = psf_in_pixel(dx[:, :, a:b], dy[:, a:b], scene, *form)
    values = values.at[:, a:b, a:b].set(central)
    rim = _rim(form[0])
    inside = elliptical_square(dx, dy, *form) < rim
    values = jnp.where(inside, values - psf_profile(rim, scene), 0.0)
    values = values * jnp.where(there, stars.flux, 0.0)[:, None, None]
    return add_stamps(canvas, values, top + margin, left + margin)


def _in_stamps(stars, scene, shape):
    """Stars in stamps, the smaller the fainter."""
    # A constant, so that the compiler knows that there are no donuts here.
    scene = scene._replace(defocus=0.0)
    n_all = len(stars.flux)
    area = shape[0] * shape[1] / _AREA
    most = min(n_all, max(N_BRIGHT, round(_MOST_LARGE * area)))
    number = (stars.flux > 0).sum()
    margin = MARGIN + _LARGE // 2 + 1
    canvas = jnp.zeros(tuple(size + 2 * margin for size in shape))

    def visible_beyond(radius):
        light = stars.flux * psf_profile(0.8 * radius**2, scene)
        return (light > _INVISIBLE * scene.sigma).sum()

    def add_all(sizes):
        def add_large(canvas, stars, there):
            return _add_large(canvas, stars, there, scene, margin)

        def add_small(canvas):
            table = _table(scene, shape, sizes[0])
            entries = _entries(stars, scene, shape)
            y, x = (jnp.round(values).astype(int) for values in (stars.y, stars.x))
            sources = (y, x, stars.flux, entries)
            for size, first, last in zip(sizes, begin, end, strict=True):
                cut = (sizes[0] - size) // 2
                those = table[:, cut : cut + size, cut : cut + size]
                corner = margin - size // 2

                def add(canvas, some, there, those=those, corner=corner):
                    y, x, flux, entry = some
                    flux = jnp.where(there, flux, 0.0)[:, None, None]
                    return add_stamps(
                        canvas, flux * those[entry], y + corner, x + corner
                    )

                group = min(_GROUP_SMALL, n_all)
                canvas = in_groups(add, canvas, sources, first, last, group)
            return canvas

        n_large = jnp.clip(visible_beyond(sizes[0] // 2), min(N_BRIGHT, n_all), most)
        n_large = jnp.minimum(n_large, number)
        n_small = jnp.maximum(visible_beyond(sizes[1] // 2), n_large)
        begin, end = (n_large, n_small), (n_small, number)
        full = in_groups(add_large, canvas, stars, 0, n_large, _GROUP_LARGE)
        return jax.lax.cond(number > n_large, add_small, lambda canvas: canvas, full)

    light = jax.lax.cond(
        scene.fwhm < _COMPACT,
        lambda: add_all(_SMALL_COMPACT),
        lambda: add_all(_SMALL_WIDE),
    )
    return light[margin:-margin, margin:-margin]


def _padded(shape):
    """Size of the periodic images of blurred stars, quick to transform."""
    return tuple(-(-(size + _AROUND) // _FAST) * _FAST for size in shape)


def _blurred(stars, scene, shape):
    """Stars of a telescope out of focus, or that moved: all have the same PSF."""
    size = _padded(shape)
    begin = _AROUND // 2

    def add(image, some, there):
        light = jnp.where(there, some.flux, 0.0)
        return share_bilinearly(image, some.y + begin, some.x + begin, light)

    number = (stars.flux > 0).sum()
    group = min(_GROUP_POINTS, len(stars.flux))
    points = in_groups(add, jnp.zeros(size), stars, 0, number, group)
    n = min(_BLURRED, *size)
    psf = jnp.roll(blurred_psf(scene, n), (n // 2, n // 2), (0, 1))
    psf = jnp.pad(psf, [(0, length - n) for length in size])
    psf = jnp.roll(psf, (-(n // 2), -(n // 2)), (0, 1))
    light = jnp.fft.irfft2(jnp.fft.rfft2(points) * jnp.fft.rfft2(psf), s=size)
    light = light[begin : begin + shape[0], begin : begin + shape[1]]
    return jnp.maximum(light, 0.0)


def _wings(stars, scene, shape, blurred):
    """What the brightest stars have beyond their stamps, with the plateau within."""
    coarse = coarse_shape(shape)
    y, x = (
        (values + 0.5) * n / m - 0.5
        for values, n, m in zip(pixel_grid(coarse), shape, coarse, strict=True)
    )
    # Fine rings are lost on coarse pixels.
    smooth = scene._replace(rings=0.0)
    half = min(_BLURRED, *_padded(shape)) / 2

    def add_one(light, star):
        rim = jnp.where(blurred, half**2, _rim(star.ellipticity))
        at_rim = star.flux * psf_profile(rim, smooth)

        def add(light):
            squared = elliptical_square(
                x - star.x, y - star.y, star.ellipticity, star.angle
            )
            # The image of a blurred star is round, and has no plateau taken off: there
            # the wings begin where it ends.
            around = (x - star.x) ** 2 + (y - star.y) ** 2
            squared = jnp.where(blurred, around, squared)
            wings = star.flux * psf_profile(jnp.maximum(squared, rim), smooth)
            beyond = jnp.clip(jnp.sqrt(around) - half + 1, 0.0, 1.0)
            return light + wings * jnp.where(blurred, beyond, 1.0)

        # Not where they are lost in the noise.
        visible = at_rim > 0.02 * scene.sigma
        return jax.lax.cond(visible, add, lambda light: light, light), None

    light = jax.lax.scan(add_one, jnp.zeros(coarse), stars)[0]

    def add_up(light):
        return jnp.maximum(enlarge(light, shape), 0.0)

    return jax.lax.cond(
        (light > 0).any(), add_up, lambda light: jnp.zeros(shape), light
    )


def _add_halos(image, stars, scene):
    """Add disks out of focus, of light that two surfaces have reflected."""
    y, x = pixel_grid(image.shape)
    halo = jnp.maximum(scene.halo, 1.0)
    off = 0.5 * halo * scene.coma

    def add_one(image, star):
        surface = star.flux * scene.reflected / (jnp.pi * halo**2)

        def disk(image):
            dx, dy = (x - star.x - off) / halo, (y - star.y + off) / halo
            squared = dx**2 + dy**2
            inside = jax.nn.sigmoid(_EDGE * (1 - squared))
            shadow = _DEPTH * jax.nn.sigmoid(_EDGE_OF_SHADOW * (_SHADOW - squared))
            return image + surface * inside * (1 - shadow)

        visible = (scene.halo > 0) & (surface > 0.05 * scene.sigma)
        return jax.lax.cond(visible, disk, lambda image: image, image), None

    return jax.lax.scan(add_one, image, stars)[0]


def render_points(stars, scene, shape):
    """
    Render point sources.

    Parameters
    ----------
    stars : `Stars`
        Places, fluxes and shapes, the brightest first.

    scene : `Scene`
        The exposure.

    shape : tuple of two int
        Height and width.

    Returns
    -------
    image : array
        Electrons, without noise. The first `N_BRIGHT` have wings over the whole
        frame, and halos.
    """
    blurred = (scene.trailing > 0) | (scene.defocus > 0)
    image = jax.lax.cond(
        blurred,
        lambda: _blurred(stars, scene, shape),
        lambda: _in_stamps(stars, scene, shape),
    )
    bright = jax.tree.map(lambda values: values[:N_BRIGHT], stars)
    image = image + _wings(bright, scene, shape, blurred)
    return _add_halos(image, bright, scene)
