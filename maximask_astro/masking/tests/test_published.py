"""The published network from FITS file to masks, against the published command."""

import numpy as np
import pytest
from astropy.io import fits

from maximask_astro.masking import ContaminantMasker

pytestmark = pytest.mark.published_weights


@pytest.fixture(scope="module")
def masker():
    return ContaminantMasker(
        "maximask-1.4.1", tiling="original", keep_probabilities=False
    )


@pytest.mark.parametrize("name", ["exotic_013612", "saao_ste3_raw"])
def test_masks_are_those_of_the_published_command(masker, real_data, name):
    """Measured: all of 14 masks, and the single mask, are the same everywhere."""
    cmap = masker(fits.getdata(real_data / "exposures" / f"{name}.fits"))
    with np.load(real_data / "reference" / "published_outputs.npz") as reference:
        packed, single = reference[f"{name}_masks"], reference[f"{name}_single"]
    published = np.unpackbits(packed, axis=0, count=14).astype(bool)
    found = np.stack([cmap.class_mask(key) for key in cmap.classes])
    assert np.mean(found == published) >= 0.9999
    assert np.mean(cmap.bitmask == single) >= 0.9999
