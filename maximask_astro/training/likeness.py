"""
Train what tells images that are unlike exposures.

A small network learns to tell patches of exposures from patches of other pictures, and
with that tells apart what it has never seen of either (outlier exposure: Hendrycks,
Mazeika & Dietterich 2019, ICLR). A logistic regression judges images by what their
patches are like together; it learns from nights, and from pictures whose patches the
network has not seen. How unusual an image is, is then measured on exposures that
neither has learned from.
"""

from functools import partial

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from maximask_astro.background import array_reader
from maximask_astro.inference import (
    Patches,
    PatchReader,
    image_features,
    image_score,
)
from maximask_astro.networks import (
    N_FEATURES,
    image_logit,
    likeness_shapes,
    patch_logits,
)

__all__ = ["measure_likeness", "patches_of", "train_likeness"]

_BATCH, _RATE, _DECAY = 64, 2e-3, 1e-3

# One in so many pictures teaches how to judge an image by its patches.
_ONE_IN = 4

# Of the regression: what the squares of the weights cost.
_RIDGE = 3e-3

# Quantiles of their scores that are kept.
_N_SCORES = 2001


def patches_of(image):
    """
    Take patches of an image.

    Parameters
    ----------
    image : array_like
        Two-dimensional.

    Returns
    -------
    patches : `~maximask_astro.inference.Patches`
        All of it.
    """
    image = np.asarray(image, np.float32)
    return PatchReader(array_reader(image), image.shape).patches()


def _first_weights(rng):
    """Weights of the network that keep the signal's strength; the last are zero."""
    weights = {}
    for path, shape in likeness_shapes().items():
        if path.startswith("image"):
            continue
        size = np.prod(shape[:-1]) if path.endswith("kernel") else np.inf
        factor = 0.0 if path.startswith("out") else np.sqrt(2 / size)
        weights[path] = (factor * rng.standard_normal(shape)).astype(np.float32)
    return weights


def _learn(weights, draw, steps, progress_bar):
    """
    Let the network learn (AdamW, with a rate that falls as a cosine).

    ``draw`` gives as many patches of exposures as, after them, of pictures.
    """
    import jax
    import jax.numpy as jnp

    signs = np.repeat(np.float32([-1.0, 1.0]), _BATCH)

    def loss_of(weights, patches):
        return jax.nn.softplus(-signs * patch_logits(weights, patches)).mean()

    @jax.jit
    def step(state, patches, number):
        weights, first, second = state
        slope = jax.grad(loss_of)(weights, patches)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, slope)
        rate = _RATE / 2 * (1 + jnp.cos(jnp.pi * number / steps))

        def changed(w, m, v):
            m, v = m / (1 - 0.9**number), v / (1 - 0.99**number)
            return w - rate * (m / (jnp.sqrt(v) + 1e-7) + _DECAY * w)

        return jax.tree.map(changed, weights, first, second), first, second

    zeros = {path: np.zeros_like(w) for path, w in weights.items()}
    state = weights, zeros, zeros
    for number in tqdm(range(1, steps + 1), disable=not progress_bar):
        state = step(state, draw().astype(np.float32), np.float32(number))
    return {path: np.asarray(w) for path, w in state[0].items()}


def _regress(weights, sides):
    """Add to the weights what judges images: features of nights, and of pictures."""
    number = min(map(len, sides))
    both = np.concatenate([side[:number] for side in sides])
    weights = {
        **weights,
        "image_mean": both.mean(0).astype(np.float32),
        "image_scale": (both.std(0) + 1e-3).astype(np.float32),
    }

    def with_image(values):
        kernel = {"image/kernel": values[1:, None], "image/bias": values[:1]}
        return {**weights, **kernel}

    def cost(values):
        scores = (image_logit(with_image(values), side) for side in sides)
        wrong = (
            np.logaddexp(0, sign * score).mean()
            for sign, score in zip((1, -1), scores, strict=True)
        )
        return sum(wrong) / 2 + _RIDGE * (values[1:] ** 2).sum()

    best = minimize(cost, np.zeros(1 + N_FEATURES), method="BFGS").x
    return with_image(best.astype(np.float32))


def _turned(rng, patches):
    """The same, mirrored or turned, all alike."""
    patches = patches[:, :: rng.choice([1, -1]), :: rng.choice([1, -1])]
    return patches.swapaxes(1, 2) if rng.uniform() < 0.5 else patches


def _features(weights, images):
    """Features of those images that have enough patches."""
    features = (image_features(weights, Patches(*patches)) for patches in images)
    return np.array([found for found in features if found is not None])


def measure_likeness(likeness, held_out):
    """
    Measure how unusual exposures are that were not learned from.

    Parameters
    ----------
    likeness : dict of str to array
        From `train_likeness`.

    held_out : list of `~maximask_astro.inference.Patches`
        Patches of each of the exposures.

    Returns
    -------
    likeness : dict of str to `~numpy.ndarray`
        For a `~maximask_astro.weights.LoadedModel`: the same with ``scores``,
        quantiles of the scores of these exposures.
    """
    weights = {
        name: np.asarray(values, np.float32)
        for name, values in likeness.items()
        if name != "scores"
    }
    scores = map(partial(image_score, weights), held_out)
    scores = [score for score in scores if score is not None]
    quantiles = np.quantile(scores, np.linspace(0, 1, _N_SCORES))
    return {**weights, "scores": quantiles.astype(np.float32)}


def train_likeness(
    exposures, pictures, nights, *, steps=3000, seed=1, progress_bar=False
):
    """
    Train what tells images that are unlike exposures.

    Parameters
    ----------
    exposures : list of `~maximask_astro.inference.Patches`
        Patches of each exposure to learn from, from `patches_of`.

    pictures : list of `~maximask_astro.inference.Patches`
        Patches of each of other pictures.

    nights : list of `~maximask_astro.inference.Patches`
        Patches of exposures that are as ordinary as those that are to be judged.

    steps : int, optional
        Steps of training.

    seed : int, optional
        Seed.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    likeness : dict of str to `~numpy.ndarray`
        The weights, for `measure_likeness`.
    """
    rng = np.random.default_rng(seed)
    others = pictures[::_ONE_IN]
    pictures = [p for number, p in enumerate(pictures) if number % _ONE_IN]
    sides = [
        np.concatenate([patches.pixels for patches in images])
        for images in (exposures, pictures)
    ]

    def draw():
        drawn = [side[rng.integers(len(side), size=_BATCH)] for side in sides]
        return _turned(rng, np.concatenate(drawn))

    weights = _learn(_first_weights(rng), draw, steps, progress_bar)
    return _regress(weights, [_features(weights, i) for i in (nights, others)])
