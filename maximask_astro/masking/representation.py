"""A masker in a few words."""

from collections.abc import Mapping
from numbers import Real

from maximask_astro.flags import get_class
from maximask_astro.masking.saturation import describe_saturation, resolve_saturation

__all__ = ["short_repr"]


def _changed(label, given, values):
    """A setting that is not the default, or None."""
    if isinstance(given, Mapping):
        named = {get_class(key).abbreviation for key in given}
        text = ",".join(
            f"{name}:None" if value is None else f"{name}:{value:g}"
            for name, value in values.items()
            if name in named
        )
        return f"{label}='{text}'"
    if given is None or isinstance(given, Real):
        return f"{label}={given}"
    return None if given == "default" else f"{label}={given.strip()!r}"


def short_repr(model, settings, options, grown):
    """
    Name the model and whatever was changed, short enough for a header card.

    Parameters
    ----------
    model : str
        Name of the model.

    settings : sequence of `ClassSettings`
        The classes.

    options : dict
        What the masker was made with.

    grown : dict of str to float
        Radii of the classes that are grown.

    Returns
    -------
    text : str
        Such as ``"ContaminantMasker('contaminants-1', grow='CR:2')"``.
    """
    parts = [repr(model)]
    if not (isinstance(options["classes"], str) and options["classes"] == "all"):
        parts.append(f"classes='{','.join(item.name for item in settings)}'")
    for label, values in (
        ("priors", {item.name: item.prior for item in settings}),
        ("thresholds", {item.name: item.threshold for item in settings}),
    ):
        parts.append(_changed(label, options[label], values))
    if options["uncertainty"] != "default":
        parts.append(f"uncertainty={options['uncertainty']!r}")
    if options["saturation"] != "header":
        source = describe_saturation(resolve_saturation(options["saturation"]))
        parts.append(f"saturation={None if source == 'none' else source!r}")
    if grown:
        text = ",".join(f"{name}:{radius:g}" for name, radius in grown.items())
        parts.append(f"grow='{text}'")
    if options["tiling"] != "seamless":
        parts.append(f"tiling={options['tiling']!r}")
    return f"ContaminantMasker({', '.join(part for part in parts if part)})"
