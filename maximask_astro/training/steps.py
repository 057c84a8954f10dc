"""What a step of training computes: networks, optimizers, losses, updates."""

import random
from functools import partial

import numpy as np

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.cutouts import N_PIECES, cut
from maximask_astro.training.gradients import apply_gradients, make_gradient
from maximask_astro.training.losses import (
    LossWeights,
    balanced_loss_weights,
    class_weights,
    effective_priors,
    paper_loss_weights,
    positive_weights,
    weighted_cross_entropy,
)
from maximask_astro.training.normalization import normalize_batch
from maximask_astro.training.reach import measure_stride
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.keras_backend import import_keras

__all__ = [
    "build_network",
    "build_optimizer",
    "compile_evaluation",
    "compile_update",
    "presented_priors",
    "weights_for_priors",
]


def build_network(recipe):
    """
    Build the network of a recipe with its first weights.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    Returns
    -------
    network : `keras.Model`
        The network; the seeds and the precision that others use are left as
        they were.

    Raises
    ------
    InputError
        There is no such architecture, or it has no such options.
    """
    keras = import_keras()
    from maximask_astro.models import ARCHITECTURES

    if recipe.architecture not in ARCHITECTURES:
        raise InputError(
            f"The recipe '{recipe.name}' names the architecture "
            f"'{recipe.architecture}'; there are {', '.join(ARCHITECTURES)}."
        )
    policy, state = keras.config.dtype_policy(), random.getstate()
    try:
        # Keras draws the seeds of first weights from Python's generator.
        random.seed(recipe.seed)
        low = recipe.precision == "bfloat16"
        keras.config.set_dtype_policy("mixed_bfloat16" if low else "float32")
        return ARCHITECTURES[recipe.architecture](**recipe.options)
    except TypeError as error:
        raise InputError(
            f"The options of the recipe '{recipe.name}' do not fit the architecture "
            f"'{recipe.architecture}': {error}."
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
        random.setstate(state)


def build_optimizer(recipe, network):
    """
    Build the optimizer of a recipe.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    network : `keras.Model`
        Its network.

    Returns
    -------
    optimizer : `keras.Optimizer`
        AdamW; the learning rate rises linearly and falls as a cosine.
    """
    keras = import_keras()
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(recipe.steps - recipe.warmup, 1),
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=recipe.weight_decay, global_clipnorm=1.0
    )
    optimizer.build(network.trainable_variables)
    return optimizer


def presented_priors(recipe, proportions):
    """
    Fraction of each class as the loss of a recipe presents it.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    proportions : array_like
        Fraction of pixels of each class in the training set.

    Returns
    -------
    priors : `~numpy.ndarray`
        In (0, 1), one a class.
    """
    if recipe.loss == "paper":
        weights = class_weights(proportions, recipe.weight_power)
        # A pixel weighs as much as its rarest class, nearly.
        weights = weights / weights[ABBREVIATIONS.index("BG")]
    else:
        weights = positive_weights(proportions, recipe.weight_power)
    return effective_priors(proportions, weights)


def weights_for_priors(proportions, priors):
    """
    Give the weights that present each class with a given fraction.

    The inverse of `effective_priors`.

    Parameters
    ----------
    proportions, priors : array_like
        Fraction of pixels of each class in the examples, and as the loss is to
        present it; the first may be 0 or NaN.

    Returns
    -------
    weights : `~numpy.ndarray`
        float32, at most 1000; 1 for classes that do not occur.
    """
    priors = np.asarray(priors, dtype=float)
    found = np.nan_to_num(np.asarray(proportions, dtype=float))
    occurs = (found > 0) & (found < 1)
    found = np.where(occurs, found, 0.5)
    weights = priors / (1 - priors) * (1 - found) / found
    return np.where(occurs, np.minimum(weights, 1000.0), 1.0).astype(np.float32)


def _simulated_loss_weights(recipe, proportions, priors):
    """From labels of simulated exposures to the weights of their loss."""
    import jax.numpy as jnp

    if priors is None and recipe.loss == "paper":
        weights = jnp.asarray(class_weights(proportions, recipe.weight_power))
        return lambda labels: paper_loss_weights(labels, weights)
    if priors is None:
        weights = jnp.asarray(positive_weights(proportions, recipe.weight_power))
    else:
        weights = jnp.asarray(weights_for_priors(proportions, priors))
    fractions = jnp.asarray(proportions, jnp.float32)
    return lambda labels: balanced_loss_weights(labels, weights, fractions)


def _masker_gradient(network):
    """Loss and its gradient on a batch, by weights."""

    def loss_of(weights, batch, factors):
        images, labels, pixels = batch
        logits, _ = network.stateless_call(weights, [], images, training=True)
        return weighted_cross_entropy(logits, labels, LossWeights(*factors, pixels))

    return make_gradient(loss_of)


def compile_update(recipe, network, optimizer, proportions, own=None, priors=None):
    """
    Compile a step of training.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    network : `keras.Model`
        Its network.

    optimizer : `keras.Optimizer`
        Its optimizer.

    proportions : array_like
        Fraction of pixels of each class in simulated exposures.

    own : array_like, optional
        The same in examples of one's own, if there are any.

    priors : array_like, optional
        Fraction of each class as the loss is to present it; by default the
        recipe says so.

    Returns
    -------
    update : callable
        From (groups, simulated, own, step, cutouts) to (groups, loss).
        ``simulated`` is a tuple of raw images and labels, or None; ``own`` one
        of normalized images, labels, and whether these are known, or None;
        ``cutouts`` says whether to `cut` them.

    Raises
    ------
    InputError
        The recipe asks for cut-outs that are too small for the network.
    """
    import jax
    import jax.numpy as jnp

    of_simulated = _simulated_loss_weights(recipe, proportions, priors)
    if own is not None:
        own_weights = jnp.asarray(weights_for_priors(own, priors))
        own_fractions = jnp.asarray(np.nan_to_num(own), jnp.float32)
    gradient = _masker_gradient(network)
    stride = measure_stride(network) if recipe.cutouts else 1
    if recipe.size < N_PIECES * stride:
        raise InputError(
            f"The size of the recipe '{recipe.name}' is {recipe.size} pixels; for "
            f"cut-outs it must be at least {N_PIECES * stride}."
        )

    def prepare(simulated, own):
        """Normalized images, labels and weights of the loss of each set."""
        if simulated is not None:
            images, labels = simulated
            yield normalize_batch(images), labels, of_simulated(labels)
        if own is not None:
            images, labels, known = own
            loss_weights = balanced_loss_weights(
                labels, own_weights, own_fractions, known
            )
            yield images, labels, loss_weights

    emphasis = [recipe.emphasis.get(name, 1.0) for name in ABBREVIATIONS]
    emphasis = jnp.asarray(emphasis, jnp.float32)

    def emphasized(images, labels, loss_weights):
        loss_weights = loss_weights._replace(
            positive=emphasis * loss_weights.positive,
            negative=emphasis * loss_weights.negative,
        )
        return images, labels, loss_weights

    def cut_all(images, labels, loss_weights):
        pixels = loss_weights.pixels
        pixels = None if pixels is None else cut(pixels, stride)
        loss_weights = loss_weights._replace(pixels=pixels)
        return cut(images, stride), cut(labels, stride), loss_weights

    def jittered(images, step):
        key = jax.random.fold_in(jax.random.key(recipe.seed), 3)
        key = jax.random.fold_in(key, step)
        shape = (2, len(images), 1, 1)
        factor, offset = recipe.jitter * jax.random.normal(key, shape)
        return images * jnp.exp(factor) + offset

    @partial(jax.jit, static_argnames="cutouts")
    def update(groups, simulated, own, step, cutouts=False):
        sets = [emphasized(*values) for values in prepare(simulated, own)]
        if cutouts:
            sets = [cut_all(*values) for values in sets]
        numbers = [len(images) for images, _, _ in sets]
        images = jittered(jnp.concatenate([images for images, _, _ in sets]), step)
        images = jnp.split(images[..., None], np.cumsum(numbers)[:-1])
        loss, gradients = 0.0, None
        for number, these, (_, labels, loss_weights) in zip(
            numbers, images, sets, strict=True
        ):
            share = number / sum(numbers)
            positive, negative, pixels = loss_weights
            batch = these, labels, pixels
            found = gradient(groups["weights"], batch, (positive, negative))
            found = jax.tree.map(lambda values, share=share: share * values, found)
            if gradients is not None:
                found = jax.tree.map(jnp.add, found, (loss, gradients))
            loss, gradients = found
        return apply_gradients(recipe, optimizer, groups, gradients), loss

    return update


def compile_evaluation(network, normalize=normalize_batch):
    """
    Compile the evaluation of a network on simulated exposures.

    Parameters
    ----------
    network : `keras.Model`
        The network.

    normalize : callable or None, optional
        What is done to the images first; None for networks that take raw ones.

    Returns
    -------
    evaluate : callable
        From weights and raw images to outputs.
    """
    import jax

    @jax.jit
    def evaluate(weights, images):
        if normalize is not None:
            images = normalize(images)
        images = images[..., None]
        outputs, _ = network.stateless_call(weights, [], images, training=False)
        return outputs.astype("float32")

    return evaluate
