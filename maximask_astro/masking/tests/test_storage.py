import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from maximask_astro.flags import CLASSES
from maximask_astro.masking import ContaminantMap
from maximask_astro.masking.tests.maps import (
    NAMES,
    PROVENANCE,
    SPREAD,
    assert_same_map,
    make_map,
)
from maximask_astro.utils import InputError, MaximaskWarning


def distorted_wcs():
    """World coordinates with a SIP distortion."""
    header = fits.Header(
        [
            *(("CTYPE1", "RA---TAN-SIP"), ("CTYPE2", "DEC--TAN-SIP")),
            *(("CRVAL1", 150.1), ("CRVAL2", 2.2), ("CRPIX1", 7.0), ("CRPIX2", 6.0)),
            *(("CD1_1", -7e-5), ("CD1_2", 1e-6), ("CD2_1", 2e-6), ("CD2_2", 7e-5)),
            *(("A_ORDER", 2), ("A_2_0", 1e-4), ("A_1_1", -3e-5), ("A_0_2", 2e-5)),
            *(("B_ORDER", 2), ("B_2_0", 5e-5), ("B_1_1", 6e-5), ("B_0_2", -1e-4)),
        ]
    )
    return WCS(header), header


def written(cmap, tmp_path, name="map.fits"):
    cmap.write(tmp_path / name, overwrite=True)
    return ContaminantMap.read(tmp_path / name)


@given(
    shape=st.sampled_from([(1, 1), (3, 5), (2, 3, 4)]),
    names=st.sets(st.sampled_from([f.abbreviation for f in CLASSES]), min_size=1),
    seed=st.integers(0, 1000),
    planes=st.booleans(),
    spread=st.sampled_from([None, "planes", "tables"]),
    model=st.text(max_size=100),
)
def test_maps_survive_a_file(
    tmp_path_factory, shape, names, seed, planes, spread, model
):
    """Any classes (with or without BG), a cube, any text about the model."""
    others = {"provenance": {**PROVENANCE, "model": model}}
    if spread == "tables":
        others["spread"] = SPREAD
    elif spread:
        cube = np.random.RandomState(seed).uniform(size=(len(names), *shape))
        others["uncertainty_planes"] = cube.astype(np.float32)
    cmap = make_map(shape, names, seed=seed, planes=planes, **others)
    assert_same_map(written(cmap, tmp_path_factory.mktemp("maps")), cmap)


@pytest.mark.parametrize("name", ["map.fits", "map.fits.gz", "map.fit", "no suffix"])
def test_any_file_name(tmp_path, name):
    cmap = make_map()
    assert_same_map(written(cmap, tmp_path, name), cmap)
    compressed = (tmp_path / name).read_bytes()[:2] == b"\x1f\x8b"
    assert compressed == name.endswith(".gz")


def test_priors_that_were_not_changed_survive(tmp_path):
    cmap = make_map()
    object.__setattr__(cmap.settings[0], "prior", None)
    object.__setattr__(cmap.settings[1], "training_prior", None)
    assert written(cmap, tmp_path).settings == cmap.settings


@pytest.mark.parametrize("where", ["wcs", "header", "both"])
def test_world_coordinates_survive_with_their_distortion(tmp_path, where):
    wcs, header = distorted_wcs()
    others = {"wcs": wcs} if where == "wcs" else {"meta": header}
    if where == "both":
        others["wcs"] = wcs
    read = written(make_map(**others), tmp_path)
    assert read.wcs.sip is not None
    for world in (wcs.all_pix2world, read.wcs.all_pix2world):
        np.testing.assert_allclose(
            world(3.0, 4.0, 0), wcs.all_pix2world(3.0, 4.0, 0), rtol=0, atol=1e-11
        )
    again = written(read, tmp_path)
    assert again.wcs.to_header(relax=True) == read.wcs.to_header(relax=True)


def test_header_of_the_exposure_comes_along(tmp_path):
    meta = fits.Header(
        [
            ("OBJECT", "M31", "what was observed"),
            ("BUNIT", "adu"),
            ("HIERARCH ESO DET ID", 7),
            ("COMMENT", "first"),
            ("COMMENT", "second"),
            ("DATAMAX", 65535),
        ]
    )
    read = written(make_map(meta=meta), tmp_path)
    assert read.meta["OBJECT"] == "M31"
    assert read.meta.comments["OBJECT"] == "what was observed"
    assert read.meta["ESO DET ID"] == 7
    assert list(read.meta["COMMENT"]) == ["first", "second"]
    assert "BUNIT" not in read.meta
    assert "DATAMAX" not in read.meta
    assert list(meta)[:2] == ["OBJECT", "BUNIT"]


def test_other_programs_can_read_the_file(tmp_path):
    cmap = make_map()
    cmap.write(tmp_path / "map.fits")
    with fits.open(tmp_path / "map.fits") as file:
        assert np.array_equal(file[0].data, cmap.bitmask)
        assert file[0].header["MM_MODEL"] == PROVENANCE["model"]
        assert file[0].header["SMASK"] == "Yes"
        assert file[0].header["TRL_SM"] == "64"
        table = file["CLASSES"].data
        assert tuple(table["class"]) == NAMES
        assert table["bit"].sum() == sum(item.bit for item in cmap.settings)
        file.verify("exception")
    ccd = CCDData.read(tmp_path / "map.fits", unit="adu")
    assert np.array_equal(ccd.data, cmap.bitmask)


def test_existing_files_are_replaced_only_on_demand(tmp_path):
    path = tmp_path / "map.fits"
    make_map(seed=1).write(path)
    with pytest.raises(FileExistsError, match=r"map\.fits exists"):
        make_map(seed=2).write(path)
    assert_same_map(ContaminantMap.read(path), make_map(seed=1))
    make_map(seed=2).write(path, overwrite=True)
    assert_same_map(ContaminantMap.read(path), make_map(seed=2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.fits"]


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        make_map().write(tmp_path / "missing" / "map.fits")
    with pytest.raises(OSError, match=r"irectory|exists"):
        make_map().write(tmp_path, overwrite=True)
    assert list(tmp_path.iterdir()) == []


@given(st.data())
@pytest.mark.filterwarnings("ignore:.*")  # what astropy says about damaged files
def test_cut_files_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("maps") / "map.fits"
    make_map().write(path)
    content = path.read_bytes()
    # Cuts within the padding after the last HDU's data lose nothing.
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 2881))])
    with pytest.raises(InputError, match="contaminant map"):
        ContaminantMap.read(path)


def test_files_that_are_no_map(tmp_path):
    path = tmp_path / "other.fits"
    with pytest.raises(InputError, match="cannot be read"):
        ContaminantMap.read(path)
    path.write_text("not FITS")
    with pytest.raises(InputError, match="cannot be read"):
        ContaminantMap.read(path)
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path, overwrite=True)
    with pytest.raises(InputError, match=r"is not a contaminant map that Contaminant"):
        ContaminantMap.read(path)
    header = fits.Header({"MM_FMT": "maximask_astro contaminant map"})
    fits.PrimaryHDU(header=header).writeto(path, overwrite=True)
    with pytest.raises(InputError, match="cannot be read"):
        ContaminantMap.read(path)
    make_map().write(path, overwrite=True)
    fits.delval(path, "TTYPE1", extname="CLASSES")
    with pytest.raises(InputError, match="cannot be read"):
        ContaminantMap.read(path)


def test_unreadable_coordinates_do_not_keep_a_map_from_being_read(tmp_path):
    meta = fits.Header({"CTYPE1": "RA---XXX", "CTYPE2": "DEC--XXX"})
    cmap = make_map(meta=meta)
    with pytest.warns(MaximaskWarning, match="cannot be read and is left out"):
        read = written(cmap, tmp_path)
    assert_same_map(read, cmap)
    assert read.wcs is None
