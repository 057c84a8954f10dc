"""What one simulated exposure is like: camera, sky and seeing."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import chance, choice, log_uniform, uniform

__all__ = ["Scene", "draw_scene", "noise_after_smoothing", "pixel_grid"]


class Scene(NamedTuple):
    """
    Numbers that describe an exposure, each a scalar.

    Parameters
    ----------
    sky : float
        Sky level in electrons a pixel.

    read_noise : float
        Read noise in electrons.

    sigma : float
        Noise of the empty sky in electrons.

    full_well : float
        Electrons that a pixel can hold.

    gain : float
        Electrons a data number.

    fwhm : float
        Full width at half maximum of the PSF in pixels.

    moffat : float
        Exponent of the Moffat profile of the PSF's core.

    wings : float
        Fraction of the light in an aureole much wider than the core.

    ellipticity, angle : float
        1 - axis ratio of the PSF, and direction of its major axis in radians.

    coma : float
        Growth of the ellipticity from the center of the field to its corner.

    trailing : float
        Length in pixels over which the telescope drifted, 0 in most exposures.

    defocus : float
        Radius in pixels of the ring that a star out of focus is, 0 in most
        exposures.

    halo : float
        Radius in pixels of the disk, out of focus, that light reflected between
        optical surfaces is around a bright star; 0 in most exposures.

    reflected : float
        Fraction of the light in that disk.

    rings : float
        Contrast of the diffraction rings, 0 in most exposures from the ground.

    smoothing : float
        Standard deviation in pixels of the kernel that resampling (or none: 0)
        has left in the noise.

    as_paper : bool
        Whether contaminants are as strong as in Paillassa et al. (2020), section
        2.1, instead of over a wide range.
    """

    sky: jax.Array
    read_noise: jax.Array
    sigma: jax.Array
    full_well: jax.Array
    gain: jax.Array
    fwhm: jax.Array
    moffat: jax.Array
    wings: jax.Array
    ellipticity: jax.Array
    angle: jax.Array
    coma: jax.Array
    trailing: jax.Array
    defocus: jax.Array
    halo: jax.Array
    reflected: jax.Array
    rings: jax.Array
    smoothing: jax.Array
    as_paper: jax.Array


def pixel_grid(shape):
    """
    Give the coordinates of the pixels.

    Parameters
    ----------
    shape : tuple of two int
        Height and width.

    Returns
    -------
    y, x : array
        float32, of that shape.
    """
    return jnp.meshgrid(
        jnp.arange(shape[0], dtype=jnp.float32),
        jnp.arange(shape[1], dtype=jnp.float32),
        indexing="ij",
    )


def noise_after_smoothing(smoothing):
    """
    Fraction of white noise that is left by smoothing with a Gaussian.

    The root of the integral of the squared transfer function of
    `maximask_astro.simulation.masks.smooth` over all wave numbers of the
    pixels.

    Parameters
    ----------
    smoothing : float or array
        Standard deviation of the Gaussian in pixels.

    Returns
    -------
    fraction : array
        In (0, 1].
    """
    width = 2 * jnp.pi**0.5 * jnp.maximum(smoothing, 1e-3)
    return jax.scipy.special.erf(jnp.pi**0.5 / 2 * width) / width


def draw_scene(key, as_paper=False):
    """
    Draw an exposure's properties, from space to the amateur's garden.

    Parameters
    ----------
    key : array
        PRNG key.

    as_paper : bool or array, optional
        Whether contaminants are as strong as in the paper.

    Returns
    -------
    scene : `Scene`
        Its numbers.
    """
    keys = jax.random.split(key, 25)
    dark = chance(keys[0], 0.15)  # space, narrow bands, short exposures
    sky = jnp.where(
        dark, log_uniform(keys[1], 0.2, 30.0), log_uniform(keys[2], 20.0, 4e4)
    )
    read_noise = log_uniform(keys[3], 1.5, 25.0)
    smoothing = jnp.where(
        choice(keys[15], (0.8, 0.2)) == 1, uniform(keys[17], 0.4, 0.9), 0.0
    )
    sigma = jnp.sqrt(sky + read_noise**2) * noise_after_smoothing(smoothing)
    full_well = jnp.maximum(log_uniform(keys[4], 2e4, 4e5), sky * 1.5 + 100 * sigma)

    undersampled = chance(keys[5], 0.25)
    fwhm = jnp.where(
        undersampled, uniform(keys[6], 1.2, 2.5), log_uniform(keys[7], 2.0, 9.0)
    )
    # From noise that is well sampled by the converter to a few levels.
    gain = sigma * log_uniform(keys[8], 0.01, 1.0)
    return Scene(
        sky=sky,
        read_noise=read_noise,
        sigma=sigma,
        full_well=full_well,
        gain=gain,
        fwhm=fwhm,
        moffat=uniform(keys[9], 2.2, 5.0),
        wings=log_uniform(keys[10], 0.002, 0.08),
        ellipticity=0.35 * uniform(keys[11], 0.0, 1.0) ** 2,
        angle=uniform(keys[12], 0.0, jnp.pi),
        coma=jnp.where(chance(keys[13], 0.4), uniform(keys[16], 0.0, 0.3), 0.0),
        trailing=jnp.where(
            chance(keys[18], 0.07), log_uniform(keys[19], 3.0, 40.0), 0.0
        ),
        defocus=jnp.where(chance(keys[20], 0.03), uniform(keys[21], 3.0, 9.0), 0.0),
        halo=jnp.where(chance(keys[22], 0.3), log_uniform(keys[23], 12.0, 150.0), 0.0),
        reflected=log_uniform(keys[24], 1e-3, 5e-2),
        rings=jnp.where(undersampled, uniform(keys[14], 0.0, 1.0), 0.0),
        smoothing=smoothing,
        as_paper=jnp.asarray(as_paper),
    )
