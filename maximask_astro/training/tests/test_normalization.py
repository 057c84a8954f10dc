import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.background import FULL, array_reader, look_over, normalize
from maximask_astro.training import normalize_batch
from maximask_astro.training.normalization import look_over_batch

SIZE = 400
_normalize = jax.jit(normalize_batch)


def sky(seed=1, gradient=0.0, level=1000.0, noise=10.0):
    random = np.random.RandomState(seed)
    slope = gradient * noise * np.linspace(-1, 1, SIZE)
    image = level + slope + noise * random.standard_normal((SIZE, SIZE))
    return image.astype(np.float32)


def normalized(*images):
    return np.asarray(_normalize(np.stack(images)))


@given(st.integers(0, 2**32 - 1))
def test_plain_skies_are_normalized_as_exposures_are(seed):
    image = sky(seed)
    expected, _ = normalize(image, method="photutils")
    found = normalized(image)[0]
    assert found.dtype == np.float32
    # A level within a tenth of the noise, and the noise within 5 percent.
    assert found.mean() == pytest.approx(expected.mean(), abs=0.1)
    assert found.std() == pytest.approx(expected.std(), rel=0.05)
    assert np.abs(found - expected).max() < 0.35


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.01, 100.0),
    st.floats(-1000.0, 1000.0),
)
def test_unit_and_bias_do_not_matter(seed, factor, bias):
    image = sky(seed)
    other = (factor * (image + bias)).astype(np.float32)
    first, second = normalized(image)[0], normalized(other)[0]
    assert np.allclose(first, second, atol=0.02)


def test_exposures_are_normalized_one_by_one():
    first, second = sky(1), 50 * sky(2) + 7
    both = normalized(first, second)
    assert np.allclose(both[0], normalized(first)[0], atol=1e-4)
    assert np.allclose(both[1], normalized(second)[0], atol=1e-4)


def test_gradients_are_followed():
    found = normalized(sky(gradient=4.0))[0]
    ends = [found[:, columns].mean() for columns in (slice(140), slice(260, None))]
    assert np.ptp(ends) < 4  # of 5.3


def test_stars_over_half_the_frame_hardly_matter():
    image = sky()
    random = np.random.RandomState(2)
    y, x = np.indices((31, 31)) - 15
    star = np.exp(-0.5 * (x**2 + y**2) / 2.0**2)
    for _ in range(160):
        top = random.randint(0, SIZE - 31)
        left = random.randint(0, SIZE // 2 - 31)
        image[top : top + 31, left : left + 31] += star * random.uniform(100, 50_000)
    expected = (image - 1000) / 10
    found = normalized(image)[0]
    empty = slice(SIZE // 2 + 20, None)
    assert abs(found[:, empty].mean() - expected[:, empty].mean()) < 0.5
    assert found[:, empty].std() > 0.4
    crowded = slice(0, SIZE // 2)
    assert np.median(found[:, crowded] - expected[:, crowded]) == pytest.approx(
        0, abs=2
    )


def test_what_is_bright_stays_bright():
    image = sky()
    image[50, 60] += 1e5
    image[90:95, :] -= 500
    found = normalized(image)[0]
    assert found[50, 60] == pytest.approx(1e4, rel=0.1)
    assert found[90:95].mean() == pytest.approx(-50, rel=0.1)


def test_constant_exposures_are_finite():
    image = np.full((SIZE, SIZE), 7.0, np.float32)
    assert np.allclose(normalized(image), 0, atol=1e-4)
    half = sky()
    half[:, : SIZE // 2] = 0
    assert np.isfinite(normalized(half)).all()


def test_frames_are_looked_over_as_exposures_are():
    """Level, noise and view of a user's exposure, to the noise of the sky's."""
    image = sky(gradient=3.0)
    y, x = np.indices(image.shape)
    for row, column, peak in ((100, 120, 1e6), (300, 60, 2e4), (222, 333, 5e3)):
        image += peak * np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / 2.0**2)
    image = np.minimum(image, 6e4).astype(np.float32)
    image[:, 200] += 5.0
    _, expected = look_over(array_reader(image), image.shape)
    normalized, view = jax.jit(look_over_batch, static_argnums=1)(image[None], 16)
    assert np.array_equal(np.asarray(normalized)[0] == FULL, image >= expected.full)
    assert (image >= expected.full).any()
    blocks = np.asarray(view["blocks"])[0]
    assert blocks.shape == (64, 64, 8)
    assert np.all(blocks[50:] == 0)
    difference = np.abs(blocks[:50, :50] - expected.blocks)
    assert np.median(difference) < 0.05
    assert np.quantile(difference, 0.99) < 0.5
    for name in ("columns", "rows"):
        found = np.asarray(view[name])[0]
        assert found.shape == getattr(expected, name).shape == (7, 400, 3)
        assert np.abs(found - getattr(expected, name)).max() < 0.3
