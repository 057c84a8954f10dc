import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from maximask_astro import TrackingClassifier
from maximask_astro.batch import judge
from maximask_astro.batch.tests.bad_files import BAD_FILES, write_bad_file
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.tests.tracking_models import tiny_tracking_model

IMAGE = make_exposure((64, 80)).astype("i2")
OTHER = IMAGE[::-1].copy()
NOTHING = np.full(IMAGE.shape, np.nan, "f4")
SMALL = IMAGE[:20, :30].copy()


def write(path, *images, names=(None,) * 9):
    """A file with an image in each extension."""
    hdus = [
        fits.ImageHDU(image, name=name)
        for image, name in zip(images, names, strict=False)
    ]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def judge_one(path, classifier, **kwargs):
    (verdict,) = judge(path, classifier, **kwargs)
    return verdict


def summaries(verdict):
    return [exposure.result.summary() for exposure in verdict.exposures]


@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
def test_an_image(tmp_path, classifier, suffix):
    path = tmp_path / f"a.{suffix}"
    fits.writeto(path, IMAGE)
    verdict = judge_one(path, classifier)
    assert (verdict.source, verdict.status, verdict.message) == (
        str(path),
        "judged",
        "",
    )
    assert verdict.ok
    (exposure,) = verdict.exposures
    assert (exposure.hdus, exposure.hdu, exposure.channel) == ((0,), 0, None)
    assert (exposure.status, exposure.problems) == ("judged", ())
    assert exposure.result.summary() == classifier(IMAGE).summary()


def test_images_of_a_file_are_one_exposure(tmp_path, classifier):
    names = ("CCD1", "ERR", "CCD2", "DQ")
    path = write(tmp_path / "a.fits", IMAGE, IMAGE, OTHER, SMALL, names=names)
    verdict = judge_one(path, classifier)
    assert (verdict.status, verdict.message) == ("judged", "")
    (exposure,) = verdict.exposures
    assert (exposure.hdus, exposure.hdu) == ((1, 3), None)
    assert exposure.result.summary() == classifier([IMAGE, OTHER]).summary()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (NOTHING, "every pixel is masked, NaN or infinite"),
        (np.zeros_like(IMAGE), "every pixel with a value is 0"),
        (SMALL, "the image has 20 x 30 pixels, and at least 32 x 32 are needed"),
        (
            np.where(np.arange(80) < 60, np.nan, IMAGE),
            "no tile has enough pixels with a value",
        ),
    ],
)
def test_an_image_that_says_nothing(tmp_path, classifier, image, reason):
    """Alone it is a failure, among others it is not."""
    path = write(tmp_path / "a.fits", image)
    verdict = judge_one(path, classifier)
    assert (verdict.status, verdict.exposures) == ("failed", ())
    assert verdict.message == f"{path} has no image to judge (HDU 1: {reason})."
    path = write(tmp_path / "b.fits", IMAGE, image, OTHER)
    verdict = judge_one(path, classifier)
    assert (verdict.status, verdict.ok) == ("judged", True)
    assert verdict.message == (
        f"{path} is judged without some of its images: HDU 2: {reason}."
    )
    (exposure,) = verdict.exposures
    assert exposure.hdus == (1, 2, 3)
    assert exposure.result.evidence == classifier([IMAGE, OTHER]).evidence


def test_many_bad_images_are_summed_up(tmp_path, classifier):
    path = write(tmp_path / "a.fits", *[SMALL] * 5)
    message = judge_one(path, classifier).message
    assert message.count("20 x 30 pixels") == 3
    assert message.endswith("; and 2 more).")


@pytest.fixture
def damaged(tmp_path):
    """A file with an image, and a compressed one that was damaged."""
    path = tmp_path / "a.fits"
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(IMAGE), fits.ImageHDU(OTHER)]
    fits.HDUList(hdus).writeto(path)
    with fits.open(path) as file:
        pixels = file.fileinfo(1)["datLoc"] + 8 * len(IMAGE)  # after a table of rows
    content = bytearray(path.read_bytes())
    content[pixels : pixels + 600] = b"\xff" * 600
    path.write_bytes(content)
    return path


def test_an_hdu_that_is_damaged(damaged, classifier):
    verdict = judge_one(damaged, classifier)
    assert verdict.status == "partial"
    assert verdict.message.startswith(
        f"{damaged} is judged only in part: HDU 1 of {damaged} cannot be read, it may "
    )
    (exposure,) = verdict.exposures
    assert (exposure.hdus, exposure.status) == ((2,), "partial")
    assert exposure.result.summary() == classifier(OTHER).summary()


def test_only_damaged_hdus(damaged, classifier):
    verdict = judge_one(f"{damaged}[1]", classifier)
    assert verdict.status == "failed"
    assert verdict.message.startswith(
        f"{damaged}[1] has no image to judge (HDU 1 of {damaged} cannot be read, it may"
    )


def test_channels_of_a_cube_are_exposures(tmp_path, classifier):
    cube = np.stack([IMAGE, OTHER, IMAGE // 2])
    path = write(tmp_path / "a.fits", cube, IMAGE)
    verdict = judge_one(path, classifier)
    assert (verdict.status, verdict.message) == ("judged", "")
    where = [(each.hdus, each.channel) for each in verdict.exposures]
    assert where == [((2,), None), ((1,), 0), ((1,), 1), ((1,), 2)]
    single = [classifier(image).summary() for image in (IMAGE, *cube)]
    assert summaries(verdict) == single
    assert single[1] != single[2]


def test_a_channel_that_says_nothing(tmp_path, classifier):
    cube = np.stack([IMAGE, NOTHING, OTHER])
    path = write(tmp_path / "a.fits", cube)
    verdict = judge_one(path, classifier)
    reason = "HDU 1, channel 1: every pixel is masked, NaN or infinite"
    assert (verdict.status, verdict.ok) == ("partial", False)
    assert verdict.message == f"{path} is judged only in part: {reason}."
    first, second, third = verdict.exposures
    assert first.result.summary() == classifier(cube[0]).summary()
    assert third.result.summary() == classifier(cube[2]).summary()
    assert (second.status, second.result) == ("failed", None)
    assert (second.channel, second.problems) == (1, (reason,))


def test_a_cube_with_one_plane_is_an_image(tmp_path, classifier):
    path = write(tmp_path / "a.fits", IMAGE[None], OTHER)
    (exposure,) = judge_one(path, classifier).exposures
    assert (exposure.hdus, exposure.channel) == ((1, 2), None)
    assert exposure.result.summary() == classifier([IMAGE, OTHER]).summary()


@pytest.mark.parametrize(("text", "index"), [("[1]", 1), ("[2]", 2), ("[dq]", 2)])
def test_one_hdu(tmp_path, classifier, text, index):
    path = write(tmp_path / "a.fits", IMAGE, OTHER, names=("SCI", "DQ"))
    verdict = judge_one(f"{path}{text}", classifier)
    assert verdict.source == f"{path}[{text[1:-1]}]"
    (exposure,) = verdict.exposures
    assert exposure.hdu == index
    image = (IMAGE, OTHER)[index - 1]
    assert exposure.result.summary() == classifier(image).summary()


def test_too_few_stars_are_no_failure(tmp_path):
    path = write(tmp_path / "a.fits", IMAGE)
    verdict = judge_one(path, TrackingClassifier(tiny_tracking_model(usable=-6.0)))
    assert (verdict.status, verdict.message, verdict.ok) == ("judged", "", True)
    (exposure,) = verdict.exposures
    assert exposure.result.verdict == "undecided"


def test_directories_and_lists(tmp_path, classifier):
    write(tmp_path / "b.fits", IMAGE)
    fits.CompImageHDU(OTHER).writeto(tmp_path / "a.fits.fz")
    write(tmp_path / "a_dq.fits", IMAGE)
    write(tmp_path / "b_dq.fits", IMAGE, names=("SCI",))
    verdicts = judge(tmp_path, classifier)
    found = [(Path(verdict.source).name, verdict.status) for verdict in verdicts]
    assert found == [
        ("a.fits.fz", "judged"),
        ("a_dq.fits", "skipped"),
        ("b.fits", "judged"),
        ("b_dq.fits", "judged"),
    ]
    path = tmp_path / "a_dq.fits"
    assert verdicts[1].message == f"{path} is auxiliary by its name (*_dq.*)."
    (tmp_path / "some.list").write_text("b.fits[1]\nlost.fits\n")
    first, second = judge(tmp_path / "some.list", classifier)
    assert (first.source, first.status) == (str(tmp_path / "b.fits[1]"), "judged")
    assert (second.source, second.status) == ("lost.fits", "failed")
    assert "does not exist." in second.message


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named(tmp_path, classifier, name):
    path = write_bad_file(name, tmp_path)
    verdict = judge_one(path, classifier)
    assert (verdict.status, verdict.exposures) == ("failed", ())
    assert str(path) in verdict.message
    reason = BAD_FILES[name][1].replace("to mask", "to judge")
    assert reason.replace("No verdict: ", "") in verdict.message
    assert verdict.message.endswith(".")
    assert "\n" not in verdict.message


def test_bad_files_do_not_stop_the_others(tmp_path, classifier):
    paths = [write_bad_file("text.fits", tmp_path), tmp_path / "lost.fits"]
    paths.append(write(tmp_path / "a.fits", IMAGE))
    calls = []
    verdicts = judge(paths, classifier, on_result=lambda *call: calls.append(call))
    assert [verdict.status for verdict in verdicts] == ["failed", "failed", "judged"]
    assert calls == [(n, 3, verdict) for n, verdict in enumerate(verdicts, start=1)]


def test_an_unexpected_error_does_not_stop_the_others(tmp_path, classifier):
    path = write(tmp_path / "a.fits", IMAGE)
    other = Path(shutil.copy(path, tmp_path / "b.fits"))

    calls = []

    def unlucky(images):
        calls.append(images)
        if len(calls) == 1:
            raise RuntimeError("the network has a bad day.")
        return classifier(images)

    first, second = judge([path, other], unlucky)
    assert (first.status, second.status) == ("failed", "judged")
    assert first.message == (
        f"{path} could not be processed (RuntimeError: the network has a bad day)."
    )


def test_warnings_of_others_get_through(tmp_path, classifier):
    def chatty(images):
        import warnings

        warnings.warn("by the way", AstropyUserWarning, stacklevel=1)
        return classifier(images)

    path = write(tmp_path / "a.fits", IMAGE)
    with pytest.warns(AstropyUserWarning, match="by the way"):
        assert judge_one(path, chatty).status == "judged"


@pytest.mark.parametrize(
    ("fraction", "number"), [(1, 8), (0.5, 4), (0.3, 2), (0.01, 1)]
)
def test_some_of_the_hdus(tmp_path, classifier, fraction, number):
    path = write(tmp_path / "a.fits", *[IMAGE, OTHER] * 4)
    verdicts = [judge_one(path, classifier, hdu_fraction=fraction) for _ in range(2)]
    (hdus,) = {verdict.exposures[0].hdus for verdict in verdicts}
    assert len(set(hdus)) == number
    assert set(hdus) <= set(range(1, 9))
    assert hdus == tuple(sorted(hdus))


@pytest.mark.parametrize("fraction", [0, -1, 1.01, np.nan])
def test_a_fraction_that_cannot_be(tmp_path, classifier, fraction):
    with pytest.raises(ValueError, match=r"hdu_fraction must be in \(0, 1\], not"):
        judge(tmp_path, classifier, hdu_fraction=fraction)
