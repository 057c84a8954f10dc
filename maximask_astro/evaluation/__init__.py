"""Scores of models: ROC curves and what follows from them, and calibration."""

from maximask_astro.evaluation.calibration import Reliability, reliability
from maximask_astro.evaluation.curves import (
    best_thresholds,
    completeness_at,
    matthews_coefficient,
    purity,
)
from maximask_astro.evaluation.scores import ScoreHistogram

__all__ = [
    "Reliability",
    "ScoreHistogram",
    "best_thresholds",
    "completeness_at",
    "matthews_coefficient",
    "purity",
    "reliability",
]
