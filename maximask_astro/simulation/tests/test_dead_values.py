import jax
import numpy as np
import pytest

from maximask_astro.simulation.dead_values import draw_dead_values
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit


@pytest.mark.parametrize("sky", [1.0, 400.0, 4e4])
def test_dead_pixels_lack_at_least_what_is_visible(scene, sky):
    scene = scene._replace(sky=np.float32(sky), sigma=np.float32((sky + 25) ** 0.5))
    visible = np.array([0.3, 1.2, 4.0], np.float32)
    draw = quick_jit(jax.vmap(lambda key: draw_dead_values(key, scene, visible)))
    values = jax.tree.map(np.asarray, draw(keys(1, 400)))
    lack = np.asarray(values.lack(scene.sky)) / scene.sigma
    assert np.all(lack >= 0.99 * visible)
    assert np.all(lack <= max(101, sky / scene.sigma))
    # Often hardly more.
    assert np.mean(lack[:, 0] < 3) > (0.15 if sky > 1 else 0.05)
    if sky == 1.0:
        # Of little light, nothing much is missed.
        assert np.all(values.keep[:, 2] == 1)
    else:
        assert np.mean(values.keep == 0) > 0.2
        assert np.mean((values.keep > 0) & (values.keep < 1)) > 0.2
        assert np.mean(values.keep == 1) > 0.1
