import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from scipy.special import logit

from maximask_astro import __version__
from maximask_astro.flags import ABBREVIATIONS, CLASSES
from maximask_astro.inference import log_prior_factor, update_probability
from maximask_astro.masking import ContaminantMasker
from maximask_astro.masking.tests.maps import SPREAD, same
from maximask_astro.tests.helpers import make_exposure, tiny_card, tiny_weights
from maximask_astro.utils import InputError, ModelNotFoundError
from maximask_astro.weights import (
    load_model,
    look_up_uncertainty,
    packaged_card,
    save_model,
)

SHAPE = (60, 90)
IMAGE = make_exposure(SHAPE).round()  # whole numbers fit every dtype below
HOLE = np.zeros(SHAPE, bool)
HOLE[20:30, 40:55] = HOLE[50, 5] = HOLE[0, 88] = True


@pytest.fixture(scope="module")
def masker(tiny_model):
    return ContaminantMasker(tiny_model)


@pytest.fixture(scope="module")
def expected(masker):
    return masker(IMAGE)


def test_map_is_complete(masker, expected):
    assert expected.shape == SHAPE
    assert expected.classes == masker.classes == ABBREVIATIONS
    assert expected.probability_planes.shape == (14, *SHAPE)
    assert not expected.invalid.any()
    assert expected.probability_planes.min() >= 0
    assert expected.probability_planes.max() <= 1
    for item in expected.settings:
        probability = expected.probabilities[item.name].data
        mask = expected.class_mask(item.name)
        assert np.array_equal(mask, probability > np.float32(item.threshold))
        assert 0 < mask.mean() < 1


def test_map_says_how_it_was_made(masker, expected):
    assert expected.provenance["model"] == masker.model_card.name == "tiny"
    assert expected.provenance["weights_sha256"] == masker.model_card.weights_sha256
    assert expected.provenance["version"] == __version__
    assert expected.provenance["tiling"] == "seamless"
    assert expected.provenance["grow"] == {}
    assert expected.provenance["date"].endswith("+00:00")


HEADER = fits.Header({"OBJECT": "M31", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"})


@pytest.mark.parametrize(
    "data",
    [
        IMAGE * u.adu,
        NDData(IMAGE),
        CCDData(IMAGE, unit="electron"),
        np.ma.array(IMAGE),
        fits.PrimaryHDU(IMAGE),
        fits.ImageHDU(IMAGE, HEADER),
        IMAGE.tolist(),
        np.asfortranarray(IMAGE),
        IMAGE[None],
    ],
    ids=lambda data: type(data).__name__,
)
def test_all_kinds_of_input_give_the_same_map(masker, expected, data):
    cmap = masker(data)
    if cmap.shape == (1, *SHAPE):
        assert np.array_equal(cmap.verdicts[0], expected.verdicts)
    else:
        assert same(cmap, expected)


def test_header_and_coordinates_come_along(masker):
    cmap = masker(fits.ImageHDU(IMAGE, HEADER))
    assert cmap.meta["OBJECT"] == "M31"
    assert cmap.wcs.wcs.ctype[0] == "RA---TAN"
    assert cmap.probabilities["CR"].wcs is cmap.wcs


@pytest.mark.parametrize(
    "dtype", [">f4", ">f8", "longdouble", "int32", ">i4", ">u4", "int64"]
)
def test_dtype_and_byte_order_do_not_matter(masker, expected, dtype):
    data = IMAGE.astype(dtype)
    before = data.tobytes()
    assert same(masker(data), expected)
    assert data.tobytes() == before


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", ">i2", ">u2", "float16"])
def test_narrow_dtypes_are_taken_at_their_value(masker, dtype):
    data = (np.abs(IMAGE) % 120).astype(dtype)
    assert same(masker(data), masker(data.astype(float)))


def test_planes_of_a_cube_are_judged_one_by_one(masker, expected):
    cube = np.stack([IMAGE, IMAGE[::-1], IMAGE])
    cmap = masker(cube, mask=np.stack([HOLE & False, HOLE, HOLE]))
    assert cmap.shape == cube.shape
    assert cmap.probability_planes.shape == (14, *cube.shape)
    assert np.array_equal(cmap.verdicts[0], expected.verdicts)
    assert np.array_equal(cmap.bitmask[1], masker(IMAGE[::-1], mask=HOLE).bitmask)
    assert np.array_equal(cmap.invalid[2], HOLE)
    assert cmap.probabilities["CR"].data.shape == cube.shape


def test_classes_are_a_selection(tiny_model, expected):
    masker = ContaminantMasker(tiny_model, classes=np.array(["sat", "STL"]))
    cmap = masker(IMAGE)
    assert cmap.classes == masker.classes == ("TRL", "SAT")
    for name in cmap.classes:
        np.testing.assert_allclose(
            cmap.probabilities[name].data, expected.probabilities[name].data, atol=1e-6
        )
    unusable = ContaminantMasker(tiny_model, classes="unusable").classes
    assert unusable == tuple(f.abbreviation for f in CLASSES if f.unusable)


def test_no_priors_are_the_training_priors(tiny_model, expected):
    training = ContaminantMasker(tiny_model).model_card.training_priors
    without = ContaminantMasker(tiny_model, priors=None)(IMAGE)
    assert same(ContaminantMasker(tiny_model, priors=training)(IMAGE), without)
    for item in expected.settings:
        updated = update_probability(
            without.probabilities[item.name].data.astype(float),
            item.training_prior,
            item.prior,
        )
        found = expected.probabilities[item.name].data
        np.testing.assert_allclose(found, updated, rtol=1e-3, atol=1e-6)


def test_one_prior_changes_one_class(tiny_model, expected):
    cmap = ContaminantMasker(tiny_model, priors={"CR": 0.5, "P": None})(IMAGE)
    priors = {item.name: item.prior for item in cmap.settings}
    assert (priors["CR"], priors["P"]) == (0.5, None)
    for index, name in enumerate(ABBREVIATIONS):
        changed = np.any(
            cmap.probability_planes[index] != expected.probability_planes[index]
        )
        assert changed == (name in ("CR", "P"))
    assert np.isnan(cmap.to_table()["prior"][5])


def test_thresholds_decide(tiny_model, expected):
    thresholds = {"CR": 0.0, "TRL": 1.0, "P": 0.9}
    cmap = ContaminantMasker(tiny_model, thresholds=thresholds)(IMAGE)
    assert np.array_equal(cmap.probability_planes, expected.probability_planes)
    for item in cmap.settings:
        limit = np.float32(thresholds.get(item.name, item.threshold))
        above = cmap.probabilities[item.name].data > limit
        assert np.array_equal(cmap.class_mask(item.name), above)
    half = ContaminantMasker(tiny_model, thresholds=0.5)
    assert {item.threshold for item in half.settings} == {0.5}


def distance_to(mask):
    """Distance of every pixel to the nearest of a mask, the slow way."""
    rows, columns = np.nonzero(mask)
    y, x = np.indices(mask.shape)
    return np.sqrt(((y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2).min(-1))


def test_grow_adds_pixels_within_a_radius_of_those_with_a_verdict(tiny_model):
    """What fills a hole is never grown out of it, nor anything into it."""
    hole = np.indices(SHAPE)[1] < 45
    radii = {"CR": 3, "DP": 2.5, "SP": 1, "TRL": 0, "BG": 1}
    plain = ContaminantMasker(tiny_model)(IMAGE, mask=hole)
    grown = ContaminantMasker(tiny_model, grow=radii)(IMAGE, mask=hole)
    assert np.array_equal(grown.invalid, hole)
    for name, radius in radii.items():
        near = distance_to(plain.class_mask(name)) <= radius
        assert np.array_equal(grown.class_mask(name), near & ~hole)
    assert grown.class_mask("DP").sum() > plain.class_mask("DP").sum() > 0
    assert grown.provenance["grow"] == {k: r for k, r in radii.items() if r}


def test_grow_by_one_number_leaves_the_sky_alone(tiny_model):
    plain = ContaminantMasker(tiny_model)(IMAGE)
    grown = ContaminantMasker(tiny_model, grow=1)(IMAGE)
    for flag in CLASSES:
        name = flag.abbreviation
        more = grown.class_mask(name).sum() > plain.class_mask(name).sum()
        assert more == flag.unusable


def test_uncertainty_comes_with_the_probabilities(tiny_model):
    image = IMAGE[:32, :32]
    masker = ContaminantMasker(tiny_model, classes="P", uncertainty="dihedral")
    cmap = masker(image, mask=HOLE[20:52, 40:72])
    plain = ContaminantMasker(tiny_model, classes="P")(image, mask=HOLE[20:52, 40:72])
    spread = cmap.probabilities["P"].uncertainty.array
    assert np.array_equal(np.isnan(spread), cmap.invalid)
    assert np.nanmin(spread) >= 0
    assert 0.1 < np.nanmax(spread) <= 0.5
    assert plain.probabilities["P"].uncertainty is None
    np.testing.assert_allclose(
        cmap.probability_planes, plain.probability_planes, atol=1e-6
    )


@pytest.fixture(scope="module")
def aware(tiny_model):
    """A model whose card says how uncertain its probabilities are."""
    model = load_model(tiny_model)
    return replace(model, card=replace(model.card, spread=SPREAD))


@pytest.mark.parametrize("uncertainty", ["default", "card"])
def test_uncertainty_comes_from_the_card(aware, expected, uncertainty):
    cmap = ContaminantMasker(aware, uncertainty=uncertainty)(IMAGE)
    assert same(cmap, expected)
    assert cmap.uncertainty_planes is None
    plane, factor = cmap.probabilities["CR"], log_prior_factor(0.01, 0.0005)
    with np.errstate(divide="ignore"):
        std = look_up_uncertainty(logit(plane.data), SPREAD["CR"], factor)
    np.testing.assert_allclose(plane.uncertainty.array, std, rtol=1e-4)
    assert 0.05 < std.max() <= 0.5
    assert plane.meta["uncertainty"] == "card (spread over skies)"
    assert cmap.probabilities["TRL"].uncertainty is None


def test_uncertainty_of_the_card_only_where_there_is_one(aware, tiny_model):
    none = ContaminantMasker(aware, uncertainty=None)
    assert none.provenance["uncertainty"] == "none (not estimated)"
    assert none(IMAGE[:40]).probabilities["CR"].uncertainty is None
    others = ContaminantMasker(aware, classes="TRL,P")
    assert others.provenance["uncertainty"] == "none (not estimated)"
    with pytest.raises(InputError, match="no table of uncertainties"):
        ContaminantMasker(tiny_model, uncertainty="card")
    thrifty = ContaminantMasker(aware, keep_probabilities=False)
    assert thrifty(IMAGE).probability_planes is None
    asked = ContaminantMasker(aware, keep_probabilities=False, uncertainty="card")
    assert asked(IMAGE).probability_planes is not None


def test_other_priors_make_another_masker(tiny_model):
    masker = ContaminantMasker(tiny_model, priors={"CR": 0.2}, grow={"TRL": 2})
    before = repr(masker)
    fringed = masker.with_priors(FR=0.3)
    assert repr(fringed) == before.replace("CR:0.2", "CR:0.2,FR:0.3")
    assert repr(masker) == before
    assert repr(masker.with_priors({"stl": None, "CR": 0.3})) == (
        before.replace("CR:0.2", "CR:0.3,TRL:None")
    )
    direct = ContaminantMasker(
        tiny_model, priors={"CR": 0.2, "FR": 0.3}, grow={"TRL": 2}
    )
    assert same(fringed(IMAGE), direct(IMAGE))
    raw = ContaminantMasker(tiny_model, priors=None).with_priors(FR=0.3)
    assert {item.name for item in raw.settings if item.prior is not None} == {"FR"}
    few = ContaminantMasker(tiny_model, classes=iter(["CR", "FR"])).with_priors(FR=0.3)
    assert few.classes == ("CR", "FR")
    with pytest.raises(ValueError, match="This masker has no class TRL; it has CR, FR"):
        few.with_priors(TRL=0.1)
    with pytest.raises(ValueError, match="The prior of FR is 1"):
        few.with_priors(FR=1)
    with pytest.raises(TypeError, match="priors must be a mapping"):
        few.with_priors(["FR"])


def test_probabilities_need_not_be_kept(tiny_model, expected):
    cmap = ContaminantMasker(tiny_model, keep_probabilities=False)(IMAGE)
    assert np.array_equal(cmap.verdicts, expected.verdicts)
    assert cmap.probability_planes is None
    assert expected.probability_planes is not None


def test_one_masker_serves_several_threads(tiny_model, tmp_path):
    """Also when its network is built and compiled by several at a time."""
    masker = ContaminantMasker(shutil.copytree(tiny_model, tmp_path / "copy"))
    images = [IMAGE, IMAGE[::-1], IMAGE[:, ::-1], IMAGE + 100 * HOLE]
    with ThreadPoolExecutor(2) as pool:
        maps = list(pool.map(masker, images * 2))
    for image, first, second in zip(images, maps[:4], maps[4:], strict=True):
        assert same(first, masker(image))
        assert same(second, first)


def test_repr_is_short_and_says_what_was_changed(tiny_model):
    assert repr(ContaminantMasker(tiny_model)) == "ContaminantMasker('tiny')"
    masker = ContaminantMasker(
        tiny_model,
        classes=["TRL", "cr"],
        priors={"stl": 0.01, "CR": None},
        thresholds=0.5,
        grow={"CR": 2},
        uncertainty="dihedral",
        saturation=("satmax", "SATLEV"),
        tiling="original",
    )
    assert repr(masker) == (
        "ContaminantMasker('tiny', classes='CR,TRL', priors='CR:None,TRL:0.01', "
        "thresholds=0.5, uncertainty='dihedral', saturation='SATMAX,SATLEV', "
        "grow='CR:2', tiling='original')"
    )
    assert repr(ContaminantMasker(tiny_model, priors=None)).endswith("priors=None)")
    level = ContaminantMasker(tiny_model, saturation=50000, uncertainty=None)
    assert repr(level) == (
        "ContaminantMasker('tiny', uncertainty=None, saturation=50000.0)"
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"uncertainty": "dropout"}, ValueError, "no uncertainty 'dropout'"),
        ({"classes": "XX"}, ValueError, "not a contaminant class"),
        ({"priors": {"CR": 1}}, ValueError, "The prior of CR"),
        ({"thresholds": -1}, ValueError, "The threshold of CR"),
        ({"grow": -1}, ValueError, "by which CR is grown"),
        ({"saturation": -1}, ValueError, "level of saturation is -1; it must be a pos"),
        ({"saturation": {}}, TypeError, "saturation must be a level, 'header', a head"),
        ({"tiling": "none"}, ValueError, "no tiling 'none'"),
        ({"tile_size": 100}, ValueError, "at least 416 pixels"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"priors": 0.5}, TypeError, "priors must be a mapping"),
    ],
)
def test_bad_arguments_are_refused_at_once(tiny_model, options, error, message):
    with pytest.raises(error, match=message):
        ContaminantMasker(tiny_model, **options)


def test_models_for_something_else_are_refused(tmp_path):
    weights = tiny_weights()
    save_model(
        tmp_path / "m", replace(tiny_card(weights), task="tracking"), weights, {}
    )
    with pytest.raises(ValueError, match="is for tracking, not for contaminants"):
        ContaminantMasker(tmp_path / "m")
    with pytest.raises(ModelNotFoundError, match="no model 'missing'"):
        ContaminantMasker("missing")


def test_priors_need_training_priors(tmp_path):
    weights = tiny_weights()
    training = dict(packaged_card("maximask-1.4.1").training_priors)
    del training["CR"]
    card = replace(tiny_card(weights), training_priors=training)
    save_model(tmp_path / "m", card, weights, {})
    with pytest.raises(ValueError, match="no training prior for CR"):
        ContaminantMasker(tmp_path / "m")
    assert ContaminantMasker(tmp_path / "m", priors={"CR": None}).classes


@pytest.mark.parametrize(
    ("data", "mask", "error"),
    [
        (np.zeros(5), None, "must have 2 dimensions, or 3"),
        (np.zeros((0, 5)), None, "The image is empty"),
        (IMAGE, HOLE.T, "The mask has the shape"),
        (NDData(IMAGE), HOLE, "not both"),
        (fits.PrimaryHDU(), None, "The HDU has no data"),
    ],
)
def test_bad_input_is_refused(masker, data, mask, error):
    with pytest.raises(ValueError, match=error):
        masker(data, mask=mask)
    with pytest.raises(TypeError, match="must hold real numbers"):
        masker(IMAGE * 1j)


def test_skies_are_learned_from_without_masks(tiny_model, monkeypatch):
    asked = {}

    def fine_tune(model, images, masks, **options):
        asked.update(options, images=images, masks=masks)
        return model

    monkeypatch.setattr("maximask_astro.training.fine_tune", fine_tune)
    masker = ContaminantMasker(tiny_model, classes="CR,TRL")
    adapted = masker.fine_tune(skies="night", steps=3)
    assert asked == {"images": None, "masks": None, "skies": "night", "steps": 3}
    assert adapted.settings == masker.settings


def test_there_must_be_something_to_learn_from(tiny_model):
    with pytest.raises(InputError, match="nothing to learn from"):
        ContaminantMasker(tiny_model).fine_tune()
