"""Frames to learn from: their size, their view, and what is looked at closely."""

from typing import NamedTuple

import numpy as np

from maximask_astro.background import BLOCK
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.normalization import look_over_batch

__all__ = ["FRAMINGS", "Framing", "Frames", "choose_framing", "examine", "unpack_bits"]

_N_CLASSES = len(ABBREVIATIONS)

# Contaminants are on few parts of a frame. Of so many parts at random one is looked
# at: so often because it has more of the contaminants than others, else any.
_CANDIDATES, _FOR_CONTAMINANTS = 8, 0.75

# What is everywhere, and no reason to look closely.
_GROUNDS = np.array([name in ("BBG", "BG") for name in ABBREVIATIONS])

# Every bit of a class.
ALL_KNOWN = (1 << _N_CLASSES) - 1


class Framing(NamedTuple):
    """
    How simulated frames become frames to learn from.

    Parameters
    ----------
    parts : int
        Into so many parts a side is cut: every piece is a frame of its own.

    number : int
        Pieces of each that are used. A frame that is not cut is used as often, with
        another part looked at closely each time, unless that is all of it: on a
        processor, to simulate it takes nearly as long as to learn from a part.
    """

    parts: int
    number: int


# Whole frames, and small ones, since masks of small images are wanted, too.
FRAMINGS = (Framing(1, 2), Framing(2, 2), Framing(4, 4))


class Frames(NamedTuple):
    """
    Exposures and what is known about their pixels.

    Parameters
    ----------
    images : array
        float32, shape (number, size, size), in any unit.

    labels, known : array
        uint16, of the same shape: bit ``i`` says whether a pixel has class ``i`` of
        `maximask_astro.flags.ABBREVIATIONS`, and whether that is known.
    """

    images: np.ndarray
    labels: np.ndarray
    known: np.ndarray


def choose_framing(recipe, step):
    """
    Say which frames a step of training learns from.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    step : int
        The step.

    Returns
    -------
    framing : `Framing`
        Small ones in the recipe's fraction of the steps, always the same ones.
    """
    drawn = np.random.default_rng((recipe.seed, step, 1)).uniform()
    if drawn >= recipe.cutouts:
        return FRAMINGS[0]
    return FRAMINGS[1] if drawn < recipe.cutouts / 2 else FRAMINGS[2]


def unpack_bits(bits):
    """
    Give each class a plane.

    Parameters
    ----------
    bits : array
        uint16.

    Returns
    -------
    planes : array
        Boolean, with an axis for the classes at the end.
    """
    import jax.numpy as jnp

    return (bits[..., None] >> jnp.arange(_N_CLASSES, dtype=bits.dtype)) & 1 != 0


def _pieces(key, values, framing):
    """Some of the pieces of each frame."""
    import jax
    import jax.numpy as jnp

    parts, number = framing
    if parts == 1:
        return values
    batch, size, _ = values.shape
    side = size // parts
    values = values[:, : parts * side, : parts * side]
    values = values.reshape(batch, parts, side, parts, side).swapaxes(2, 3)
    values = values.reshape(batch, parts**2, side, side)
    chosen = jax.vmap(lambda key: jax.random.permutation(key, parts**2)[:number])(
        jax.random.split(key, batch)
    )
    values = jnp.take_along_axis(values, chosen[:, :, None, None], axis=1)
    return values.reshape(-1, side, side)


def _choose_part(key, block_labels, origins, crop):
    """
    Choose where to look closely.

    Parameters
    ----------
    key : array
        PRNG key.

    block_labels : array
        Boolean, shape (rows, columns, classes): of the blocks of the frame.

    origins : array
        int, shape (candidates, 2): first pixels of parts.

    crop : int
        Their height and width in pixels.

    Returns
    -------
    chosen : array
        Which of them.

    weight : array
        By how much less likely it was chosen than by chance alone. The mean of
        anything with these weights is that over all parts.
    """
    import jax
    import jax.numpy as jnp

    sums = jnp.pad(block_labels, ((1, 0), (1, 0), (0, 0))).astype(jnp.float32)
    sums = sums.cumsum(0).cumsum(1)
    (top, left), side = (origins // BLOCK).T, max(crop // BLOCK, 1)
    found = (
        sums[top + side, left + side] - sums[top, left + side]
        - sums[top + side, left] + sums[top, left]
    )  # fmt: skip
    found = jnp.where(_GROUNDS, 0.0, found)
    total = found.sum(0)
    share = (found / jnp.maximum(total, 1.0)).sum(1) / jnp.maximum((total > 0).sum(), 1)
    uniform = 1 / len(origins)
    often = jnp.where(total.any(), _FOR_CONTAMINANTS, 0.0)
    chance = (1 - often) * uniform + often * share
    chosen = jax.random.choice(key, len(origins), p=chance)
    return chosen, uniform / chance[chosen]


def examine(key, frames, framing, *, crop, stride, block_stride):
    """
    Look over frames, and closely at a part of each.

    Parameters
    ----------
    key : array
        PRNG key.

    frames : `Frames`
        What to look at.

    framing : `Framing`
        How frames are cut.

    crop : int
        Height and width of the part, at most; all of smaller frames is looked at.

    stride : int
        Parts begin at multiples of this.

    block_stride : int
        The view's blocks are made a multiple of this.

    Returns
    -------
    inputs : dict of str to array
        Of a network with a whole-frame view: ``image``, ``blocks``, ``columns``,
        ``rows`` and ``origin``.

    labels, known : array
        Boolean, shape (batch, crop, crop, classes).

    block_labels, block_known : array
        The same of the blocks, padded as they are: a block has a class if a pixel of
        it has.

    weights : array
        Shape (batch,): how much each part counts. Parts with contaminants are more
        often looked at and count less, so that all parts of a frame count alike.
    """
    import jax
    import jax.numpy as jnp

    first, second, third = jax.random.split(key, 3)
    images, labels, known = (
        _pieces(first, jnp.asarray(values), framing) for values in frames
    )
    looked_over = look_over_batch(images, block_stride)
    if framing.parts == 1 and crop < images.shape[1]:
        looked_over, labels, known = jax.tree.map(
            lambda values: jnp.repeat(values, framing.number, axis=0),
            (looked_over, labels, known),
        )
    normalized, view = looked_over
    batch, size, _ = normalized.shape
    crop = min(crop, size)
    most = (size - crop) // stride + 1

    def cut(values):
        return jax.vmap(
            lambda one, place: jax.lax.dynamic_slice(one, place, (crop, crop))
        )(values, origin)

    def of_blocks(bits, combine):
        n = size // BLOCK
        bits = bits[:, : n * BLOCK, : n * BLOCK].reshape(batch, n, BLOCK, n, BLOCK)
        bits = combine.reduce(combine.reduce(bits, axis=4), axis=2)
        missing = (0, -n % block_stride)
        return unpack_bits(jnp.pad(bits, ((0, 0), missing, missing)))

    block_labels = of_blocks(labels, jnp.bitwise_or)
    candidates = _CANDIDATES if most > 1 else 1
    origins = stride * jax.random.randint(second, (batch, candidates, 2), 0, most)
    chosen, weights = jax.vmap(_choose_part, (0, 0, 0, None))(
        jax.random.split(third, batch), block_labels, origins, crop
    )
    origin = jnp.take_along_axis(origins, chosen[:, None, None], axis=1)[:, 0]
    inputs = {"image": cut(normalized)[..., None], "origin": origin, **view}
    # Known is what all of it is known for, or what is known to be there.
    block_known = of_blocks(known, jnp.bitwise_and) | block_labels
    return (
        inputs,
        unpack_bits(cut(labels)),
        unpack_bits(cut(known)),
        block_labels,
        block_known,
        weights,
    )
