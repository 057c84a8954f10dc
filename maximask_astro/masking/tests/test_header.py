from dataclasses import replace

import pytest
from astropy.io import fits

from maximask_astro.flags import CLASSES
from maximask_astro.masking import class_cards, provenance_cards
from maximask_astro.masking.tests.maps import PROVENANCE, make_map

ALL = make_map(names=[flag.abbreviation for flag in CLASSES])


@pytest.mark.parametrize("single_mask", [True, False])
@pytest.mark.parametrize("model", ["maximask-1.4.1", "a very long name " * 10, "é\n"])
def test_cards_fit_a_header_without_warnings(single_mask, model):
    cmap = replace(ALL, provenance={**PROVENANCE, "model": model})
    cards = provenance_cards(cmap.provenance, 0) + class_cards(
        cmap.settings, single_mask=single_mask
    )
    header = fits.Header(cards)
    assert len(header) == len(cards) == len({card[0] for card in cards})
    assert all(len(keyword) <= 8 for keyword in header)
    assert fits.Header.fromstring(header.tostring()) == header


def test_classes_are_described_as_by_maximask():
    header = fits.Header(class_cards(ALL.settings, single_mask=True))
    assert header["TRL"] == "TRL: Trails"
    assert header["TRL_DIM"] == "6"
    assert header["TRL_PR"] == "0.001"
    assert header["TRL_TH"] == "0.28"
    assert header["TRL_SM"] == "64"
    assert header["BG_SM"] == "0"
    assert header["HP_PR"] == "1e-06"
    assert (header["PRIORS"], header["THRESH"], header["SMASK"]) == ("Yes",) * 3


def test_classes_say_only_what_was_done():
    unchanged = [replace(item, prior=None) for item in ALL.settings]
    cmap = replace(ALL, settings=tuple(unchanged))
    header = fits.Header(class_cards(cmap.settings, thresholded=False))
    assert (header["PRIORS"], header["THRESH"], header["SMASK"]) == ("No",) * 3
    assert not {"CR_PR", "CR_TH", "CR_SM"} & set(header)


def test_provenance_says_how_the_map_was_made():
    header = fits.Header(provenance_cards(ALL.provenance, ALL.invalid.sum()))
    assert header["MM_MODEL"] == PROVENANCE["model"]
    assert header["MM_UTC"] == PROVENANCE["date"]
    assert PROVENANCE["weights_sha256"].startswith(header["MM_SHA"])
    assert header["MM_NODAT"] == ALL.invalid.sum()
    assert header["MM_SATLV"] == PROVENANCE["saturation_level"]
    nothing = fits.Header(provenance_cards({}, 0))
    assert nothing["MM_UTC"]
    assert nothing["MM_SATLV"] == "none"
