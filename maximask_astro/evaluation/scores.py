"""Scores of classifiers from histograms of their logits."""

import numpy as np

__all__ = ["ScoreHistogram"]

_RANGE, _BINS = 20.0, 4000


class ScoreHistogram:
    """
    Count pixels by class, truth and logit, to score any number of images.

    Logits from -20 to 20 are counted in bins of 0.01, all others in two more.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    """

    def __init__(self, n_classes):
        # Truth no and yes, in bins of 0.01 of the logit.
        self.counts = np.zeros((n_classes, 2, _BINS + 2), dtype=np.int64)

    @property
    def centers(self):
        """The logit in the middle of each bin; -20 and 20 for those beyond."""
        step = 2 * _RANGE / _BINS
        middle = -_RANGE + (np.arange(_BINS) + 0.5) * step
        return np.concatenate([[-_RANGE], middle, [_RANGE]])

    @property
    def thresholds(self):
        """The lowest logit that counts as yes, for each column of `rates`."""
        step = 2 * _RANGE / _BINS
        inner = _RANGE - np.arange(_BINS + 1) * step
        return np.concatenate([[np.inf], inner, [-np.inf]])

    @property
    def fractions(self):
        """The fraction of the pixels that are of each class; NaN without pixels."""
        totals = self.counts.sum(axis=2)
        with np.errstate(invalid="ignore"):
            return totals[:, 1] / totals.sum(axis=1)

    def add(self, logits, labels, valid=None):
        """
        Count pixels.

        Parameters
        ----------
        logits : `~numpy.ndarray`
            Shape (..., classes).

        labels : `~numpy.ndarray` of bool
            Of the same shape.

        valid : `~numpy.ndarray` of bool, optional
            Pixels to count, shape (...), or that of the logits if it depends on the
            class.
        """
        n_classes = len(self.counts)
        of_class = valid is not None and valid.ndim == logits.ndim
        index = (logits + _RANGE) * (_BINS / (2 * _RANGE)) + 1
        index = np.clip(index, 0, _BINS + 1).astype(np.int32)
        index += labels.astype(np.int32) * (_BINS + 2)
        if valid is not None and not of_class:
            index = index[valid]
        for number in range(n_classes):
            counted = index[..., number]
            counted = counted[valid[..., number]] if of_class else counted.ravel()
            counted = np.bincount(counted, minlength=2 * (_BINS + 2))
            self.counts[number] += counted.reshape(2, -1)

    def rates(self):
        """
        True and false positive rates at all thresholds.

        Returns
        -------
        true_positive, false_positive : `~numpy.ndarray`
            Shape (classes, thresholds), from the highest threshold to the
            lowest; NaN for classes without positives or negatives.
        """
        above = np.cumsum(self.counts[:, :, ::-1], axis=2)
        zero = np.zeros((*above.shape[:2], 1))
        above = np.concatenate([zero, above], axis=2)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = above / above[:, :, -1:]
        return rates[:, 1], rates[:, 0]

    def auc(self):
        """
        Area under the ROC curve of each class.

        Returns
        -------
        area : `~numpy.ndarray`
            In [0, 1]; NaN for classes without positives or negatives. Pixels
            in the same bin count as half right.
        """
        true_positive, false_positive = self.rates()
        return np.trapezoid(true_positive, false_positive, axis=1)
