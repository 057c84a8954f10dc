"""Judge an image band by band: its sky, its verdicts, and what they grow to."""

from dataclasses import replace

import numpy as np

from maximask_astro.background import estimate_sky, look_over
from maximask_astro.inference import Band, PatchReader, has_view, likeness_of
from maximask_astro.masking.growing import grow_bands
from maximask_astro.utils.verdict import why_no_verdict

__all__ = ["judge_bands"]

# Rows that are looked at together before the sky is known.
_ROWS = 1000


def _without_invalid(band):
    """A hole is judged, since it must be filled with something, but never counts."""
    if band.invalid is not None:
        band.codes[band.invalid] = 0
        for planes in (band.probabilities, band.uncertainties):
            if planes is not None:
                planes[:, band.invalid] = np.nan
    return band


def _no_verdicts(shape, n_classes, probabilities, uncertainties):
    """Bands of invalid pixels."""
    for first in range(0, shape[0], _ROWS):
        rows = slice(first, min(first + _ROWS, shape[0]))
        size = (rows.stop - rows.start, shape[1])
        planes = [
            np.full((n_classes, *size), np.nan, np.float32) if wanted else None
            for wanted in (probabilities, uncertainties)
        ]
        yield Band(rows, np.zeros(size, np.uint32), np.ones(size, bool), *planes)


def judge_bands(
    read, shape, engine, settings, decisions, *, grow, on_problem, **options
):
    """
    Find the contaminants of an image.

    Parameters
    ----------
    read : `~maximask_astro.masking.saturation.SaturatedPixels`
        Gives rows of the image, and knows which pixels are saturated.

    shape : tuple of two int
        Size of the image.

    engine : `~maximask_astro.inference.TileEngine`
        Evaluates the network.

    settings : sequence of `ClassSettings`
        The classes.

    decisions : sequence of `~maximask_astro.inference.ClassDecision`
        How to judge them.

    grow : dict of str to float
        Radius in pixels by which each class is grown.

    on_problem : callable
        Called with a reason if the image has nothing to judge.

    **options
        Of `~maximask_astro.inference.TileEngine.stream`; ``probabilities`` and
        ``uncertainties`` must be given.

    Yields
    ------
    band : `~maximask_astro.inference.Band`
        From the first rows to the last; ``codes`` are 0 where there is no verdict.
    """
    starts = range(0, shape[0], _ROWS)
    reason = why_no_verdict(read(row, min(row + _ROWS, shape[0])) for row in starts)
    if reason is not None:
        on_problem(reason)
        wanted = options["probabilities"], options["uncertainties"]
        yield from _no_verdicts(shape, len(settings), *wanted)
        return
    method, view = engine.model.card.normalization, None
    watched = PatchReader(read, shape) if engine.model.likeness else read
    if has_view(engine.model):
        sky, view = look_over(watched, shape, method=method)
    else:
        sky = estimate_sky(watched, shape, method=method)
    if engine.model.likeness:
        read.unlike = likeness_of(engine.model, watched.patches())
    options["view"] = view
    read.choose(sky, shape[0])
    if view is not None and read.level is not None:
        # The network is told what is full, too.
        sky = replace(sky, full=min(sky.full, read.level))
    bands = map(_without_invalid, engine.stream(read, shape, sky, decisions, **options))
    bands = map(read.mark, bands)
    yield from map(_without_invalid, grow_bands(bands, settings, grow))
