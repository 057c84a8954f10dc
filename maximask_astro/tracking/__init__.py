"""Is the exposure itself usable? Tracking errors, judged from the stars."""

from maximask_astro.inference import combine_evidence, posterior_of
from maximask_astro.tracking.classifier import (
    DEFAULT_TRACKING_MODEL,
    TrackingClassifier,
)
from maximask_astro.tracking.result import TileVerdict, TrackingResult

__all__ = [
    "DEFAULT_TRACKING_MODEL",
    "TileVerdict",
    "TrackingClassifier",
    "TrackingResult",
    "combine_evidence",
    "posterior_of",
]
