"""Logits of a whole image, for those who measure how good a model is."""

from functools import lru_cache

import numpy as np

from maximask_astro.background import (
    array_reader,
    estimate_sky,
    fill_invalid,
    look_over,
)
from maximask_astro.inference.fitting import weights_that_fit
from maximask_astro.inference.frame import has_view, look_at_frame
from maximask_astro.inference.tiling import mirrored

__all__ = ["logits_of_image"]


@lru_cache(maxsize=8)
def _compiled(model):
    import jax

    from maximask_astro.networks import ArrayGraph, FrameContext, row_function

    network = row_function(model.card.architecture, model.card.options)

    @jax.jit
    def evaluate(weights, images, told):
        graph = ArrayGraph(weights)
        if not told:
            return network(graph, images)
        context = FrameContext(**told)
        return network(graph, images, context)

    return evaluate


def logits_of_image(model, data, *, mask=None):
    """
    Evaluate a network on an image in one pass, as a masker prepares it.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        A model that gives each pixel logits.

    data : array_like
        Two-dimensional image of any real dtype.

    mask : `~numpy.ndarray` of bool, optional
        True for pixels without a usable value.

    Returns
    -------
    logits : `~numpy.ndarray`
        float32, shape (height, width, classes), at the training priors, in the
        order of the card. All of it must fit into the memory.
    """
    read, shape = array_reader(data, mask), np.shape(data)
    method, view = model.card.normalization, None
    if has_view(model):
        sky, view = look_over(read, shape, method=method)
    else:
        sky = estimate_sky(read, shape, method=method)
    image, invalid = read(0, shape[0])
    sky.normalize(image, *map(range, shape))
    if invalid is not None:
        fill_invalid(image, invalid)
    stride = model.card.input["stride"]
    size = [-(-length // stride) * stride for length in shape]
    places = (mirrored(range(n), length) for n, length in zip(size, shape, strict=True))
    image = image[np.ix_(*places)]
    told = {}
    if view is not None:
        part = look_at_frame(model, view).part(0, 0, *size)
        told = {name: array[None] for name, array in part.items()}
    with weights_that_fit(model):
        logits = _compiled(model)(model.weights, image[None, ..., None], told)
    return np.asarray(logits)[0, : shape[0], : shape[1]]
