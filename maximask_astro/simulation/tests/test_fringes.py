import numpy as np
import pytest

from maximask_astro.simulation.fringes import add_fringes


@pytest.fixture(scope="module")
def fringes(contaminate):
    return contaminate(add_fringes)


def test_fringes_are_bright_and_dark(fringes):
    assert np.isfinite(fringes.after).all()
    mean = fringes.change.mean(axis=(1, 2))
    spread = fringes.change.std(axis=(1, 2))
    assert np.all(np.abs(mean) < 0.5 * spread)
    assert abs(np.mean(mean / spread)) < 0.1
    assert np.all((spread > 0.05) & (spread < 4.1))


def test_fringes_fade_outside_of_their_labels(fringes):
    fractions = fringes.mask.mean(axis=(1, 2))
    assert np.all(fractions > 0.02)
    parts = [
        (np.std(change[mask]), np.std(change[~mask]))
        for change, mask in zip(fringes.change, fringes.mask, strict=True)
        if 0.1 < mask.mean() < 0.9
    ]
    assert len(parts) > 5
    assert all(inside > 2 * outside for inside, outside in parts)


def test_whole_frames_are_as_strong_as_parts(fringes):
    whole = fringes.mask.all(axis=(1, 2))
    assert 0.2 < whole.mean() < 0.8
    strength = fringes.change.max(axis=(1, 2))
    medians = [np.median(np.log(strength[some])) for some in (whole, ~whole)]
    assert abs(medians[0] - medians[1]) < 1


def test_fringes_are_smooth_bands(fringes):
    steps = np.mean(np.diff(fringes.change, axis=1) ** 2, axis=(1, 2))
    assert np.median(steps / fringes.change.var(axis=(1, 2))) < 1


def test_fringes_are_visible_where_they_are_labeled(fringes):
    for change, mask in zip(fringes.change, fringes.mask, strict=True):
        if mask.mean() > 0.2:
            assert change[mask].std() > 0.12


def test_fringes_as_in_the_paper(contaminate):
    done = contaminate(add_fringes, as_paper=True)
    strength = np.array(
        [c[m].std() for c, m in zip(done.change, done.mask, strict=True)]
    )
    assert np.median(strength) == pytest.approx(0.6, rel=0.25)
    # Everywhere an envelope, which is 1 at its top only.
    assert np.all(done.mask.any(axis=(1, 2)) & ~done.mask.all(axis=(1, 2)))
    assert np.all(done.change.std(axis=(1, 2)) < 0.601)
