import numpy as np
import pytest

from maximask_astro.simulation.vignetting import vignette
from maximask_astro.tests.helpers import quick_jit

SHAPE = (90, 120)
_vignette = quick_jit(vignette)


def factor(scene, **numbers):
    numbers = {name: np.float32(value) for name, value in numbers.items()}
    return np.asarray(_vignette(np.ones(SHAPE, np.float32), scene._replace(**numbers)))


def test_most_exposures_are_as_they_were(scene):
    assert np.all(factor(scene) == 1)


@pytest.mark.parametrize("lost", [0.1, 0.9])
def test_the_farthest_corner_loses_most(scene, lost):
    light = factor(scene, vignetting=lost, axis_y=0.3, axis_x=0.4)
    assert light[27, 48] == pytest.approx(1, abs=1e-3)
    assert light.min() == light[-1, -1] == pytest.approx(1 - lost, abs=0.05)
    assert light[0, 0] > light[-1, -1] + 0.3 * lost
    assert np.all(np.diff(light[27, 48:]) <= 1e-6)


def test_outside_of_a_round_field_is_darkness(scene):
    light = factor(scene, round_field=0.6)
    y, x = np.indices(SHAPE)
    distance = np.hypot(y - 45, x - 60) / np.hypot(45, 60)
    assert np.all(light[distance < 0.52] > 0.99)
    assert np.all(light[distance > 0.7] < 0.01)
