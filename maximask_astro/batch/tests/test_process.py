import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from maximask_astro.batch import process
from maximask_astro.batch.tests.bad_files import BAD_FILES, write_bad_file
from maximask_astro.batch.writer import ImageWriter
from maximask_astro.flags import NO_DATA
from maximask_astro.tests.helpers import make_exposure

IMAGE = make_exposure((64, 80)).astype("i2")
NOTHING = np.full((20, 30), np.nan, "f4")


@pytest.fixture
def exposure(tmp_path):
    """A small exposure in a directory of its own."""
    path = tmp_path / "night" / "a.fits"
    path.parent.mkdir()
    fits.writeto(path, IMAGE)
    return path


class Changed:
    """A masker that does something else first."""

    def __init__(self, masker, first):
        self._masker, self._first = masker, first

    def __getattr__(self, name):
        return getattr(self._masker, name)

    def stream(self, read, shape, **options):
        self._first(read, shape)
        return self._masker.stream(read, shape, **options)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def write(path, *hdus):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_probabilities_leave_the_device_only_to_be_written(exposure, masker, content):
    streamed = []

    class Spy(Changed):
        def stream(self, read, shape, **options):
            for rows, cmap in self._masker.stream(read, shape, **options):
                streamed.append(cmap.probability_planes is not None)
                yield rows, cmap

    process(exposure, Spy(masker, None), content=content)
    assert set(streamed) == {content == "probabilities"}


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_contents(exposure, masker, content):
    (result,) = process(exposure, masker, content=content)
    assert (result.status, result.message) == ("masked", "")
    cmap = masker(IMAGE)
    expected = {
        "bitmask": cmap.bitmask,
        "masks": [cmap.class_mask(name) for name in cmap.classes],
        "probabilities": cmap.probability_planes,
    }
    with fits.open(exposure.parent / "a.masks.fits") as file:
        assert len(file) == 1
        np.testing.assert_array_equal(file[0].data, expected[content])
        assert np.unique(file[0].data).size > 1


def test_the_result_counts_pixels(exposure, masker):
    (result,) = process(exposure, masker)
    assert result.source == str(exposure)
    assert result.output == str(exposure.parent / "a.masks.fits")
    (hdu,) = result.hdus
    assert (hdu.index, hdu.action, hdu.shape) == (0, "masked", (64, 80))
    cmap = masker(IMAGE)
    counts = {name: int(cmap.class_mask(name).sum()) for name in cmap.classes}
    assert hdu.pixels == {**counts, "NO_DATA": 0}


def test_the_source_is_not_touched(exposure, masker):
    before = exposure.read_bytes(), exposure.stat().st_mtime_ns
    exposure.chmod(0o444)
    process(exposure, masker)
    assert (exposure.read_bytes(), exposure.stat().st_mtime_ns) == before
    assert names(exposure.parent) == ["a.fits", "a.masks.fits"]


def test_the_output_can_be_read_by_whoever_may(exposure, masker):
    umask = os.umask(0o027)
    try:
        process(exposure, masker)
    finally:
        os.umask(umask)
    mode = (exposure.parent / "a.masks.fits").stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_an_output_directory_is_made(exposure, masker, tmp_path):
    (result,) = process(exposure, masker, output_dir=tmp_path / "new" / "masks")
    assert Path(result.output) == tmp_path / "new" / "masks" / "a.masks.fits"
    assert Path(result.output).is_file()
    assert names(exposure.parent) == ["a.fits"]


@pytest.mark.parametrize("policy", ["error", "skip", "overwrite"])
def test_an_output_that_exists(exposure, masker, policy):
    output = exposure.parent / "a.masks.fits"
    output.write_text("precious")
    (result,) = process(exposure, masker, if_exists=policy)
    assert (result.status, result.message) == {
        "error": ("failed", f"{output} exists; choose to overwrite or to skip it."),
        "skip": ("skipped", f"{output} exists."),
        "overwrite": ("masked", ""),
    }[policy]
    assert (output.read_bytes() == b"precious") == (policy != "overwrite")
    assert names(exposure.parent) == ["a.fits", "a.masks.fits"]


@pytest.mark.parametrize("argument", ["content", "if_exists"])
def test_an_unknown_choice_is_an_error(exposure, masker, argument):
    with pytest.raises(ValueError, match=f"{argument} is 'other'; it must be one of"):
        process(exposure, masker, **{argument: "other"})


def test_each_file_is_reported_when_it_is_done(exposure, masker, tmp_path):
    calls = []
    paths = [exposure, tmp_path / "lost.fits"]
    results = process(paths, masker, on_result=lambda *call: calls.append(call))
    assert [call[:2] for call in calls] == [(1, 2), (2, 2)]
    sources = {call[2].source: call[2] for call in calls}
    assert [sources[result.source] for result in results] == results


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_and_leaves_nothing(tmp_path, masker, name):
    path = write_bad_file(name, tmp_path)
    content = path.read_bytes()
    (result,) = process(path, masker)
    assert (result.status, result.output) == ("failed", None)
    assert str(path) in result.message
    assert BAD_FILES[name][1] in result.message
    assert result.message.endswith(".")
    assert "\n" not in result.message
    assert names(tmp_path) == [name]
    assert path.read_bytes() == content


def test_bad_files_do_not_stop_a_directory(exposure, masker):
    for name in BAD_FILES:
        write_bad_file(name, exposure.parent)
    results = process(exposure.parent, masker)
    status = {Path(result.source).name: result.status for result in results}
    assert status == {**dict.fromkeys(BAD_FILES, "failed"), "a.fits": "masked"}
    assert names(exposure.parent) == sorted([*BAD_FILES, "a.fits", "a.masks.fits"])


def test_an_unexpected_error_does_not_stop_a_directory(exposure, masker, tmp_path):
    fits.writeto(exposure.parent / "b.fits", IMAGE[1:])

    def unlucky(read, shape):
        if shape == IMAGE.shape:
            raise RuntimeError("the network has a bad day.")

    first, second = process(exposure.parent, Changed(masker, unlucky))
    assert (first.status, second.status) == ("failed", "masked")
    assert first.message == (
        f"{exposure} could not be processed (RuntimeError: the network has a bad day)."
    )


def test_warnings_of_others_get_through(exposure, masker):
    def chatty(read, shape):
        import warnings

        warnings.warn("by the way", AstropyUserWarning, stacklevel=1)

    with pytest.warns(AstropyUserWarning, match="by the way"):
        (result,) = process(exposure, Changed(masker, chatty))
    assert result.status == "masked"


@pytest.mark.parametrize("directory", ["file", "below/file"])
def test_an_output_directory_that_cannot_be(exposure, masker, tmp_path, directory):
    (tmp_path / "file").touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").touch()
    path = tmp_path / directory / "masks"
    (result,) = process(exposure, masker, output_dir=path)
    assert result.status == "failed"
    assert result.message.startswith(
        f"The output directory {path} cannot be written to: "
    )


def test_an_output_directory_is_checked_before_the_work(exposure, masker, tmp_path):
    def work(read, shape):
        raise AssertionError("this costs minutes")

    (tmp_path / "file").touch()
    (result,) = process(exposure, Changed(masker, work), output_dir=tmp_path / "file")
    assert "cannot be written to: " in result.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_directory(exposure, masker):
    exposure.parent.chmod(0o555)
    try:
        (result,) = process(exposure, masker)
    finally:
        exposure.parent.chmod(0o755)
    assert result.message == (
        f"The output directory {exposure.parent} cannot be written to: "
        "Permission denied."
    )
    assert names(exposure.parent) == ["a.fits"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device."),
        (
            OSError("Not enough space: 90 requested. Not enough. 80 written"),
            "the disk may be full (Not enough space: 90 requested).",
        ),
    ],
)
@pytest.mark.parametrize("policy", ["error", "overwrite"])
def test_a_disk_that_is_full_half_way(
    exposure, masker, monkeypatch, policy, error, reason
):
    output = exposure.parent / "a.masks.fits"
    if policy == "overwrite":
        output.write_text("precious")

    def write(self, rows, values, place=()):
        raise error

    before = names(exposure.parent)
    monkeypatch.setattr(ImageWriter, "write", write)
    (result,) = process(exposure, masker, if_exists=policy)
    assert result.message == f"{output} cannot be written: {reason}"
    assert names(exposure.parent) == before
    assert not output.exists() or output.read_text() == "precious"


def test_an_interrupt_is_not_taken_for_an_error(exposure, masker):
    def interrupt(read, shape):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process(exposure, Changed(masker, interrupt))
    assert names(exposure.parent) == ["a.fits"]


def test_two_sources_of_one_output(exposure, masker, monkeypatch):
    monkeypatch.chdir(exposure.parent)
    fits.writeto("a.fits.gz", IMAGE[::-1])
    results = process(
        ["a.fits", exposure.parent / "a.fits.gz"], masker, if_exists="overwrite"
    )
    assert [result.status for result in results] == ["masked", "failed"]
    assert results[1].message == (
        f"{exposure.parent / 'a.fits.gz'} would be written to "
        f"{exposure.parent / 'a.masks.fits'}, like a.fits; put them into different "
        "output directories."
    )
    written = fits.getdata("a.masks.fits")
    np.testing.assert_array_equal(written, masker(IMAGE).bitmask)


def test_masks_are_not_taken_for_exposures(exposure, masker):
    assert len(process(exposure.parent, masker)) == 1
    (again,) = process(exposure.parent, masker, if_exists="skip")
    assert (again.source, again.status) == (str(exposure), "skipped")


@pytest.mark.parametrize(("name", "status"), [("SCI", "masked"), ("OTHER", "skipped")])
def test_auxiliary_files_of_a_directory(tmp_path, masker, name, status):
    path = write(tmp_path / "a_dq.fits", fits.ImageHDU(IMAGE, name=name))
    (result,) = process(tmp_path, masker)
    assert result.status == status
    if status == "skipped":
        assert result.message == f"{path} is auxiliary by its name (*_dq.*)."
        assert names(tmp_path) == ["a_dq.fits"]
    assert process(path, masker, if_exists="overwrite")[0].status == "masked"


def table():
    """A table with numbers, strings, and arrays of different lengths."""
    arrays = np.array([np.arange(3), np.arange(5), np.arange(0)], dtype=object)
    return fits.BinTableHDU.from_columns(
        [
            fits.Column("x", "J", array=[1, 2, 3]),
            fits.Column("name", "5A", array=["a", "bc", "def"]),
            fits.Column(
                "unsigned", "I", array=np.array([1, 2, 65535], "u2"), bzero=32768
            ),
            fits.Column("list", "PD()", array=arrays),
        ],
        name="CATALOG",
    )


def test_the_structure_of_the_file_is_kept(tmp_path, masker):
    small, large = IMAGE[:3, :5], IMAGE
    text = fits.TableHDU.from_columns(
        [fits.Column("x", "F8.2", array=[1.25, 2.5], ascii=True)], name="TEXT"
    )
    primary = fits.PrimaryHDU(header=fits.Header({"OBJECT": "M 1"}))
    path = tmp_path / "a.fits"
    hdus = [
        primary,
        fits.ImageHDU(large, name="CCD1"),
        table(),
        fits.CompImageHDU(small, name="CCD2"),
        fits.ImageHDU(large, name="DQ"),
        text,
        fits.ImageHDU(np.arange(4.0), name="LINE"),
        fits.CompImageHDU(small, name="WEIGHT"),
    ]
    fits.HDUList(hdus).writeto(path)
    (result,) = process(path, masker)
    assert (result.status, result.message) == ("masked", "")
    assert [(hdu.name, hdu.action) for hdu in result.hdus] == [
        ("PRIMARY", "copied"),
        ("CCD1", "masked"),
        ("CATALOG", "copied"),
        ("CCD2", "masked"),
        ("DQ", "copied"),
        ("TEXT", "copied"),
        ("LINE", "copied"),
        ("WEIGHT", "copied"),
    ]
    with fits.open(path) as source, fits.open(result.output) as output:
        assert [hdu.name for hdu in output] == [hdu.name for hdu in source]
        assert output[0].header["OBJECT"] == "M 1"
        for name, data in (("CCD1", large), ("CCD2", small)):
            np.testing.assert_array_equal(output[name].data, masker(data).bitmask)
        for name in ("DQ", "LINE", "WEIGHT"):
            np.testing.assert_array_equal(output[name].data, source[name].data)
        for name in ("CATALOG", "TEXT"):
            assert fits.TableDataDiff(output[name].data, source[name].data).identical
            assert fits.HeaderDiff(output[name].header, source[name].header).identical


@pytest.mark.parametrize(("text", "index"), [("[1]", 1), ("[2]", 2), ("[ccd1]", 2)])
def test_one_hdu_goes_into_the_primary(tmp_path, masker, text, index):
    path = write(
        tmp_path / "a.fits",
        fits.ImageHDU(IMAGE[::-1], name="DQ"),
        fits.ImageHDU(IMAGE, name="CCD1"),
    )
    (result,) = process(f"{path}{text}", masker)
    assert result.source == f"{path}[{text[1:-1]}]"
    assert Path(result.output) == tmp_path / f"a.masks{index}.fits"
    with fits.open(result.output) as output, fits.open(path) as source:
        assert len(output) == 1
        assert output[0].name == source[index].name
        expected = masker(source[index].data).bitmask
        np.testing.assert_array_equal(output[0].data, expected)


@pytest.mark.parametrize(
    ("hdu", "message"),
    [
        ("9", "a.fits has no HDU 9; it has 3, numbered from 0 to 2."),
        ("-1", "a.fits has no HDU -1; it has 3, numbered from 0 to 2."),
        ("SCI", "a.fits has no HDU SCI; it has 3, numbered from 0 to 2."),
        ("0", "a.fits[0] has no image to mask (HDU 0: it has no data)."),
        ("CATALOG", "[CATALOG] has no image to mask (HDU 2: it is not an image)."),
    ],
)
def test_one_hdu_that_cannot_be(tmp_path, masker, hdu, message):
    path = write(tmp_path / "a.fits", fits.ImageHDU(IMAGE), table())
    (result,) = process(f"{path}[{hdu}]", masker)
    assert result.status == "failed"
    assert result.message.endswith(message)
    assert names(tmp_path) == ["a.fits"]


def test_an_hdu_without_verdict_among_others(tmp_path, masker):
    path = write(tmp_path / "a.fits", fits.ImageHDU(NOTHING), fits.ImageHDU(IMAGE))
    (result,) = process(path, masker)
    assert result.status == "partial"
    assert result.message == (
        f"{path} is masked only in part: HDU 1: No verdict: every pixel is masked, "
        "NaN or infinite."
    )
    assert [hdu.action for hdu in result.hdus] == ["copied", "failed", "masked"]
    with fits.open(result.output) as output:
        assert (output[1].data == NO_DATA.bit).all()
        np.testing.assert_array_equal(output[2].data, masker(IMAGE).bitmask)


def test_a_plane_without_verdict_among_others(tmp_path, masker):
    cube = np.stack([IMAGE, np.full(IMAGE.shape, np.nan, "f4"), IMAGE[::-1]])
    fits.writeto(tmp_path / "a.fits", cube)
    (result,) = process(tmp_path / "a.fits", masker)
    assert result.status == "partial"
    assert "HDU 0: No verdict of plane 1: every pixel is" in result.message
    output = fits.getdata(result.output)
    assert (output[1] == NO_DATA.bit).all()
    for plane in (0, 2):
        np.testing.assert_array_equal(output[plane], masker(cube[plane]).bitmask)


def test_many_bad_hdus_are_summed_up(tmp_path, masker):
    path = write(tmp_path / "a.fits", *(fits.ImageHDU(NOTHING) for _ in range(5)))
    message = process(path, masker)[0].message
    assert message.count("No verdict") == 3
    assert message.endswith("; and 2 more).")


@pytest.mark.parametrize("content", ["bitmask", "masks", "probabilities"])
def test_cubes_plane_by_plane(tmp_path, masker, content):
    cube = np.stack([IMAGE, IMAGE[::-1], IMAGE // 2])
    fits.writeto(tmp_path / "a.fits", cube)
    (result,) = process(tmp_path / "a.fits", masker, content=content)
    output = fits.getdata(result.output)
    single = [masker(plane) for plane in cube]
    if content == "bitmask":
        np.testing.assert_array_equal(output, [cmap.bitmask for cmap in single])
        return
    assert output.shape == (3, 14, 64, 80)
    for plane, cmap in zip(output, single, strict=True):
        if content == "masks":
            expected = [cmap.class_mask(name) for name in cmap.classes]
        else:
            expected = cmap.probability_planes
        np.testing.assert_array_equal(plane, expected)
