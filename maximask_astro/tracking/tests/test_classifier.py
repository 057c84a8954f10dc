import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro.tests.tracking_models import tiny_tracking_model
from maximask_astro.tracking import TrackingClassifier
from maximask_astro.utils.errors import MaximaskWarning


@pytest.fixture(scope="module")
def model():
    """A network with weights that mean nothing."""
    return tiny_tracking_model()


@pytest.fixture(scope="module")
def sky():
    random = np.random.default_rng(2)
    return random.normal(100, 3, (130, 200)).astype(np.float32)


def classify(model, data, **options):
    return TrackingClassifier(model, **options)(data)


def test_results_are_complete(model, sky):
    result = classify(model, sky, prior=0.3)
    assert len(result.tiles) == 6
    assert 0 <= result.probability <= 1
    assert result.blur_length.unit == u.pix
    assert result.blur_angle.unit == u.deg
    table = result.to_table()
    assert len(table) == 6
    assert np.all((table["angle"] >= 0 * u.deg) & (table["angle"] < 180 * u.deg))
    assert table.meta["model"] == "tiny"
    assert result.probability_map().shape == sky.shape
    assert result.summary()["tiles"] == 6
    assert result.verdict in repr(result)


def test_kinds_of_input_agree(model, sky):
    expected = classify(model, sky)
    inputs = (
        CCDData(sky, unit="adu"),
        fits.ImageHDU(sky),
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(sky)]),
        [sky],
        sky[None],
    )
    for given in inputs:
        assert classify(model, given).probability == expected.probability


def test_auxiliary_hdus_are_left_out(model, sky):
    hdus = [fits.ImageHDU(sky[::-1], name=name) for name in ("ERR", "dq", "WHT")]
    file = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(sky, name="SCI"), *hdus])
    assert classify(model, file).summary() == classify(model, sky).summary()
    with pytest.raises(ValueError, match="no image"):
        classify(model, fits.HDUList([fits.PrimaryHDU(), hdus[0]]))
    # Whoever gives one by itself means it.
    assert classify(model, hdus[0]).evidence == classify(model, sky[::-1]).evidence


def test_a_mosaic_is_one_exposure(model, sky):
    mosaic = classify(model, [sky, CCDData(sky[::-1], unit="adu")])
    assert len(mosaic.tiles) == 12
    first, second = mosaic.images
    assert len(first.tiles) == len(second.tiles) == 6
    assert first.evidence == classify(model, sky).evidence
    assert second.tiles[0].image == 0


def test_batches_change_nothing(model, sky):
    one, many = (classify(model, sky, batch_size=n) for n in (1, 6))
    assert one.evidence == pytest.approx(many.evidence, abs=1e-4)


def test_a_fraction_of_the_tiles(model, sky):
    mosaic = [sky + number for number in range(10)]
    whole = classify(model, mosaic)
    part = classify(model, mosaic, fraction=0.25)
    assert len(part.tiles) == 15
    by_place = {(t.image, t.top, t.left): t.evidence for t in whole.tiles}
    for tile in part.tiles:
        there = by_place[tile.image, tile.top, tile.left]
        # Other batches change the last bits.
        assert tile.evidence == pytest.approx(there, abs=1e-4)
    assert part.tiles == classify(model, mosaic, fraction=0.25).tiles
    assert len(classify(model, sky, fraction=1e-9).tiles) == 1


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (np.full((100, 100), 7.0), "every pixel with a value is 7"),
        (np.full((100, 100), np.nan), "every pixel is masked, NaN or infinite"),
        (np.arange(20.0 * 100).reshape(20, 100), "20 x 100 pixels, and at least 32"),
    ],
)
def test_what_cannot_be_judged_is_undecided(model, image, why):
    with pytest.warns(MaximaskWarning, match=why):
        result = classify(model, image, prior=0.1)
    assert result.verdict == "undecided"
    assert result.is_affected() is None
    assert result.probability == pytest.approx(0.1)
    assert np.isnan(result.uncertainty)
    assert np.isnan(result.blur_length.value)
    assert why in result.problems[0]


def test_an_empty_image_of_a_mosaic_says_nothing(model, sky):
    alone = classify(model, [sky, sky])
    with_empty = classify(model, [sky, np.zeros_like(sky), sky])
    assert with_empty.probability == alone.probability
    assert with_empty.images[1].verdict == "undecided"


def test_tiles_with_few_valid_pixels_are_left_out(model, sky):
    mask = np.zeros(sky.shape, bool)
    mask[:, :120] = True
    result = TrackingClassifier(model)(sky, mask=mask)
    assert 0 < len(result.tiles) < 6
    assert all(tile.left >= 60 for tile in result.tiles)


def test_a_fraction_is_one_of_tiles_that_can_be_judged(model, sky):
    mask = np.ones(sky.shape, bool)
    mask[:, 140:] = False
    images = [np.ma.array(sky + number, mask=mask) for number in range(8)]
    whole = classify(model, images)
    part = classify(model, images, fraction=0.25)
    assert len(part.tiles) == len(whole.tiles) / 4
    assert all(tile.left >= 100 for tile in part.tiles)


def test_an_image_whose_tiles_are_all_left_out_says_so(model, sky):
    sparse = np.where(np.arange(sky.shape[1]) % 5 < 2, sky, np.nan)
    why = "no tile has enough pixels with a value"
    with pytest.warns(MaximaskWarning, match=f"No verdict: {why}"):
        assert classify(model, sparse).problems == (why,)
    assert classify(model, [sky, sparse]).problems == (None, why)


@pytest.mark.parametrize(
    "options", [{"prior": 0}, {"prior": 1.0}, {"fraction": 0}, {"threshold": 1.1}]
)
def test_wrong_options_are_refused(model, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} must be in"):
        TrackingClassifier(model, **options)


def test_models_for_other_tasks_are_refused():
    with pytest.raises(ValueError, match="is for contaminants"):
        TrackingClassifier("contaminants-1")


def test_lists_of_nothing_are_refused(model):
    with pytest.raises(ValueError, match="no image"):
        classify(model, fits.HDUList([fits.PrimaryHDU()]))


def test_results_can_be_drawn(model, sky):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    result = classify(model, sky)
    ax = result.imshow(sky)
    assert result.verdict in ax.get_title()
    assert len(ax.images) == 2
    assert len(ax.lines) == result.n_tiles
    assert len(result.imshow().images) == 1
    pyplot.close("all")
