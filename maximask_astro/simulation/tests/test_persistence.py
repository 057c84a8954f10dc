import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.persistence import add_persistence


@pytest.fixture(scope="module")
def persistence(contaminate):
    return contaminate(add_persistence)


def test_persistence_only_adds_light(persistence):
    assert np.isfinite(persistence.after).all()
    assert persistence.change.min() > -1e-3
    assert persistence.change.max() < 30 * 12**0.178


def test_every_disk_is_visible(persistence):
    """At least four times the noise if small, less if large."""
    for change, mask in zip(persistence.change, persistence.mask, strict=True):
        labels, number = ndimage.label(mask)
        index = np.arange(1, number + 1)
        peak = ndimage.maximum(change, labels, index)
        area = ndimage.sum_labels(mask, labels, index)
        # Only a part of a disk may lie within the frame.
        assert np.all(peak * np.sqrt(area) > 6)
        assert np.median(peak) > 1.5
        assert np.all(peak[area < 60] > 2.5)


def test_persistence_as_in_the_paper(contaminate):
    done = contaminate(add_persistence, as_paper=True)
    peak = done.change.max(axis=(1, 2))
    assert peak == pytest.approx(5, rel=0.01)
    # Flat, and gone outside of the labels.
    assert np.mean(np.abs(done.change[done.mask] - 5) < 0.05) > 0.95
    assert np.mean(done.change[~done.mask] < 0.05) > 0.999


def test_every_exposure_has_some(persistence):
    assert persistence.mask.any(axis=(1, 2)).all()


def test_most_light_is_where_the_labels_are(persistence):
    for change, mask in zip(persistence.change, persistence.mask, strict=True):
        assert change[mask].mean() > 3 * change[~mask].mean()
        assert change[mask].mean() > 0.15


def test_light_is_faint_far_from_the_labels(persistence):
    for change, mask in zip(persistence.change, persistence.mask, strict=True):
        far = ndimage.distance_transform_edt(~mask) > 20
        if far.any():
            assert change[far].max() < 0.06 * change.max()


def test_sources_are_disks(persistence):
    """What fills an ellipse is full: no holes, and nearly its own hull."""
    roundness = []
    for mask in persistence.mask:
        labels, number = ndimage.label(mask)
        for index, box in enumerate(ndimage.find_objects(labels, number), start=1):
            touches = any(
                s.start == 0 or s.stop == n
                for s, n in zip(box, mask.shape, strict=True)
            )
            part = labels[box] == index
            if not touches and part.sum() > 20:
                roundness.append(part.mean())
                # Where several meet there may be a gap between them.
                holes = ndimage.binary_fill_holes(part) & ~part
                assert holes.sum() <= 0.03 * part.sum()
    # A disk fills pi / 4 of its square.
    assert np.median(roundness) == pytest.approx(np.pi / 4, abs=0.12)
