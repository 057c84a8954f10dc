"""Scores of models: ROC curves and what follows from them."""

from maximask_astro.evaluation.scores import ScoreHistogram

__all__ = ["ScoreHistogram"]
