"""
Normalize exposures for the networks: subtract the sky, divide by its noise.

Each model card names the normalization its network was trained with.
"""

from dataclasses import replace

import numpy as np
from astropy.stats import mad_std

from maximask_astro.background.fill import fill_invalid
from maximask_astro.background.mesh import mesh_sky
from maximask_astro.background.sky import Sky, array_reader
from maximask_astro.background.surface import constant_surface, zoomed_surface
from maximask_astro.background.view import SEGMENT
from maximask_astro.background.view_builder import ViewBuilder

__all__ = [
    "NORMALIZATIONS",
    "estimate_background",
    "estimate_sky",
    "look_over",
    "normalize",
]

# Boxes of the sky in pixels. In those of full size, two rows of five count, an odd
# number because of cameras with two by two color filters; and one column of five,
# where there are so many boxes either way that their neighbors even out their noise.
_BOX_SIZE, _STEP, _OF_ROWS, _OF_COLUMNS, _MANY = 200, 5, (0, 2), (0,), 3

# Pixels, more or less, that the level of a whole image is taken from.
_SAMPLE = 100_000

# Rows that are read at a time: whole segments of the view that is made of them.
_ROWS = 15 * SEGMENT


def _sampled(read, shape, of_rows, of_columns):
    """
    Some pixels, and which of them are invalid (None if there are none).

    ``of_rows`` and ``of_columns`` are a step, and the numbers within it that count.
    """
    images, masks = [], []
    columns = np.flatnonzero(_counts(0, shape[1], *of_columns))
    for start in range(0, shape[0], _ROWS):
        stop = min(start + _ROWS, shape[0])
        image, invalid = read(start, stop)
        chosen = np.ix_(np.flatnonzero(_counts(start, stop, *of_rows)), columns)
        images.append(image[chosen])
        if invalid is None:
            invalid = np.zeros(image.shape, bool)
        masks.append(invalid[chosen])
    image, invalid = np.concatenate(images), np.concatenate(masks)
    return image, invalid if invalid.any() else None


def _counts(start, stop, step, numbers):
    return np.isin(np.arange(start, stop) % step, numbers)


def _photutils(read, shape):
    # Here, since it takes a quarter of a second: a command that has nothing to do
    # answers at once.
    from photutils.background import Background2D

    box = [min(_BOX_SIZE, size) for size in shape]
    chosen = [(1, (0,)), (1, (0,))]
    if box[0] == _BOX_SIZE:
        chosen[0] = _STEP, _OF_ROWS
    if min(shape) >= _MANY * _BOX_SIZE:
        chosen[1] = _STEP, _OF_COLUMNS
    image, invalid = _sampled(read, shape, *chosen)
    if invalid is not None and invalid.all():
        return Sky(constant_surface(0.0), constant_surface(1.0))

    def estimate(percentile):
        background = Background2D(
            image,
            box_size=[
                size // step * len(numbers)
                for size, (step, numbers) in zip(box, chosen, strict=True)
            ],
            mask=invalid,
            filter_size=3,
            exclude_percentile=percentile,
        )
        return background.background_mesh, background.background_rms_mesh

    try:
        level, noise = estimate(90)
    except ValueError:  # no box has a tenth of its pixels: take what there is
        level, noise = estimate(100)
    return Sky(_through(level, box), _through(noise, box, replacement=1.0))


def _through(grid, box, **options):
    """As `Background2D` draws maps, which keeps them within the grid's values."""
    limits = {"low": float(grid.min()), "high": float(grid.max())}
    return zoomed_surface(grid, box, **limits, **options)


def _global(read, shape):
    step = int((shape[0] * shape[1] / _SAMPLE) ** 0.5)
    step = max(step - 1 + step % 2, 1)  # odd, as above
    image, invalid = _sampled(read, shape, (step, (0,)), (step, (0,)))
    values = image if invalid is None else image[~invalid]
    level, rms = (np.median(values), mad_std(values)) if values.size else (0.0, 0.0)
    return Sky(constant_surface(level), constant_surface(rms if rms > 0 else 1.0))


# Name to function of (reader of rows, shape of the image).
NORMALIZATIONS = {
    "global": _global,
    "maximask": mesh_sky,
    "photutils": _photutils,
}


def look_over(read, shape, *, method="photutils"):
    """
    Estimate the sky of an image and sum it up, in one pass over its rows.

    Parameters
    ----------
    read, shape, method : callable, tuple of two int, {'photutils', 'global'}
        As in `estimate_sky`.

    Returns
    -------
    sky : `Sky`
        Its level and its noise, and from where on pixels are full.

    view : `FrameView`
        The image at a glance.
    """
    builder = ViewBuilder(shape)

    def watched(start, stop):
        image, invalid = read(start, stop)
        builder.add(start, image, invalid)
        return image, invalid

    sky = estimate_sky(watched, shape, method=method)
    view = builder.finish(sky)
    return replace(sky, full=view.full), view


def estimate_sky(read, shape, *, method="photutils"):
    """
    Estimate the sky of an image that is read row by row.

    Parameters
    ----------
    read : callable
        From the first row and the one after the last to these rows, see
        `array_reader`. It is called for 960 rows at most, in order.

    shape : tuple of two int
        Size of the image.

    method : {'photutils', 'maximask', 'global'}, optional
        As in `estimate_background`.

    Returns
    -------
    sky : `Sky`
        Its level and its noise.
    """
    try:
        function = NORMALIZATIONS[method]
    except KeyError:
        raise ValueError(
            f"There is no normalization '{method}'; there are "
            f"{', '.join(NORMALIZATIONS)}."
        ) from None
    return function(read, shape)


def estimate_background(data, *, mask=None, method="photutils"):
    """
    Estimate the sky level and the sky noise of an image.

    Parameters
    ----------
    data : array_like
        Two-dimensional image of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels to leave out, in addition to those that are not finite.

    method : {'photutils', 'maximask', 'global'}, optional
        ``'maximask'`` is the recipe of MaxiMask 1.4.1, ``'photutils'`` is
        `photutils.background.Background2D` in boxes of 200 pixels, on two rows of
        five and, in images of 600 pixels and more, on one column of five.
        ``'global'`` is the median of the whole image and its median absolute
        deviation as a standard deviation, from about 100,000 of its pixels.

    Returns
    -------
    level, rms : `~numpy.ndarray`
        float32 maps of the shape of ``data``, in its unit; ``rms`` is
        positive. They are 0 and 1 where there is no valid pixel at all.
    """
    read = array_reader(data, mask)
    shape = np.shape(data)
    sky = estimate_sky(read, shape, method=method)
    where = range(shape[0]), range(shape[1])
    return sky.level.values(*where), sky.noise.values(*where)


def normalize(data, *, mask=None, method="photutils"):
    """
    Subtract the sky and divide by its noise.

    Parameters
    ----------
    data : array_like
        Two-dimensional image of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels to leave out, in addition to those that are not finite.

    method : {'photutils', 'maximask', 'global'}, optional
        As in `estimate_background`.

    Returns
    -------
    image : `~numpy.ndarray`
        float32, of the shape of ``data``, without units: multiples of the sky
        noise above the sky. Invalid pixels are filled.

    invalid : `~numpy.ndarray` of bool or None
        True for pixels that were masked or not finite; None if there are none.
    """
    read, shape = array_reader(data, mask), np.shape(data)
    sky = estimate_sky(read, shape, method=method)
    image, invalid = read(0, shape[0])
    sky.normalize(image, range(shape[0]), range(shape[1]))
    if invalid is not None:
        fill_invalid(image, invalid)
    return image, invalid
