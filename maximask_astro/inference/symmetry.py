"""The eight symmetries of the square, applied to batches of images."""

__all__ = ["spread_over_symmetries"]


def spread_over_symmetries(function, maps, finish=lambda output: output):
    """
    Standard deviation of a function's output over eight views of its input.

    Each view (a flip, a transposition, or both) is evaluated and its output
    turned back, within one traced computation that holds one view's output at
    a time (mean and variance by Welford's update, 1962, Technometrics 4, 419).

    Parameters
    ----------
    function : callable
        From maps to others of shape (batch, height, width, classes).

    maps : tuple of array
        Shape (batch, height, width, channels) each, of any pixel size.

    finish : callable, optional
        What is done to the function's output once it is turned back.

    Returns
    -------
    output : array
        ``finish(function(*maps))``, shape (batch, height, width, classes).

    std : array
        Of the same shape, the population standard deviation of the eight
        outputs.
    """
    import jax
    import jax.numpy as jnp

    def flipped(axes):
        return lambda maps: tuple(jnp.flip(each, axes) for each in maps)

    # Flips of rows and columns; each is its own inverse.
    flips = [flipped(axes) for axes in ((), (1,), (2,), (1, 2))]

    def accumulate(state, turn):
        turned = tuple(turn(each) for each in maps)

        def step(state, index):
            count, first, mean, squares = state
            view = jax.lax.switch(index, flips, turned)
            (output,) = jax.lax.switch(index, flips, (function(*view),))
            output = finish(turn(output))
            count = count + 1
            change = output - mean
            mean = mean + change / count
            squares = squares + change * (output - mean)
            first = jnp.where(count == 1, output, first)
            return (count, first, mean, squares), None

        return jax.lax.scan(step, state, jnp.arange(len(flips)))[0]

    shape = jax.eval_shape(lambda maps: finish(function(*maps)), maps)
    zeros = jnp.zeros(shape.shape, shape.dtype)
    state = (jnp.zeros((), shape.dtype), zeros, zeros, zeros)
    state = accumulate(state, lambda x: x)
    count, output, _, squares = accumulate(state, lambda x: jnp.swapaxes(x, 1, 2))
    return output, jnp.sqrt(jnp.maximum(squares / count, 0.0))
