"""The model that comes with the package, on simulated and on real exposures."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maximask_astro import TrackingClassifier
from maximask_astro.batch import judge
from maximask_astro.tracking import DEFAULT_TRACKING_MODEL
from maximask_astro.weights import verify_model

GOOD = ("013612", "020912", "025112", "030312", "052712", "081212")
BAD = ("015713", "025412", "035412", "050612", "061812", "064212", "072412")


@pytest.fixture(scope="module")
def classifier():
    return TrackingClassifier()


def expose(length=0.0, angle=0.0, n_stars=250, shape=(512, 512)):
    """Stars that drift by so many pixels."""
    random = np.random.default_rng(4)
    rows, columns = random.uniform(0, 1, (2, n_stars)) * np.reshape(shape, (2, 1))
    flux = np.minimum(3000 * random.pareto(1.0, n_stars), 1e6)
    way = np.linspace(-0.5, 0.5, 80) * length
    rows = np.add.outer(way * np.sin(np.radians(angle)), rows)
    columns = np.add.outer(way * np.cos(np.radians(angle)), columns)
    edges = [np.arange(size + 1) for size in shape]
    weights = np.tile(flux / 80, 80)
    light, *_ = np.histogram2d(rows.ravel(), columns.ravel(), edges, weights=weights)
    return random.poisson(gaussian_filter(light, 1.4) + 400).astype("f4")


def test_it_verifies():
    assert verify_model(DEFAULT_TRACKING_MODEL).passed


@pytest.mark.parametrize("angle", [20.0, 110.0])
def test_a_drift_is_found_and_measured(classifier, angle):
    result = classifier(expose(12.0, angle))
    assert result.verdict == "affected"
    assert result.blur_length.value == pytest.approx(12, rel=0.3)
    assert abs((result.blur_angle.value - angle + 90) % 180 - 90) < 10


def test_sharp_stars_are_tracked_and_an_empty_sky_is_undecided(classifier):
    assert classifier(expose()).verdict == "tracked"
    assert classifier(expose(n_stars=0)).verdict == "undecided"


def test_an_empty_ccd_changes_little(classifier):
    drifted, empty = expose(12.0), expose(n_stars=0)
    alone, mosaic = classifier(drifted), classifier([drifted, empty])
    assert mosaic.verdict == "affected"
    assert mosaic.images[1].verdict == "undecided"
    assert mosaic.evidence == pytest.approx(alone.evidence, rel=0.2)


@pytest.mark.real_data
def test_real_exposures(classifier, real_data):
    folder = real_data / "exposures"

    def evidence(times):
        files = [str(folder / f"exotic_{time}.fits") for time in times]
        return [
            verdict.exposures[0].result.evidence for verdict in judge(files, classifier)
        ]

    assert min(evidence(BAD)) > max(evidence(GOOD))
    trailed, dark = judge(
        [
            str(folder / "hst_wfc3uvis_pluto1.fits"),
            str(folder / "lco_sinistro_dark900s.fits.fz"),
        ],
        classifier,
    )
    assert trailed.exposures[0].result.verdict == "affected"
    assert dark.exposures[0].result.verdict == "undecided"
