"""Cut-outs: exposures in pieces, since masks of small images are wanted too."""

import numpy as np

__all__ = ["N_PIECES", "cut", "is_cut"]

# A side of an exposure is cut into so many.
N_PIECES = 3


def is_cut(recipe, step):
    """
    Say whether a step of training learns from cut-outs.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    step : int
        The step.

    Returns
    -------
    cut : bool
        True for the recipe's fraction of the steps, always the same ones.
    """
    drawn = np.random.default_rng((recipe.seed, step, 1)).uniform()
    return bool(drawn < recipe.cutouts)


def cut(arrays, stride):
    """
    Cut exposures into square pieces.

    Parameters
    ----------
    arrays : array
        Shape (batch, size, size, ...).

    stride : int
        The pieces' sides are multiples of this, in pixels; what is left over at
        the end of the rows and columns is not used.

    Returns
    -------
    pieces : array
        Shape (9 * batch, side, side, ...): those of the first exposure first.
    """
    batch, size, _, *rest = arrays.shape
    side = size // N_PIECES // stride * stride
    arrays = arrays[:, : N_PIECES * side, : N_PIECES * side]
    arrays = arrays.reshape(batch, N_PIECES, side, N_PIECES, side, *rest)
    return arrays.swapaxes(2, 3).reshape(-1, side, side, *rest)
