from collections import ChainMap

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro.background import Sky, array_reader, constant_surface
from maximask_astro.inference import Band
from maximask_astro.masking import ClassSettings, ContaminantMap, ContaminantMasker
from maximask_astro.masking.contaminant_map import BACKGROUND_CODE
from maximask_astro.masking.saturation import (
    KEYWORDS,
    SaturatedPixels,
    describe_saturation,
    known_levels,
    resolve_saturation,
)
from maximask_astro.tests.helpers import make_exposure

SAT = 512
SHAPE = (60, 90)
LEVEL = 30000.0


@pytest.fixture(scope="module")
def image():
    """An exposure with a few pixels at the level, two of them in a hole."""
    data = np.minimum(make_exposure(SHAPE), 20000)
    data[20:24, 30:33] = LEVEL
    data[40, 5], data[0, 89] = LEVEL + 1, 65535
    data[23, 32] = np.inf
    return data


@pytest.fixture(scope="module")
def full(image):
    """What is saturated in it."""
    return (image >= LEVEL) & np.isfinite(image)


@pytest.mark.parametrize(
    ("given", "source", "text"),
    [
        (None, None, "none"),
        (50000, 50000.0, 50000.0),
        (np.float32(0.5), 0.5, 0.5),
        ("header", KEYWORDS, "header"),
        ("satmax", ("SATMAX",), "SATMAX"),
        (("A", " eso det sat "), ("A", "ESO DET SAT"), "A,ESO DET SAT"),
        (["A"], ("A",), "A"),
    ],
)
def test_a_level_or_where_it_is(given, source, text):
    assert resolve_saturation(given) == source
    assert describe_saturation(source) == text


@pytest.mark.parametrize("value", [-1, 0, np.nan, np.inf, -np.inf])
def test_levels_are_positive(value):
    with pytest.raises(ValueError, match="must be a positive number, in units of"):
        resolve_saturation(value)


@pytest.mark.parametrize("value", [True, {"SATURATE": 1}, b"A", (1, 2), 1j])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError, match="saturation must be a level, 'header', a h"):
        resolve_saturation(value)


@pytest.mark.parametrize("value", ["", " ", "50000", "-5", "nan", (), ("A", "")])
def test_keywords_are_names(value):
    with pytest.raises(ValueError, match="keywords must be names of header cards"):
        resolve_saturation(value)


def header_of(*cards):
    """A header as it is read from a file, with whatever is on the cards."""
    return fits.Header.fromstring("".join(card.ljust(80) for card in cards))


@pytest.mark.parametrize(
    ("header", "levels"),
    [
        (None, ()),
        ({}, ()),
        ({"saturate": 5, 3: 4}, (5.0,)),
        ({"SatLevel": 7, "SATURATE": 5}, (5.0, 7.0)),
        (fits.Header({"saturval": 5.5}), (5.5,)),
        (fits.Header({"SATURATE": "65535", "SATURATA": 4}), (65535.0, 4.0)),
        *(
            (fits.Header({"SATURATE": bad, "SATLEVEL": 9}), (9.0,))
            for bad in (True, "unknown", 0, -1, None, "")
        ),
        ({"SATURATE": np.nan, "SATLEVEL": np.inf, "SATURVAL": [1]}, ()),
        (header_of("SATURATE=  12 34", "SATLEVEL= 8"), (8.0,)),
        (header_of("SATURATE= 3", "SATURATE= 4"), (3.0,)),
        (ChainMap(fits.Header({"A": 1}), fits.Header({"SATURATE": 6})), (6.0,)),
    ],
)
def test_headers_have_all_kinds_of_things(header, levels):
    assert known_levels(KEYWORDS, header) == levels


def test_only_these_keywords_count():
    header = fits.Header({"SATURATE": 5, "MYLEVEL": 6, "HIERARCH ESO DET SAT": 7})
    assert known_levels(("MYLEVEL",), header) == (6.0,)
    assert known_levels(("ESO DET SAT", "MYLEVEL"), header) == (7.0, 6.0)
    assert known_levels(8.0, header) == (8.0,)
    assert known_levels(None, header) == ()


def chosen(image, source, header=None, *, sky=1000.0, noise=10.0, rows=None):
    settings = [ClassSettings("SAT", None, None, 0.5)]
    watched = SaturatedPixels(array_reader(image), source, header, settings)
    for start in range(0, rows or len(image), 25):
        watched(start, start + 25)
    surfaces = constant_surface(sky), constant_surface(noise)
    watched.choose(Sky(*surfaces), len(image))
    return watched.level


@pytest.mark.parametrize(
    ("levels", "level"),
    [
        ({"SATURATE": 40000}, 40000),
        ({"SATURATE": 65535}, 65535),  # the brightest pixel has it
        ({"SATURATE": 65536}, None),  # none has
        ({"SATURATE": 900}, None),  # below the sky
        ({"SATURATE": 1040}, None),  # noise of the sky
        ({"SATURATE": 1.5, "SATLEVEL": 1e9, "SATURVAL": 2000}, 2000),
        ({}, None),
    ],
)
def test_a_level_of_the_header_must_be_about_these_pixels(image, levels, level):
    assert chosen(image, KEYWORDS, levels) == level


def test_a_level_that_is_given_is_taken(image):
    assert chosen(image, 900.0) == 900
    assert chosen(image, 1e9) == 1e9


def test_what_was_not_read_may_be_higher(image):
    assert chosen(image, KEYWORDS, {"SATURATE": 1e9}, rows=25) == 1e9


def test_marks_come_from_rows_that_are_read_in_any_parts(image, full):
    """Also if rows are read twice, as at the edges of tiles."""
    settings = [ClassSettings(name, None, None, 0.5) for name in ("SAT", "CR", "BG")]
    watched = SaturatedPixels(array_reader(image), LEVEL, None, settings)
    watched.choose(Sky(constant_surface(0.0), constant_surface(1.0)), 60)
    bands = []
    for start in range(0, 60, 20):
        read, _ = watched(max(start - 7, 0), min(start + 27, 60))
        assert np.isfinite(read).all()
        rows = slice(start, start + 20)
        codes = np.full((20, 90), BACKGROUND_CODE | 1, np.uint32)
        planes = np.full((2, 3, 20, 90), 0.25, np.float32)
        bands.append(watched.mark(Band(rows, codes, None, *planes)))
    codes = np.concatenate([band.codes for band in bands])
    assert np.array_equal(codes, np.where(full, SAT | 1, BACKGROUND_CODE | 1))
    probabilities = np.concatenate([b.probabilities for b in bands], axis=1)
    uncertainties = np.concatenate([b.uncertainties for b in bands], axis=1)
    for plane, value in enumerate((1, 0.25, 0)):
        assert np.all(probabilities[plane][full] == value)
        assert np.all(uncertainties[plane][full] == (0.25 if plane == 1 else 0))
    assert np.all(probabilities[:, ~full] == 0.25)


@pytest.fixture(scope="module")
def unaware(image, tiny_model):
    return ContaminantMasker(tiny_model, saturation=None)(image)


@pytest.mark.parametrize(
    ("options", "meta"),
    [
        ({"saturation": LEVEL}, {"SATURATE": 40000}),
        ({}, {"Saturate": LEVEL}),
        ({"saturation": ("LEVEL",)}, {"SATURATE": 40000, "LEVEL": LEVEL}),
    ],
)
def test_saturated_pixels_need_no_network(
    image, full, tiny_model, unaware, options, meta
):
    ccd = CCDData(image, unit="adu", meta=meta)
    cmap = ContaminantMasker(tiny_model, **options)(ccd)
    assert cmap.provenance["saturation_level"] == LEVEL
    assert cmap.class_mask("SAT")[full].all()
    assert not cmap.class_mask("BG")[full].any()
    assert np.all(cmap.probabilities["SAT"].data[full] == 1)
    assert np.all(cmap.probabilities["BG"].data[full] == 0)
    # Nothing else changes, and what has no value gets no verdict.
    assert cmap.invalid.sum() == 1
    rest = ~full
    assert np.array_equal(cmap.verdicts[rest], unaware.verdicts[rest])
    for name in ("CR", "TRL"):
        mask = cmap.class_mask(name)
        assert np.array_equal(mask, unaware.class_mask(name))
    assert unaware.provenance["saturation_level"] is None


def test_without_a_header_the_network_decides(image, tiny_model, unaware):
    cmap = ContaminantMasker(tiny_model)(image)
    assert np.array_equal(cmap.verdicts, unaware.verdicts)
    cmap = ContaminantMasker(tiny_model, classes="CR,BG", saturation=LEVEL)(image)
    assert np.array_equal(cmap.class_mask("BG"), unaware.class_mask("BG"))
    assert cmap.provenance["saturation_level"] is None


def test_saturated_pixels_grow(image, full, tiny_model):
    options = {"saturation": LEVEL, "thresholds": {"SAT": 1.0}}
    cmap = ContaminantMasker(tiny_model, grow={"SAT": 1}, **options)(image)
    near = full.copy()
    near[1:] |= full[:-1]
    near[:-1] |= full[1:]
    near[:, 1:] |= full[:, :-1]
    near[:, :-1] |= full[:, 1:]
    assert np.array_equal(cmap.class_mask("SAT"), near & ~cmap.invalid)


def test_planes_of_a_cube_have_their_own_sky(image, full, tiny_model):
    """A level that is below the sky of one of them counts in the others."""
    cube = np.stack([image, image + 2 * LEVEL])
    masker = ContaminantMasker(tiny_model, thresholds={"SAT": 1.0})
    cmap = masker(CCDData(cube, unit="adu", meta={"SATURATE": LEVEL}))
    assert np.array_equal(cmap.class_mask("SAT"), [full, np.zeros(SHAPE, bool)])
    assert cmap.provenance["saturation_level"] == LEVEL


def test_rows_tiles_and_streams_agree(tiny_model):
    image = make_exposure((700, 450))
    image[::97, ::31] = LEVEL
    options = {"saturation": "header", "thresholds": {"SAT": 1.0}}
    expected = image >= LEVEL
    for others in ({}, {"tile_size": 416}, {"tiling": "original"}):
        masker = ContaminantMasker(tiny_model, **options, **others)
        cmap = masker(fits.PrimaryHDU(image, fits.Header({"SATLEVEL": LEVEL})))
        assert np.array_equal(cmap.class_mask("SAT"), expected)
        parts = masker.stream(
            array_reader(image), image.shape, header={"SATLEVEL": LEVEL}
        )
        for rows, part in parts:
            assert np.array_equal(part.class_mask("SAT"), expected[rows])
            assert part.provenance["saturation_level"] == LEVEL


def test_files_say_the_level(tmp_path, image, tiny_model):
    cmap = ContaminantMasker(tiny_model, saturation=LEVEL)(image)
    cmap.write(tmp_path / "a.fits")
    assert fits.getheader(tmp_path / "a.fits")["MM_SATLV"] == LEVEL
    again = ContaminantMap.read(tmp_path / "a.fits")
    assert again.provenance["saturation_level"] == LEVEL
    assert again.provenance["saturation"] == LEVEL
    ContaminantMasker(tiny_model)(image).write(tmp_path / "b.fits")
    assert fits.getheader(tmp_path / "b.fits")["MM_SATLV"] == "none"
