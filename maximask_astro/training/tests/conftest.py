"""A training of a few steps, which several tests look at."""

from contextlib import contextmanager
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import (
    MaskerTrainer,
    export_model,
    exposures,
    read_recipe,
    trainer,
)

STEPS = 6
RECIPE = replace(
    read_recipe("smoke"),
    size=64,
    crop=48,
    batch=1,
    steps=STEPS,
    warmup=2,
    validation=2,
    validate_every=4,
    options={
        "channels": [4, 6, 6],
        "fine": 2,
        "detail": 2,
        "frame": [4, 4],
        "features": 4,
        "lines": [4],
    },
)


def simulate(key, number, config):
    """
    A stand-in for the simulation, which takes long to compile: no stars, no fringes.

    The command's tests train with the simulation itself.
    """
    height, width = config.shape
    keys = jax.random.split(key, 3)
    images = 1000 + 10 * jax.random.normal(keys[0], (number, height, width))
    labels = np.zeros((number, height, width, len(ABBREVIATIONS)), bool)
    labels[..., ABBREVIATIONS.index("CR")] = jax.random.bernoulli(
        keys[1], 0.01, images.shape
    )
    starts = jax.random.randint(keys[2], (number,), 4, height // 2)
    for place, start in enumerate(np.asarray(starts)):
        labels[place, start : start + 4, :, ABBREVIATIONS.index("TRL")] = True
        labels[place, :, : start // 2, ABBREVIATIONS.index("OV")] = True
    labels[..., ABBREVIATIONS.index("BG")] = ~labels.any(-1)
    for name, change in (("CR", 300), ("TRL", 50), ("OV", -1000)):
        images += change * labels[..., ABBREVIATIONS.index(name)]
    return images, jnp.asarray(labels), None


@contextmanager
def quickly():
    """Simulate with the stand-in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exposures, "simulate", simulate)
        yield patch


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    with quickly():
        yield


def make_trainer(directory, recipe=RECIPE, **options):
    """A trainer that looks at few exposures for their proportions."""
    with quickly() as patch:
        patch.setattr(trainer, "_N_FOR_PROPORTIONS", 24)
        return MaskerTrainer(recipe, directory, **options)


def run(masker_trainer, **options):
    """Train."""
    with quickly():
        return masker_trainer.run(**options)


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """A trainer that has not begun."""
    return make_trainer(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A training without interruption."""
    whole = make_trainer(tmp_path_factory.mktemp("whole"))
    whole.losses, learn = [], whole._learn

    def watched(*arguments):
        groups, loss = learn(*arguments)
        whole.losses.append(float(loss))
        return groups, loss

    whole._learn = watched
    assert run(whole) is True
    return whole


@pytest.fixture(scope="session")
def resumed(tmp_path_factory):
    """A training that was interrupted at half time."""
    directory = tmp_path_factory.mktemp("interrupted")
    first = make_trainer(directory)
    for step in range(1, STEPS // 2 + 1):
        assert run(first, minutes=0) is False  # a step
        assert first.step == step
    second = make_trainer(directory)
    assert second.step == STEPS // 2
    assert run(second) is True
    return second


@pytest.fixture(scope="session")
def trained_model(trained, tmp_path_factory):
    """The model that the training without interruption ends with."""
    directory = tmp_path_factory.mktemp("exported") / "model"
    with quickly():
        export_model(trained.directory, directory, name="tiny", number=2)
    return directory
