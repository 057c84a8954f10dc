"""What a step does with a loss, whatever is trained."""

__all__ = ["apply_gradients", "make_gradient"]


def make_gradient(loss_of):
    """
    Make a function for a loss and its gradient on a batch.

    Exposures pass one by one on a CPU, whose cache has room for one; together
    on an accelerator.

    Parameters
    ----------
    loss_of : callable
        From (weights, batch, shared) to a scalar: the sum of what the exposures
        of the batch have. ``batch`` is a tree of arrays with an exposure a
        first index; ``shared`` is of all of them.

    Returns
    -------
    gradient : callable
        From the same to (loss, gradients by weights).
    """
    import jax
    import jax.numpy as jnp

    of_batch = jax.value_and_grad(loss_of)

    def one_by_one(weights, batch, shared):
        def add(total, each):
            one = jax.tree.map(lambda values: values[None], each)
            return jax.tree.map(jnp.add, total, of_batch(weights, one, shared)), None

        nothing = jnp.zeros(()), jax.tree.map(jnp.zeros_like, weights)
        return jax.lax.scan(add, nothing, batch)[0]

    return one_by_one if jax.default_backend() == "cpu" else of_batch


def apply_gradients(recipe, optimizer, groups, gradients):
    """
    Update weights, their running mean, and the optimizer's variables.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    optimizer : `keras.Optimizer`
        Its optimizer.

    groups : dict of str to list of array
        ``weights``, ``mean`` and ``optimizer``.

    gradients : list of array
        By weights.

    Returns
    -------
    groups : dict of str to list of array
        After the step.
    """
    import jax

    weights, state = optimizer.stateless_apply(
        groups["optimizer"], gradients, groups["weights"]
    )
    mean = jax.tree.map(
        lambda old, new: recipe.ema * old + (1 - recipe.ema) * new,
        groups["mean"],
        weights,
    )
    return {"weights": weights, "mean": mean, "optimizer": state}
