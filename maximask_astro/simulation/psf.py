"""Point spread functions, evaluated where a pixel is."""

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "blurred_psf",
    "elliptical_square",
    "psf_core",
    "psf_in_pixel",
    "psf_peak",
    "psf_profile",
    "psf_value",
    "share_bilinearly",
]


def _in_pixel(number):
    """Gauss-Legendre nodes in a pixel, so many squared, x, y and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(number)
    x, y = np.meshgrid(nodes / 2, nodes / 2)
    return np.stack([x, y, np.outer(weights, weights) / 4]).reshape(3, -1)


# One node, then two by two, then three by three.
_NODES = np.concatenate([_in_pixel(n) for n in (1, 2, 3)], axis=1).astype(np.float32)

# Where one point is enough for a pixel, and where two by two are: FWHM in pixels.
_WELL_SAMPLED, _SAMPLED = 3.5, 1.7

_AUREOLE = 6.0  # its scale, in FWHM

# Standard deviations of a Gaussian in its FWHM.
_FWHM = (8 * 0.6931472) ** 0.5

# A path has so many places.
_N_PLACES = 128


def elliptical_square(dx, dy, ellipticity, angle):
    """
    Square of the elliptical distance from a source.

    Parameters
    ----------
    dx, dy : array
        Distance in pixels.

    ellipticity, angle : float or array
        Of the PSF at the source.

    Returns
    -------
    squared : array
        That of the circle with the area of the ellipse through the point.
    """
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    ratio = 1.0 - ellipticity
    return along**2 * ratio + across**2 / ratio


def _moffat(squared, scene):
    """Light per pixel of a Moffat profile (1969, A&A 3, 455) of unit flux."""
    scale = scene.fwhm**2 / (4 * (2 ** (1 / scene.moffat) - 1))
    peak = (scene.moffat - 1) / (jnp.pi * scale)
    return peak * jnp.exp(-scene.moffat * jnp.log1p(squared / scale))


def _disk(squared, radius, sigma):
    """
    Light per pixel of a disk of brightness 1 under seeing.

    A logistic function of the squared distance. Its integral is the disk's area;
    where the seeing is small, the edge is that of a disk smoothed by a Gaussian,
    and where it is large all is a Gaussian of its width.
    """
    scale = 2 * sigma**2 + 1.2 * radius * sigma
    inside = jnp.log(jnp.expm1(radius**2 / scale) + 1e-30)
    return jax.nn.sigmoid(inside - squared / scale)


def _donut(dx, dy, scene, ellipticity, angle):
    """Light per pixel of a star out of focus, with the secondary mirror's shadow."""
    sigma = scene.fwhm / _FWHM
    hole = scene.obstruction * scene.defocus
    off = scene.off_center * scene.defocus
    light = _disk(elliptical_square(dx, dy, ellipticity, angle), scene.defocus, sigma)
    dx, dy = dx - off * jnp.cos(angle), dy - off * jnp.sin(angle)
    shadow = _disk(elliptical_square(dx, dy, ellipticity, angle), hole, sigma)
    area = jnp.pi * jnp.maximum(scene.defocus**2 - hole**2, 1e-6)
    return jnp.maximum(light - shadow, 0.0) / area


def psf_core(dx, dy, scene, ellipticity, angle):
    """
    Light per pixel in the core of the PSF of a source of unit flux.

    A Moffat profile (1969, A&A 3, 455), or the disk of a telescope that is out of
    focus, with the shadow of its secondary mirror a little off the center.

    Parameters
    ----------
    dx, dy : array
        Distance in pixels.

    scene : `Scene`
        Seeing and optics; that the telescope moved is left to `blurred_psf`.

    ellipticity, angle : float or array
        Of the PSF at the source.

    Returns
    -------
    value : array
        Non-negative; its integral over the plane is 1.

    squared : array
        Elliptical distance squared, for the aureole.
    """
    squared = elliptical_square(dx, dy, ellipticity, angle)
    donut = _donut(dx, dy, scene, ellipticity, angle)
    return jnp.where(scene.defocus > 0, donut, _moffat(squared, scene)), squared


def _with_aureole(core, squared, scene):
    """Add the aureole and the rings to a core."""
    wide = (_AUREOLE * scene.fwhm) ** 2
    base = 1 + squared / wide
    aureole = 0.5 / (jnp.pi * wide) / (base * jnp.sqrt(base))
    radius = jnp.sqrt(squared) / scene.fwhm
    wave = 1 + scene.rings * jnp.cos(2 * jnp.pi * radius / 1.2) * jnp.minimum(radius, 1)
    return (1 - scene.wings) * core * wave + scene.wings * aureole


def psf_profile(squared, scene):
    """
    Light per pixel of a source of unit flux in focus.

    Parameters
    ----------
    squared : array
        Square of the elliptical distance, see `elliptical_square`.

    scene : `Scene`
        Seeing and optics.

    Returns
    -------
    value : array
        As that of `psf_value`.
    """
    return _with_aureole(_moffat(squared, scene), squared, scene)


def psf_value(dx, dy, scene, ellipticity, angle):
    """
    Light per pixel at a distance from a source of unit flux.

    The core of `psf_core`, an aureole that falls as the cube of the radius
    (King 1971, PASP 83, 199, found a power of 2, but its light is finite), and,
    for telescopes above the atmosphere, rings.

    Parameters
    ----------
    dx, dy, scene, ellipticity, angle : array or `Scene`
        As for `psf_core`.

    Returns
    -------
    value : array
        Non-negative; its integral is that of the core (but for the rings).
    """
    core, squared = psf_core(dx, dy, scene, ellipticity, angle)
    return _with_aureole(core, squared, scene)


def psf_in_pixel(dx, dy, scene, ellipticity, angle, *, core_only=False):
    """
    Light in a pixel, by integration over its area.

    Parameters
    ----------
    dx, dy, scene, ellipticity, angle : array or `Scene`
        As for `psf_core`.

    core_only : bool, optional
        Whether to leave out the aureole and the rings, which do not show in
        faint stars.

    Returns
    -------
    value : array
        Mean of the light over the pixel.
    """
    # Wide profiles change little within a pixel.
    first, last = (
        jnp.where(
            scene.fwhm > _WELL_SAMPLED, few, jnp.where(scene.fwhm > _SAMPLED, *more)
        )
        for few, more in ((0, (1, 5)), (1, (5, 14)))
    )
    nodes = jnp.array(_NODES)

    def light(node, total):
        x, y, weight = nodes[:, node]
        if core_only:
            value, _ = psf_core(dx + x, dy + y, scene, ellipticity, angle)
        else:
            value = psf_value(dx + x, dy + y, scene, ellipticity, angle)
        return total + weight * value

    shape = jnp.broadcast_shapes(*(jnp.shape(a) for a in (dx, dy, ellipticity)))
    return jax.lax.fori_loop(first, last, light, jnp.zeros(shape))


def _path(scene):
    """Where a star is, from the middle of its path, and for how much of the time."""
    s = jnp.linspace(0.0, 1.0, _N_PLACES)
    time = jnp.full(_N_PLACES, scene.moving / _N_PLACES)
    time = time.at[0].add(scene.resting).at[-1].add(1 - scene.resting - scene.moving)
    along = (s - 0.5) * scene.trailing
    across = 4 * scene.bend * scene.trailing * s * (1 - s)
    cos, sin = jnp.cos(scene.angle), jnp.sin(scene.angle)
    return sin * along + cos * across, cos * along - sin * across, time


def share_bilinearly(image, y, x, light):
    """
    Add points to an image, each shared by the four pixels about it.

    Parameters
    ----------
    image : array
        Shape (height, width).

    y, x : array
        Places in pixels, not below 0.

    light : array
        Of each point.

    Returns
    -------
    image : array
        With the points; those outside of it are lost.
    """
    top, left = jnp.floor(y), jnp.floor(x)
    down, right = y - top, x - left
    top, left = top.astype(int), left.astype(int)
    for i, rows in enumerate((1 - down, down)):
        for j, columns in enumerate((1 - right, right)):
            image = image.at[top + i, left + j].add(light * rows * columns, mode="drop")
    return image


def blurred_psf(scene, size):
    """
    PSF of a telescope that was out of focus, or did not follow the sky.

    Parameters
    ----------
    scene : `Scene`
        Seeing, optics, and the path.

    size : int
        Side of the image in pixels, more than the path is long.

    Returns
    -------
    image : array
        Light in each pixel about the first one of a periodic image, shape (size,
        size); its sum is 1. There is none farther away than half of the size.
    """
    steps = jnp.fft.fftfreq(size, 1 / size)
    x, y = steps[None], steps[:, None]
    point = psf_in_pixel(x, y, scene, scene.ellipticity, scene.angle)
    path_y, path_x, time = _path(scene)
    middle = size // 2
    path = share_bilinearly(
        jnp.zeros((size, size)), path_y + middle, path_x + middle, time
    )
    path = jnp.roll(path, (-middle, -middle), (0, 1))
    image = jnp.fft.irfft2(jnp.fft.rfft2(point) * jnp.fft.rfft2(path), s=path.shape)
    # What is beyond is drawn otherwise: corners of a square would be seen.
    image = jnp.maximum(image, 0.0) * jnp.clip(size / 2 - jnp.hypot(x, y), 0.0, 1.0)
    return image / image.sum()


def psf_peak(scene):
    """
    Light in the brightest pixel of a source of unit flux.

    Parameters
    ----------
    scene : `Scene`
        Seeing and optics.

    Returns
    -------
    peak : float
        For a source in the middle of a pixel, where it is brightest; roughly,
        where the telescope was out of focus or did not follow.
    """
    # The brightest side of a donut is opposite to the shadow.
    off = scene.defocus * jnp.linspace(0.0, 1.0, 9)
    cos, sin = jnp.cos(scene.angle), jnp.sin(scene.angle)
    light = psf_in_pixel(-off * cos, -off * sin, scene, scene.ellipticity, scene.angle)
    # A path shares the light out over its length, and where the telescope rested.
    width = 1.06 * jnp.hypot(scene.fwhm, 1.6 * scene.defocus)
    thin = 1 / jnp.hypot(1.0, scene.trailing / width)
    rest = jnp.maximum(scene.resting, 1 - scene.resting - scene.moving)
    return light.max() * jnp.where(
        scene.trailing > 0, thin + (1 - thin) * jnp.maximum(rest, 0.0), 1.0
    )
