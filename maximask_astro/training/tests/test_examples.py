import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro import ContaminantMasker
from maximask_astro.flags import ABBREVIATIONS, get_class
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.training import make_examples, read_examples
from maximask_astro.training.examples import draw_crops, proportions
from maximask_astro.utils import InputError
from maximask_astro.weights import packaged_card

SHAPE = (60, 70)
IMAGE = make_exposure(SHAPE)
CARD = packaged_card("contaminants-1")


def known_of(example):
    return {n for n, k in zip(ABBREVIATIONS, example.known, strict=True) if k}


def plane(example, name):
    return example.codes >> np.uint32(ABBREVIATIONS.index(name)) & 1 != 0


@pytest.fixture
def bits():
    """A bit mask with cosmic rays, trails and pixels without a verdict."""
    bits = np.zeros(SHAPE, np.int16)
    bits[5:9, 5:9] = 1
    bits[7:20, 30] |= 64
    bits[40:45] = 16384
    return bits


def test_bit_masks_know_the_classes_that_occur(bits):
    (example,) = make_examples([IMAGE], [bits])
    assert known_of(example) == {"CR", "TRL"}
    assert np.array_equal(plane(example, "CR"), (bits & 1) != 0)
    assert np.array_equal(plane(example, "TRL"), bits & 64 != 0)
    assert np.array_equal(~example.valid, bits == 16384)
    assert example.image.dtype == np.float32
    assert abs(np.median(example.image)) < 1


def test_classes_of_all_bit_masks_together_are_known(bits):
    first, second = make_examples([IMAGE, IMAGE], [bits & 1, bits & 64])
    assert known_of(first) == known_of(second) == {"CR", "TRL"}


def test_the_classes_can_be_given(bits):
    (example,) = make_examples([IMAGE], [bits], classes="CR,SAT,BG")
    assert known_of(example) == {"CR", "SAT"}  # BG has no bit
    assert not plane(example, "TRL").any()


def test_mappings_know_their_keys(bits):
    masks = {"stl": bits & 64 != 0, "BG": bits == 0, "HP": np.zeros(SHAPE)}
    (example,) = make_examples([IMAGE], [masks])
    assert known_of(example) == {"TRL", "BG", "HP"}
    assert np.array_equal(plane(example, "BG"), bits == 0)
    assert example.valid.all()


def test_maps_know_their_classes(tiny_model):
    cmap = ContaminantMasker(tiny_model, classes="CR,BG")(
        IMAGE, mask=np.arange(60)[:, None] + np.zeros(70) < 3
    )
    (example,) = make_examples([IMAGE], [cmap])
    assert known_of(example) == {"CR", "BG"}
    assert np.array_equal(plane(example, "BG")[3:], cmap.class_mask("BG")[3:])
    assert not example.valid[:3].any()
    assert example.valid[3:].all()


def test_pixels_without_a_value_are_not_learned_from(bits):
    image = IMAGE.copy()
    image[50, 10:20] = np.nan
    mask = np.zeros(SHAPE, bool)
    mask[55] = True
    (example,) = make_examples([CCDData(image, unit="adu", mask=mask)], [bits])
    expected = (bits == 16384) | np.isnan(image) | mask
    assert np.array_equal(~example.valid, expected)
    assert np.isfinite(example.image).all()


def test_proportions_count_what_is_known(bits):
    examples = make_examples([IMAGE, IMAGE], [bits, {"HP": bits == 1}])
    pixels, blocks = (
        dict(zip(ABBREVIATIONS, values, strict=True))
        for values in proportions(examples)
    )
    n_valid = np.sum(bits != 16384)
    assert pixels["CR"] == np.sum(bits & 1) / n_valid
    assert pixels["HP"] == np.mean(bits == 1)
    assert np.isnan(pixels["SAT"])
    # Rows and columns 5 to 8 are in four of 7 by 8 blocks.
    assert blocks["CR"] == 4 / 56
    assert np.isnan(blocks["SAT"])


@pytest.mark.parametrize(
    ("images", "masks", "sentence"),
    [
        ([], [], "0 images and 0 masks"),
        ([IMAGE], [], "1 images and 0 masks"),
        ([IMAGE], [np.zeros(SHAPE, int)], "about no class"),
        ([IMAGE], [np.zeros(SHAPE)], "dtype 'float64'; it must be a bit mask"),
        ([IMAGE], [{"CR": np.zeros((3, 3))}], r"shape \(60, 70\) and its mask of CR"),
        ([IMAGE[None]], [np.ones((1, *SHAPE), int)], "have two dimensions"),
    ],
)
def test_what_cannot_be_learned_from(images, masks, sentence):
    with pytest.raises(InputError, match=sentence):
        make_examples(images, masks)


def test_crops_are_parts_turned_and_mirrored(bits):
    """The labels go where their pixels go."""
    examples = make_examples([IMAGE], [{"CR": np.median(IMAGE) < IMAGE}])
    cut = np.median(IMAGE)
    level = examples[0].image[cut < IMAGE].min()
    images, labels, known = draw_crops(examples, 12, 32, (1, 2))
    assert images.shape == labels.shape == known.shape == (12, 32, 32)
    assert labels.dtype == known.dtype == np.uint16
    # Brighter than the level nearly everywhere where the label is.
    assert np.mean((images >= level) == (labels & 1 != 0)) > 0.95
    assert np.all(known == 1)
    assert len({image.tobytes() for image in images}) == 12
    again = draw_crops(examples, 12, 32, (1, 2))
    other = draw_crops(examples, 12, 32, (1, 3))
    assert np.array_equal(images, again.images)
    assert not np.array_equal(images, other.images)


def test_small_images_are_continued_by_their_mirror_images(bits):
    examples = make_examples([IMAGE], [bits], classes="CR")
    images, labels, known = draw_crops(examples, 8, 64, 1)
    assert images.shape == (8, 64, 64)
    # 60 rows, the last four of which are there twice, and 64 of 70 columns.
    counts = (known & 1 != 0).sum((1, 2))
    assert np.all(counts == (64 - 5) * 64)
    assert not np.any(labels & ~known)


@pytest.fixture
def card(bits):
    """Header cards as the commands write them."""
    header = fits.Header()
    for name in ("CR", "TRL", "SAT", "BG"):
        header[f"{name}_SM"] = str(get_class(name).bit)
    return header


def test_masks_beside_exposures_are_read(tmp_path, bits, card):
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(IMAGE), fits.ImageHDU(IMAGE[::-1])]
    ).writeto(tmp_path / "a.fits")
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(bits, card), fits.ImageHDU(bits[::-1], card)]
    ).writeto(tmp_path / "a.masks.fits")
    fits.writeto(tmp_path / "without.fits", IMAGE)
    first, second = read_examples(tmp_path, CARD)
    assert known_of(first) == {"CR", "TRL", "SAT"}
    assert np.array_equal(first.codes, second.codes[::-1])
    assert np.array_equal(plane(first, "CR"), (bits & 1) != 0)


def test_what_our_own_objects_write_is_read(tmp_path, tiny_model, bits, card):
    masker = ContaminantMasker(tiny_model)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(IMAGE)]).writeto(tmp_path / "b.fits")
    cmap = masker(IMAGE)
    cmap.write(tmp_path / "b.masks.fits")
    fits.HDUList(
        [fits.PrimaryHDU(IMAGE), fits.ImageHDU(bits, card, name="DQ")]
    ).writeto(tmp_path / "simulated.fits")
    first, second = read_examples(tmp_path, CARD)
    assert known_of(first) == set(ABBREVIATIONS) - {"BG"}
    assert np.array_equal(plane(first, "TRL"), cmap.class_mask("TRL"))
    assert known_of(second) == {"CR", "TRL", "SAT"}


def test_directories_without_masks(tmp_path, bits, card):
    with pytest.raises(InputError, match="is not a directory"):
        read_examples(tmp_path / "missing", CARD)
    fits.writeto(tmp_path / "a.fits", IMAGE)
    with pytest.raises(InputError, match=r"has no masks: an exposure a\.fits needs"):
        read_examples(tmp_path, CARD)
    fits.writeto(tmp_path / "b.masks.fits", bits, card)
    with pytest.raises(InputError, match=r"a mask file without its b\.fits"):
        read_examples(tmp_path, CARD)
    fits.writeto(tmp_path / "b.fits", IMAGE[:50])
    with pytest.raises(InputError, match="is not a bit mask for its image"):
        read_examples(tmp_path, CARD)
    (tmp_path / "b.fits").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"b\.fits cannot be read"):
        read_examples(tmp_path, CARD)
