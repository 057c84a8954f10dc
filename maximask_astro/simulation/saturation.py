"""Saturation, and the charge that bleeds from saturated pixels."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between
from maximask_astro.simulation.masks import dilate

__all__ = ["saturate"]

# A pixel is saturated from this fraction of the full well on.
_FULL = 0.98

# How far, at most, charge runs along the edge that it bled to, in pixels on
# either side.
_ALONG_EDGE = 80.0


def _bleed(image, full_well, share):
    """Half of the excess flows up, half down, until it fills pixels."""
    excess = jnp.maximum(image - full_well, 0.0)
    filled = jnp.minimum(image, full_well)

    def flow(start, excess):
        def step(carry, row):
            here, extra = row
            total = here + carry + extra
            kept = jnp.minimum(total, full_well)
            return total - kept, kept

        return jax.lax.scan(step, jnp.zeros(start.shape[1]), (start, excess))[1]

    down = flow(filled, excess * share)
    return flow(down[::-1], (excess * (1 - share))[::-1])[::-1]


def _intrude(numbers, side, height, width):
    """Where charge enters in a trail from a star outside of the frame."""
    place, breadth, far, taper, end = numbers
    rows, columns = jnp.arange(side)[:, None], jnp.arange(side)
    rows = jnp.where(end < 0.5, rows, height - 1 - rows)
    from_middle = jnp.abs(columns - jnp.floor(width * place))
    from_middle = from_middle / log_between(breadth, 0.5, 6.0)
    # Longest in the middle of the trail.
    length = height * log_between(far, 0.03, 1.5) * (1 - taper * from_middle)
    length = jnp.minimum(length, height)
    return (from_middle < 1) & (rows >= 0) & (rows < length) & (columns < width)


def _run_along_edge(numbers, lost, height, width):
    """Where charge that left the frame piles up along its edge, and how much."""
    there, thick, level, end = numbers
    columns = jnp.arange(len(lost))
    rows = columns[:, None]
    rows = jnp.where(end < 0.5, rows, height - 1 - rows)
    total = lost.sum()
    middle = (lost * columns).sum() / jnp.maximum(total, 1.0)
    deep = log_between(thick, 1.0, 24.0)
    reach = jnp.clip(total / (2 * deep), 1.0, _ALONG_EDGE)
    along = (columns - middle) / reach
    inside = (rows >= 0) & (rows < deep * (1 - along**2)) & (columns < width)
    # As full as can be, or drained in part.
    level = jnp.where(level < 0.6, 1.0, level)
    return inside & (total > 5.0) & (there < 0.25), level


def _readings(key, shape, numbers, along_rows):
    """What full pixels read, in units of the full well, at most 1."""
    kind, amount, slope = numbers
    lines = jax.random.normal(key, (2, max(shape)))
    walk = jnp.cumsum(lines[0]) / max(shape) ** 0.5
    # Levels differ from column to column (or from row to row), as charge is lost
    # on its way, and along them.
    across = jnp.abs(walk - walk[0]) + 0.2 * jnp.abs(lines[0])
    along = slope * jnp.linspace(0.0, 1.0, max(shape)) + 0.1 * jnp.abs(lines[1])
    rows = jnp.where(along_rows, across, along)[: shape[0], None]
    columns = jnp.where(along_rows, along, across)[: shape[1]]
    depth = log_between(amount, 0.003, 0.08)
    structured = jnp.maximum(1 - depth * (rows + columns), 0.5)

    def rough(key):
        scatter = jnp.abs(jax.random.normal(key, shape))
        return jnp.maximum(1 - 0.7 * depth * scatter, 0.5)

    def even(key):
        return jnp.where((kind > 0.4) & (kind < 0.65), structured, 1.0)

    return jax.lax.cond((kind >= 0.65) & (kind < 0.87), rough, even, key)


def saturate(key, image, scene):
    """
    Saturate an exposure (Paillassa et al. 2020, section 2.1.9).

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), without noise, sky included.

    scene : `Scene`
        The exposure.

    Returns
    -------
    image : array
        No pixel above the full well. In most exposures the excess bleeds along
        columns or rows, piles up along the edge that it reaches, or enters
        from stars outside. Pixels that saturated read all the same, or differ
        from column to column, from row to row, or at random; or the innermost
        read less than their neighbors, or nothing.

    mask : array
        Boolean: where the full well was reached.
    """
    first, second = jax.random.split(key)
    # Few large draws: every draw of its own makes the compiler work for longer.
    numbers = jax.random.uniform(first, (17,))
    height, width = image.shape
    side = max(height, width)
    well = scene.full_well
    blooms, intrudes = numbers[0] < 0.75, numbers[0] < 0.1
    along_rows = (numbers[1] < 0.27) & blooms
    share = jnp.where(numbers[2] < 0.7, 0.5, 0.2 + 0.6 * numbers[3])

    def bloom(image):
        rows = jnp.where(along_rows, width, height)
        columns = jnp.where(along_rows, height, width)
        # Made square, so that one bleeding serves both directions.
        square = jnp.pad(image, ((0, side - height), (0, side - width)))
        turned = jax.lax.cond(along_rows, jnp.transpose, jnp.copy, square)
        bled = _bleed(turned, well, share)
        lost = jnp.maximum((turned - bled).sum(0), 0.0)
        entered = _intrude(numbers[4:9], side, rows, columns) & intrudes
        bled = jnp.where(entered, well, bled)
        ran, level = _run_along_edge(numbers[9:13], lost / well, rows, columns)
        image = jnp.where(ran & ~entered, well * level, bled)
        full = (image >= _FULL * well) | ran
        return tuple(
            jax.lax.cond(along_rows, jnp.transpose, jnp.copy, values)[:height, :width]
            for values in (image, full)
        )

    def clip(image):
        return jnp.minimum(image, well), image >= _FULL * well

    def read(image):
        image, full = jax.lax.cond(blooms, bloom, clip, image)
        levels = _readings(second, image.shape, numbers[13:16], along_rows)
        image = jnp.where(full, image * levels, image)

        def collapse(image):
            return jnp.where(dilate(~full, 3), image, 0.7 * numbers[16] * well)

        odd = numbers[13] >= 0.87
        return jax.lax.cond(odd, collapse, lambda image: image, image), full

    def leave(image):
        return image, jnp.zeros(image.shape, bool)

    some = (image >= _FULL * well).any() | intrudes
    return jax.lax.cond(some, read, leave, image)
