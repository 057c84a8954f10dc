import jax
import numpy as np
import pytest

from maximask_astro.simulation import charge_tails
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit

SHAPE = (192, 256)
PLACE = (90, 120)


def drag(scene, charge, number=60):
    """What becomes of the charge of one pixel, in noise of 1."""
    charges = np.zeros(SHAPE, np.float32)
    charges[PLACE] = charge
    noise = np.ones(SHAPE, np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charge_tails, "_OFTEN", 1.0)

        @quick_jit
        def drag(keys):
            function = charge_tails.drag_charge
            return jax.lax.map(lambda key: function(key, charges, noise, scene), keys)

        return [np.asarray(part) for part in drag(keys(4, number))]


@pytest.fixture(scope="module")
def dragged(scene):
    return drag(scene, 3000.0)


def test_tails_run_along_a_row_or_a_column_to_one_side(dragged):
    sides = set()
    for charges, _ in zip(*dragged, strict=True):
        offsets = np.argwhere(charges > 1e-3) - PLACE
        assert (offsets == 0).all(0).any()
        assert all(len(set(np.sign(way)) - {0}) <= 1 for way in offsets.T)
        sides.add(tuple(np.sign(offsets.sum(0))))
    assert sides == {(1, 0), (-1, 0), (0, 1), (0, -1)}


def test_charge_is_kept_but_for_what_leaves_the_frame(dragged):
    total = dragged[0].sum(axis=(1, 2))
    assert total.max() < 3000.1
    assert total.min() > 3000 * 0.4
    assert np.median(total) > 3000 * 0.95


def test_tails_are_labeled_while_they_stand_out(dragged):
    longest = 0
    for charges, mask in zip(*dragged, strict=True):
        tail = charges.copy()
        tail[PLACE] = 0.0
        assert mask[(tail > 1.0) & (tail < tail.max())].all()
        assert not mask[tail < 0.3].sum() > 1  # the ray itself may be one
        longest = max(longest, mask.sum())
    assert longest > 100


def test_faint_tails_are_labeled_to_a_significance_of_seven(scene):
    charges, masks = drag(scene, 60.0)
    for charge, mask in zip(charges, masks, strict=True):
        tail = charge.copy()
        tail[PLACE] = 0.0
        whole = np.sqrt((tail**2).sum())
        if whole < 6:
            assert not mask.any()
        if whole > 8:
            assert mask.sum() > 2


def test_there_are_none_as_in_the_paper(scene):
    charges, masks = drag(scene._replace(as_paper=np.True_), 3000.0, 4)
    assert not masks.any()
    assert np.all(charges[:, PLACE[0], PLACE[1]] == 3000)
