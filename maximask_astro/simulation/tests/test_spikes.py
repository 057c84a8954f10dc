import jax
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from maximask_astro.simulation import spikes as module
from maximask_astro.simulation.significance import FAINTEST, signal_to_noise
from maximask_astro.simulation.sky import Stars
from maximask_astro.simulation.spikes import add_spikes
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.tests.helpers import quick_jit

PLACE = (70.0, 45.0)  # x, y


def star(flux, place=PLACE):
    """One star, and others without light."""
    x, y = (np.full(4, value, np.float32) for value in place)
    fluxes = np.array([flux, 0, 0, 0], np.float32)
    return Stars(x, y, fluxes, np.zeros(4), np.zeros(4))


@pytest.fixture(scope="module")
def spiking(scene):
    """Function that gives a function that adds spikes, with other constants."""

    def make(shape=SHAPE, scene=scene, **constants):
        add = quick_jit(
            jax.vmap(lambda *args: add_spikes(*args), (0, None, None, None))
        )

        def apply(flux, image=None, place=PLACE):
            image = np.zeros(shape, np.float32) if image is None else image
            with pytest.MonkeyPatch.context() as patch:
                for name, value in constants.items():
                    patch.setattr(module, name, value)
                after, mask = add(keys(3), image, scene, star(flux, place))
            return np.asarray(after), np.asarray(mask)

        return apply

    return make


@pytest.fixture(scope="module")
def spikes(spiking):
    """Function that adds spikes to one star on an empty frame."""
    return spiking()


@pytest.fixture(scope="module")
def bright(spiking):
    """The same, but none is so faint that it can hardly be seen."""
    return spiking(_FAINT=0.0)


def test_only_bright_stars_have_spikes(spikes, bright):
    image, mask = spikes(100.0)
    assert not mask.any()
    assert not image.any()
    _, mask = bright(3e7)
    assert mask.any(axis=(1, 2)).all()


def test_without_stars_nothing_is_added(spikes):
    image, mask = spikes(0.0)
    assert not image.any()
    assert not mask.any()


def test_spikes_are_light_and_labeled_where_bright(bright, scene):
    image, mask = bright(3e6)
    assert image.min() >= 0
    rows, columns = np.indices(SHAPE)
    # Next to the star, several lines add up.
    outside = np.hypot(rows - PLACE[1], columns - PLACE[0]) > 15
    assert np.all(mask[(image > 2 * scene.sigma) & outside])
    # At the faintest, a spike is found over a stretch of the whole frame.
    assert image[mask].min() > 0.05 * scene.sigma
    assert image.max() > 10 * scene.sigma


def test_faint_spikes_are_drawn_if_they_can_be_found(spiking, scene):
    """And labeled where most of their light is."""
    faint = spiking(_FAINT=1.0, _RATIOS=(0.5 * FAINTEST, 30.0))
    image, mask = faint(3e6)
    ratios = np.array(
        [
            float(signal_to_noise(one, scene.sigma, scene, where))
            for one, where in zip(image, mask, strict=True)
        ]
    )
    drawn = ratios > 0
    assert 0.2 < drawn.mean() < 1
    assert not image[~drawn].any()
    # The noise of their own light counts as well, but for little.
    assert ratios[drawn].min() > 0.99 * FAINTEST
    assert np.median(ratios[drawn]) < 25
    assert np.median(image[drawn].max(axis=(1, 2))) < 10 * scene.sigma


def test_spikes_have_a_small_share_of_the_light(bright):
    image, _ = bright(3e6)
    share = image.sum(axis=(1, 2)) / 3e6
    assert np.all(share < 0.2)
    # The others would have been lost in the noise.
    seen = share > 0
    assert seen.mean() > 0.6
    assert np.all(share[seen] > 5e-4)


def test_most_spikes_are_the_same_on_opposite_sides(bright):
    image, _ = bright(3e6)
    x, y = (int(value) for value in PLACE)
    around = image[:, y - 40 : y + 41, x - 40 : x + 41]
    same = np.isclose(around, around[:, ::-1, ::-1], rtol=1e-3, atol=1e-2)
    same = same.all(axis=(1, 2))
    assert 0.6 < same.mean() < 1
    # Of the others, each side has its share.
    other = around[~same]
    halves = other[:, :40].sum(axis=(1, 2)) / other[:, 41:].sum(axis=(1, 2))
    assert np.all((halves > 0.2) & (halves < 5))


def test_spikes_fade(bright, scene):
    """Four times as far from the star, at most half as much light is left."""
    image, mask = bright(3e7)
    x, y = (int(value) for value in PLACE)
    rows, columns = np.indices(SHAPE)
    distance = np.hypot(rows - y, columns - x)
    near = np.where(abs(distance - 10) < 1, image, 0).max(axis=(1, 2))
    far = np.where(abs(distance - 40) < 1, image, 0).max(axis=(1, 2))
    assert np.median(far / near) < 0.5
    assert np.mean(far < near) > 0.8
    # A star's core is not a spike.
    assert not mask[:, distance < scene.fwhm].any()


def crossings(image, radius=30):
    """In how many places spikes cross a circle around the star."""
    turns = np.linspace(0, 2 * np.pi, 1440, endpoint=False)
    x, y = PLACE
    places = [y + radius * np.sin(turns), x + radius * np.cos(turns)]
    values = map_coordinates(image, places, order=1)
    above = values > 0.5 * values.max()
    return np.sum(above & ~np.roll(above, 1))


@pytest.mark.parametrize(("kind", "number"), [(0, 2), (2, 6), (3, 8)])
def test_patterns(spiking, kind, number):
    """Spikes are two to a line: of one, of three, and of three with one between."""
    names = ("_ONE", "_TWO", "_THREE", "_THREE_AND_ONE")
    kinds = {name: float(index == kind) for index, name in enumerate(names)}
    draw = spiking(
        **kinds, _DOUBLE=0.0, _CROOKED=0.0, _UNEVEN=0.0, _ONE_SIDED=0.0, _FAINT=0.0,
        _WEAKER=1.0, _BEADED=0.0, _EXCESS=0.0, _WIDENING=0.0,
    )  # fmt: skip
    image, _ = draw(1e8)
    numbers = [crossings(one) for one in image]
    assert np.mean(np.equal(numbers, number)) > 0.9


def test_double_spikes(spiking):
    draw = spiking(
        _ONE=0.0, _TWO=1.0, _DOUBLE=1.0, _ANGLES_OF_DOUBLE=(0.3, 0.35), _CROOKED=0.0,
        _UNEVEN=0.0, _ONE_SIDED=0.0, _FAINT=0.0, _BEADED=0.0, _EXCESS=0.0,
        _WIDENING=0.0,
    )  # fmt: skip
    image, _ = draw(1e8)
    assert np.mean([crossings(one) == 8 for one in image]) > 0.9


def test_uneven_spikes_differ(spiking):
    """From line to line, where they do and where they do not."""

    def spread(uneven):
        draw = spiking(
            _ONE=0.0, _TWO=1.0, _DOUBLE=0.0, _CROOKED=0.0, _UNEVEN=uneven, _FAINT=0.0,
            _ONE_SIDED=0.0, _BEADED=0.0, _ALIGNED=1.0, _DIAGONAL=0.0, _WIDENING=0.0,
        )  # fmt: skip
        image, _ = draw(1e8)
        x, y = (int(value) for value in PLACE)
        ratio = image[:, y, x + 30] / image[:, y + 30, x]
        return np.std(np.log(ratio))

    assert spread(1.0) > 0.4
    assert spread(0.0) < 0.3


def test_spikes_of_stars_outside_enter_the_frame(bright):
    image, mask = bright(1e8, place=(70.0, -25.0))
    entering = mask.any(axis=(1, 2))
    assert entering.mean() > 0.6
    assert mask[entering][:, 0].any(axis=1).mean() > 0.7
    # They fade away from the star.
    assert np.all(image[entering, :5].max((1, 2)) > image[entering, -5:].max((1, 2)))


def test_a_drift_smears_spikes_and_keeps_their_light(spiking, scene):
    constants = {
        "_ONE": 1.0, "_CROOKED": 0.0, "_FAINT": 0.0, "_ALIGNED": 1.0, "_DIAGONAL": 0.0,
        "_WIDENING": 0.0, "_BEADED": 0.0, "_UNEVEN": 0.0, "_SLITS": (4.0, 6.0),
    }  # fmt: skip
    drift = {"trailing": np.float32(12.0), "angle": np.float32(np.pi / 2)}
    sharp, _ = spiking(**constants)(1e8)
    smeared, mask = spiking(scene=scene._replace(**drift), **constants)(1e8)
    # Along the rows, and the drift along the columns.
    x = int(PLACE[0]) + 15
    columns = sharp[:, :, x], smeared[:, :, x]
    widths = [np.sum(one > 0.5 * one.max(1)[:, None], axis=1) for one in columns]
    assert np.median(widths[1] - widths[0]) == pytest.approx(12, abs=2)
    assert smeared.sum((1, 2)) == pytest.approx(sharp.sum((1, 2)), rel=0.05)
    # The path of the star is its core.
    y, x = (int(value) for value in reversed(PLACE))
    assert not mask[:, y - 6 : y + 7, x - 1 : x + 2].any()


def test_a_square_is_enough_where_spikes_are_short(spiking, scene):
    """What is drawn in squares is what is drawn over the frame."""
    shape, place = (200, 240), (120.0, 40.0)
    constants = {"_FAINT": 0.0, "_SLITS": (4.0, 10.0)}
    whole = spiking(shape, **constants)(4e5, place=place)
    square = spiking(shape, _STAMP=140, **constants)(4e5, place=place)
    assert np.mean(whole[1].any((1, 2))) > 0.3
    assert np.mean(whole[1] != square[1]) < 1e-4
    negligible = 1.01 * module._NEGLIGIBLE * scene.sigma
    assert square[0] == pytest.approx(whole[0], abs=negligible)
    # Some, but not all, were cut off.
    same = [
        np.allclose(*pair, atol=1e-3) for pair in zip(whole[0], square[0], strict=True)
    ]
    assert (
        0 < np.sum(~np.array(same) & whole[1].any((1, 2))) < whole[1].any((1, 2)).sum()
    )


def test_noise_below_the_sky_is_no_less_than_the_sky(bright, scene):
    """As of real exposures, which are given with their noise."""
    noise = np.random.RandomState(1).standard_normal(SHAPE).astype(np.float32)
    image, mask = bright(3e7, image=-abs(noise) * 1e4)
    assert np.isfinite(image).all()
    assert mask.any(axis=(1, 2)).all()


def test_spikes_are_thin_and_long(bright):
    _, mask = bright(3e7)
    x, y = (int(value) for value in PLACE)
    turns = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    covered = []
    for one in mask:
        rows = np.round(y + 20 * np.sin(turns)).astype(int)
        columns = np.round(x + 20 * np.cos(turns)).astype(int)
        covered.append(one[rows, columns].mean())
    covered = np.array(covered)
    # A circle around the star crosses them in a few places.
    assert np.mean(covered > 0) > 0.6
    assert np.median(covered[covered > 0]) < 0.4
