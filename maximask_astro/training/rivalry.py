"""What is called after rivals have been compared, counted for any thresholds."""

import copy
import math

import numpy as np

from maximask_astro.evaluation import ScoreHistogram
from maximask_astro.flags import ABBREVIATIONS, rival_positions
from maximask_astro.inference import LIKELIER

__all__ = ["RivalCounts"]

# Bins of both logits: fine enough for thresholds, and few enough to count pairs.
_STEP, _RANGE = 0.1, 20.0
_EDGES = np.linspace(-_RANGE, _RANGE, round(2 * _RANGE / _STEP) + 1)
_CENTERS = (_EDGES[1:] + _EDGES[:-1]) / 2


class RivalCounts:
    """
    Count pixels by the logits of two classes that look alike.

    A pixel that both are called at is the likelier one's (see
    `maximask_astro.inference.rivals`), and how likely counts relative to thresholds.
    So how pure a class is depends on the other's threshold. Pairs of logits tell it for
    any.
    """

    def __init__(self):
        n_bins = len(_CENTERS)
        # By pair: which of them it is about, whether a pixel is of it, and both logits.
        self.counts = {
            pair: np.zeros((2, 2, n_bins, n_bins), dtype=np.int64)
            for pair in rival_positions(ABBREVIATIONS)
        }

    def add(self, logits, labels, known):
        """
        Count pixels.

        Parameters
        ----------
        logits : `~numpy.ndarray`
            Shape (height, width, classes).

        labels, known : `~numpy.ndarray` of bool
            Of that shape.
        """
        n_bins = len(_CENTERS)
        for pair, counts in self.counts.items():
            bins = (logits[..., list(pair)] + _RANGE) / _STEP
            bins = np.clip(bins, 0, n_bins - 1).astype(np.int32)
            both = bins[..., 0] * n_bins + bins[..., 1]
            for which, number in enumerate(pair):
                for yes in (False, True):
                    chosen = known[..., number] & (labels[..., number] == yes)
                    counted = np.bincount(both[chosen], minlength=n_bins**2)
                    counts[which, int(yes)] += counted.reshape(n_bins, n_bins)

    def applied(self, histogram, limits):
        """
        Count what is called after rivals have been compared.

        A class is called where its logit is above its threshold, and no further below
        its rival's, both relative to the thresholds, than `LIKELIER` admits. So a
        logit counts for as much less as the rival's is further above its threshold
        than that.

        Parameters
        ----------
        histogram : `~maximask_astro.evaluation.ScoreHistogram`
            Of the same pixels.

        limits : array_like of float
            Threshold of each class's logit; NaN for classes that are not called.

        Returns
        -------
        histogram : `~maximask_astro.evaluation.ScoreHistogram`
            Another, in which rivals count for what is left of their logits.
        """
        after = copy.deepcopy(histogram)
        for pair, counts in self.counts.items():
            for which, number in enumerate(pair):
                limit = limits[pair[1 - which]]
                if not np.isfinite(limit):
                    continue
                lost = np.maximum(_CENTERS - limit - math.log(LIKELIER), 0.0)
                own = np.moveaxis(counts[which], which + 1, 1)
                left = _CENTERS[:, None] - lost
                one = ScoreHistogram(1)
                for yes in (False, True):
                    one.counts[0, int(yes)] = _spread(own[int(yes)], left, one)
                after.counts[number] = one.counts[0]
        return after


def _spread(counts, logits, histogram):
    """Counts at logits, in the bins of a histogram."""
    chosen = counts > 0
    # From the lowest bin's, which is -inf.
    edges = histogram.thresholds[:0:-1]
    places = np.searchsorted(edges, logits[chosen], side="right") - 1
    total = np.bincount(
        places, weights=counts[chosen], minlength=histogram.counts.shape[2]
    )
    return total.astype(np.int64)
