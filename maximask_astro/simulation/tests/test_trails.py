import numpy as np
import pytest
from scipy.spatial import ConvexHull

from maximask_astro.simulation import trails as module
from maximask_astro.simulation.trails import add_trails


@pytest.fixture(scope="module")
def trails(contaminate):
    return contaminate(add_trails)


@pytest.fixture(scope="module")
def single(contaminate):
    """One trail in each exposure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_N_TRAILS", 1)
        return contaminate(lambda *arguments: add_trails(*arguments))


def extent(mask):
    """Smallest width of a mask in any direction, and its largest."""
    points = np.argwhere(mask)
    corners = points[ConvexHull(points).vertices]
    turns = np.linspace(0, np.pi, 180, endpoint=False)
    along = corners @ np.stack([np.cos(turns), np.sin(turns)])
    widths = np.ptp(along, axis=0) + 1
    return widths.min(), widths.max()


def test_trails_only_add_light(trails):
    assert np.isfinite(trails.after).all()
    assert trails.change.min() > -1e-3


def test_what_is_not_labeled_is_faint(trails):
    peak = trails.change.max(axis=(1, 2))
    outside = np.where(trails.mask, 0, trails.change).max(axis=(1, 2))
    assert np.all(outside < np.maximum(0.65, 0.1 * peak))


def test_bright_trails_are_labeled(trails):
    peak = trails.change.max(axis=(1, 2))
    assert np.all(trails.mask.any(axis=(1, 2))[peak > 1])
    assert np.sum(peak > 1) > 10


def test_trails_are_straight(single):
    sizes = np.array([extent(m) for m in single.mask if m.sum() > 3])
    narrow = sizes[:, 0] < 2 * (2.5 * 0.47 * 9 + 2) + 2
    assert len(sizes) > 15
    assert narrow.mean() > 0.5
    # A disk out of focus has a radius of 20 pixels at most.
    assert sizes[:, 0].max() < 2 * (20 + 2.5 * 0.47 * 9 + 2) + 2
    assert np.median(sizes[:, 1] / sizes[:, 0]) > 4


def test_most_trails_cross_the_frame(single):
    touching = [
        np.concatenate([m[0], m[-1], m[:, 0], m[:, -1]]).any() for m in single.mask
    ]
    assert np.mean(touching) > 0.7
