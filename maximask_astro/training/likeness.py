"""
Train what tells images that are unlike exposures.

A small network learns to tell patches of exposures from patches of other pictures, and
with that tells apart what it has never seen of either (outlier exposure: Hendrycks,
Mazeika & Dietterich 2019, ICLR). A still smaller one judges images by what their
patches are like together; it learns from images whose patches the first has not seen.
How unusual an image is, is then measured on exposures that neither has learned from.
"""

from functools import partial

import numpy as np
from tqdm import tqdm

from maximask_astro.background import array_reader
from maximask_astro.inference import (
    Patches,
    PatchReader,
    image_features,
    image_score,
)
from maximask_astro.networks import image_logit, likeness_shapes, patch_logits

__all__ = ["patches_of", "train_likeness"]

_BATCH, _RATE, _DECAY = 64, 2e-3, 1e-3

# One in so many images teaches how to judge an image by its patches.
_ONE_IN = 4

# Images at a time, in so many steps.
_IMAGES, _IMAGE_STEPS = 256, 2000

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
    """Weights that keep the signal's strength; the last ones are zero."""
    weights = {}
    for path, shape in likeness_shapes().items():
        size = np.prod(shape[:-1]) if path.endswith("kernel") else np.inf
        factor = 0.0 if path.startswith(("out", "image_out")) else np.sqrt(2 / size)
        weights[path] = (factor * rng.standard_normal(shape)).astype(np.float32)
    return weights


def _learn(judge, weights, draw, steps, *, fixed, progress_bar=False):
    """
    Let a network learn (AdamW, with a rate that falls as a cosine).

    ``draw`` gives as many of exposures as, after them, of pictures; ``fixed`` are
    weights that stay as they are.
    """
    import jax
    import jax.numpy as jnp

    def loss_of(weights, values):
        signs = jnp.repeat(jnp.array([-1.0, 1.0]), len(values) // 2)
        return jax.nn.softplus(-signs * judge({**fixed, **weights}, values)).mean()

    @jax.jit
    def step(state, values, number):
        weights, first, second = state
        slope = jax.grad(loss_of)(weights, values)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, slope)
        rate = _RATE / 2 * (1 + jnp.cos(jnp.pi * number / steps))

        def changed(w, m, v):
            m, v = m / (1 - 0.9**number), v / (1 - 0.99**number)
            return w - rate * (m / (jnp.sqrt(v) + 1e-7) + _DECAY * w)

        return jax.tree.map(changed, weights, first, second), first, second

    weights = {path: w for path, w in weights.items() if path not in fixed}
    zeros = {path: np.zeros_like(w) for path, w in weights.items()}
    state = weights, zeros, zeros
    for number in tqdm(range(1, steps + 1), disable=not progress_bar):
        state = step(state, draw().astype(np.float32), np.float32(number))
    return {**fixed, **{path: np.asarray(w) for path, w in state[0].items()}}


def _parts(images):
    """Images to learn patches from, and images to learn from how they are together."""
    chosen = np.arange(len(images)) % _ONE_IN == _ONE_IN - 1
    return [
        [image for image, yes in zip(images, part, strict=True) if yes]
        for part in (~chosen, chosen)
    ]


def _turned(rng, patches):
    """The same, mirrored or turned, all alike."""
    patches = patches[:, :: rng.choice([1, -1]), :: rng.choice([1, -1])]
    return patches.swapaxes(1, 2) if rng.uniform() < 0.5 else patches


def _draw_from(rng, sides, number):
    """So many of each side, one side after the other."""
    return np.concatenate([s[rng.integers(len(s), size=number)] for s in sides])


def train_likeness(
    exposures, pictures, held_out, *, steps=3000, seed=1, progress_bar=False
):
    """
    Train what tells images that are unlike exposures.

    Parameters
    ----------
    exposures : list of `~maximask_astro.inference.Patches`
        Patches of each exposure to learn from, from `patches_of`.

    pictures : list of `~maximask_astro.inference.Patches`
        Patches of each of other pictures.

    held_out : list of `~maximask_astro.inference.Patches`
        Patches of each of the exposures that others are compared with; none that is
        learned from.

    steps : int, optional
        Steps of training.

    seed : int, optional
        Seed.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    likeness : dict of str to `~numpy.ndarray`
        For a `~maximask_astro.weights.LoadedModel`: the weights, and ``scores``,
        quantiles of the scores of the exposures that are held out.
    """
    rng = np.random.default_rng(seed)
    alone, together = zip(*map(_parts, (exposures, pictures)), strict=True)
    sides = [np.concatenate([p.pixels for p in images]) for images in alone]
    first = _first_weights(rng)
    last = {path: first.pop(path) for path in list(first) if path.startswith("image")}
    weights = _learn(
        patch_logits,
        first,
        lambda: _turned(rng, _draw_from(rng, sides, _BATCH)),
        steps,
        fixed={},
        progress_bar=progress_bar,
    )
    sides = []
    for images in together:
        features = [image_features(weights, Patches(*patches)) for patches in images]
        sides.append(np.array([found for found in features if found is not None]))
    both = np.concatenate([side[: min(map(len, sides))] for side in sides])
    usual = {
        "image_mean": both.mean(0).astype(np.float32),
        "image_scale": (both.std(0) + 1e-3).astype(np.float32),
    }
    weights |= _learn(
        image_logit,
        last,
        lambda: _draw_from(rng, sides, _IMAGES),
        _IMAGE_STEPS,
        fixed=usual,
    )
    scores = map(partial(image_score, weights), held_out)
    scores = [score for score in scores if score is not None]
    quantiles = np.quantile(scores, np.linspace(0, 1, _N_SCORES))
    return {**weights, "scores": quantiles.astype(np.float32)}
