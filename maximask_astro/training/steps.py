"""What a step of training computes: networks, optimizers, losses, updates."""

import random
from functools import partial
from typing import NamedTuple

import numpy as np

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training.exposures import PURPOSES
from maximask_astro.training.frames import FRAMINGS, examine
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
from maximask_astro.training.normalization import look_over_batch
from maximask_astro.training.reach import measure_stride
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.keras_backend import import_keras

__all__ = [
    "Proportions",
    "build_network",
    "build_optimizer",
    "compile_evaluation",
    "compile_masker_evaluation",
    "compile_update",
    "presented_priors",
    "weights_for_priors",
]


# Gradients are cut to this length, several times that of most: if all were made alike,
# batches with hardly a contaminant would count as much as others.
_LARGEST_GRADIENT = 30.0


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
    except (TypeError, ValueError) as error:
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
        schedule, weight_decay=recipe.weight_decay, global_clipnorm=_LARGEST_GRADIENT
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


class Proportions(NamedTuple):
    """
    How frequent classes are.

    Parameters
    ----------
    pixels, blocks : `~numpy.ndarray`
        Fraction of the pixels, and of the blocks of 8 by 8 pixels, that have each.
    """

    pixels: np.ndarray
    blocks: np.ndarray


def _weights(recipe, proportions, priors):
    """Weights of pixels, or blocks, that have each class against others."""
    if priors is not None:
        return weights_for_priors(proportions, priors)
    return positive_weights(proportions, recipe.weight_power)


def _factors(labels, known, weights, fractions, emphasis):
    """What positives and negatives of each class count, all in all."""
    positive, negative, _ = balanced_loss_weights(labels, weights, fractions, known)
    return emphasis * positive, emphasis * negative


def _masker_gradient(recipe, network):
    """Loss and its gradient on a batch, by weights."""
    has_view = len(network.outputs) > 1

    def loss_of(weights, batch, factors):
        inputs, labels, known, block_labels, block_known = batch
        if not has_view:
            inputs = inputs["image"]
        outputs, _ = network.stateless_call(weights, [], inputs, training=True)
        logits, of_blocks = outputs if has_view else (outputs, None)
        of_pixels, of_all_blocks = factors
        loss = weighted_cross_entropy(logits, labels, LossWeights(*of_pixels, known))
        if not has_view:
            return loss
        return loss + recipe.blocks * weighted_cross_entropy(
            of_blocks, block_labels, LossWeights(*of_all_blocks, block_known)
        )

    return make_gradient(loss_of)


def compile_update(recipe, network, optimizer, sets, priors=None):
    """
    Compile a step of training.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe. Its loss is that of the pixels; that of blocks is balanced.

    network : `keras.Model`
        Its network.

    optimizer : `keras.Optimizer`
        Its optimizer.

    sets : list of `Proportions`
        How frequent classes are in each of the sets that a batch has.

    priors : array_like, optional
        Fraction of each class as the loss is to present it; by default the
        recipe says so.

    Returns
    -------
    update : callable
        From (groups, batch, step, framing) to (groups, loss). The batch has `Frames`
        for each set.

    Raises
    ------
    InputError
        The recipe asks for cut-outs that are too small for the network.
    """
    import jax
    import jax.numpy as jnp

    gradient = _masker_gradient(recipe, network)
    most = max(framing.parts for framing in FRAMINGS) if recipe.cutouts else 1
    stride = measure_stride(recipe.architecture, recipe.options)
    if recipe.size < most * stride:
        raise InputError(
            f"The size of the recipe '{recipe.name}' is {recipe.size} pixels; for "
            f"cut-outs it must be at least {most * stride}."
        )
    emphasis = [recipe.emphasis.get(name, 1.0) for name in ABBREVIATIONS]
    emphasis = jnp.asarray(emphasis, jnp.float32)
    how = {
        "crop": recipe.crop or recipe.size,
        "stride": stride,
        "block_stride": 2 ** max(len(recipe.options.get("frame", ())) - 1, 0),
    }
    weights = [
        [
            (
                jnp.asarray(_weights(recipe, fractions, priors)),
                jnp.asarray(np.nan_to_num(fractions), jnp.float32),
            )
            for fractions in proportions
        ]
        for proportions in sets
    ]

    of_paper = [
        jnp.asarray(class_weights(proportions.pixels, recipe.weight_power))
        for proportions in sets
    ]

    def as_in_paper(labels, known, weights):
        """Factors and pixels' weights of the paper's loss, where pixels are known."""
        positive, negative, pixels = paper_loss_weights(labels, weights)
        return (positive, negative), pixels * known

    def jittered(key, images):
        factor, offset = recipe.jitter * jax.random.normal(key, (2, len(images)))
        factor, offset = (v[:, None, None, None] for v in (jnp.exp(factor), offset))
        return images * factor + offset

    @partial(jax.jit, static_argnames="framing")
    def update(groups, batch, step, framing=FRAMINGS[0]):
        key = jax.random.fold_in(jax.random.key(recipe.seed), PURPOSES["jitter"])
        keys = jax.random.split(jax.random.fold_in(key, step), (len(batch), 2))
        total = sum(len(frames.images) for frames in batch)
        loss, gradients = 0.0, None
        for frames, (of_pixels, of_blocks), paper, (first, second) in zip(
            batch, weights, of_paper, keys, strict=True
        ):
            share = len(frames.images) / total
            inputs, labels, known, block_labels, block_known, parts = examine(
                first, frames, framing, **how
            )
            inputs["image"] = jittered(second, inputs["image"])
            if recipe.loss == "paper" and priors is None:
                for_pixels, known = as_in_paper(labels, known, paper)
            else:
                for_pixels = _factors(labels, known, *of_pixels, emphasis)
            for_blocks = _factors(block_labels, block_known, *of_blocks, emphasis)
            factors = for_pixels, for_blocks
            known = known * parts[:, None, None, None]
            learned = inputs, labels, known, block_labels, block_known
            found = gradient(groups["weights"], learned, factors)
            found = jax.tree.map(lambda values, share=share: share * values, found)
            if gradients is not None:
                found = jax.tree.map(jnp.add, found, (loss, gradients))
            loss, gradients = found
        return apply_gradients(recipe, optimizer, groups, gradients), loss

    return update


def compile_evaluation(network, look_over=None):
    """
    Compile the evaluation of a network on simulated exposures.

    Parameters
    ----------
    network : `keras.Model`
        The network.

    look_over : callable, optional
        From images to what the network takes; None for networks that take raw images.

    Returns
    -------
    evaluate : callable
        From weights and raw images to outputs; of several, the first.
    """
    import jax

    @jax.jit
    def evaluate(weights, images):
        inputs = images[..., None] if look_over is None else look_over(images)
        outputs, _ = network.stateless_call(weights, [], inputs, training=False)
        outputs = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
        return outputs.astype("float32")

    return evaluate


def compile_masker_evaluation(recipe, network):
    """
    Compile the evaluation of a masker's network on whole simulated exposures.

    Parameters
    ----------
    recipe : `Recipe`
        Its recipe.

    network : `keras.Model`
        The network.

    Returns
    -------
    evaluate : callable
        From weights and raw images to logits.
    """
    import jax.numpy as jnp

    levels = len(recipe.options.get("frame", ()))

    def look_over(images):
        normalized, view = look_over_batch(images, 2 ** max(levels - 1, 0))
        image = normalized[..., None]
        if not levels:
            return image
        origin = jnp.zeros((len(images), 2), jnp.int32)
        return {"image": image, "origin": origin, **view}

    return compile_evaluation(network, look_over)
