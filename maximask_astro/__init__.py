"""
Which pixels of an exposure to trust, and which exposures.

`~maximask_astro.masking.ContaminantMasker` finds contaminants pixel by pixel:
cosmic rays, bad columns, trails, saturation and more.
`~maximask_astro.tracking.TrackingClassifier` judges from the stars whether the
telescope tracked.
"""

from importlib import import_module

# What the top level offers is imported when it is first asked for.
_EXPORTS = {
    "ContaminantMap": "maximask_astro.masking",
    "ContaminantMasker": "maximask_astro.masking",
    "TrackingClassifier": "maximask_astro.tracking",
    "TrackingResult": "maximask_astro.tracking",
}

__all__ = [
    "ContaminantMap",
    "ContaminantMasker",
    "TrackingClassifier",
    "TrackingResult",
    "__version__",
]


def _version():
    # Here, since it takes longer to import than all that commands need to start.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("maximask_astro")
    except PackageNotFoundError:  # imported from a source tree that is not installed
        return "0+unknown"


def __getattr__(name):
    if name == "__version__":
        return _version()
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'maximask_astro' has no attribute '{name}'")


def __dir__():
    return sorted({*globals(), *__all__})
