"""Adapt a masker's model to a camera."""

from pathlib import Path

from maximask_astro.masking.rates import has_rates

__all__ = ["adapt"]


def adapt(
    model, images, masks, masker_options, settings, *, output, overwrite, **options
):
    """
    See `ContaminantMasker.fine_tune`.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    images, masks : iterable
        Exposures and their masks.

    masker_options : dict
        What the masker was made with.

    settings : tuple of `ClassSettings`
        Its classes.

    output : path-like or None
        Directory to save the new model in.

    overwrite : bool
        Whether a directory that exists is replaced.

    **options
        Of `maximask_astro.training.fine_tune`.

    Returns
    -------
    model : `~maximask_astro.weights.LoadedModel`
        The adapted model.

    masker_options : dict
        What a masker with it is to be made with.
    """
    from maximask_astro.training import fine_tune, write_model

    if output is not None and Path(output).exists() and not overwrite:
        raise FileExistsError(f"{output} exists; allow overwriting to replace it.")
    model = fine_tune(model, images, masks, **options)
    if output is not None:
        model = write_model(model, output)
    kept = dict(masker_options)
    if has_rates(kept["thresholds"]):
        kept["thresholds"] = {item.name: item.threshold for item in settings}
    if kept["uncertainty"] == "card" and not model.card.spread:
        # What was measured with the old model does not hold for the new one.
        kept["uncertainty"] = "default"
    return model, kept
