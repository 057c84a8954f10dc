"""Pixels for tests of scores, whose logits lie in the middle of the bins."""

import numpy as np
from hypothesis import strategies as st

from maximask_astro.evaluation import ScoreHistogram

SEEDS = st.integers(0, 2**32 - 1)


def draw_pixels(seed, number=300, n_classes=2, step=0.5):
    """Logits in steps, higher where labels are set; both labels occur."""
    random = np.random.RandomState(seed)
    labels = random.uniform(size=(number, n_classes)) < random.uniform(0.05, 0.6)
    labels[0], labels[1] = True, False
    logits = random.normal(size=labels.shape) * 3 + random.uniform(0, 3) * labels - 1
    logits = np.clip(np.round(logits / step) * step, -19, 19) + 0.005
    return logits.astype(np.float32), labels


def histogram_of(logits, labels):
    """Count them."""
    histogram = ScoreHistogram(labels.shape[-1])
    histogram.add(logits, labels)
    return histogram


def sigmoid(logits):
    """Probability from log odds, in double precision."""
    return 1 / (1 + np.exp(-np.asarray(logits, float)))
