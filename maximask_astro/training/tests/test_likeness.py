"""Training of what tells images that are unlike exposures."""

import numpy as np
import pytest

from maximask_astro.inference import PATCH, image_score
from maximask_astro.networks import likeness_shapes
from maximask_astro.training import (
    draw_picture,
    measure_likeness,
    patches_of,
    train_likeness,
)
from maximask_astro.training.other_pictures import _KINDS


def exposure(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(300, 17, (4 * PATCH, 4 * PATCH))


def picture(seed):
    rng = np.random.default_rng((1, seed))
    return np.kron(rng.uniform(0, 255, (32, 32)), np.ones((8, 8)))


@pytest.fixture(scope="module")
def likeness():
    exposures = [patches_of(exposure(seed)) for seed in range(10)]
    nights = [patches_of(exposure(seed)) for seed in range(10, 18)]
    held_out = [patches_of(exposure(seed)) for seed in range(18, 24)]
    pictures = [patches_of(picture(seed)) for seed in range(12)]
    weights = train_likeness(exposures, pictures, nights, steps=40)
    return measure_likeness(weights, held_out)


def test_it_tells_what_it_has_not_seen(likeness):
    weights = {name: likeness[name] for name in likeness_shapes()}
    limit = likeness["scores"][-1]
    scores = [image_score(weights, patches_of(picture(99 + i))) for i in range(5)]
    assert min(scores) > limit + 1
    others = [image_score(weights, patches_of(exposure(99 + i))) for i in range(5)]
    assert max(others) < limit + 1


def test_scores_are_those_of_exposures_that_were_held_out(likeness):
    scores = likeness["scores"]
    assert np.all(np.diff(scores) >= 0)
    weights = {name: likeness[name] for name in likeness_shapes()}
    kept = [image_score(weights, patches_of(exposure(seed))) for seed in range(18, 24)]
    assert scores[0] == pytest.approx(min(kept), abs=1e-6)
    assert scores[-1] == pytest.approx(max(kept), abs=1e-6)


def test_pictures_are_of_many_kinds():
    drawn = [draw_picture(5, index) for index in range(len(_KINDS))]
    for image in drawn:
        assert image.ndim == 2
        assert min(image.shape) >= 4 * PATCH
        assert np.isfinite(image).all()
        assert image.std() > 0
    assert np.array_equal(drawn[3], draw_picture(5, 3))
    assert not np.array_equal(drawn[3], draw_picture(6, 3))
