"""
Tracking errors on real exposures.

    python benchmarks/tracking_real.py DATA --output benchmarks/output/tracking/real.txt

DATA is the directory of real exposures, by default ``$MAXIMASK_ASTRO_TEST_DATA``.
Frames of one camera and field were sorted by eye into good, middling and bad ones;
of the other exposures, one was made following a moving target.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import shared
from astropy.stats import sigma_clipped_stats
from photutils.segmentation import SourceCatalog, detect_sources
from scipy.ndimage import gaussian_filter

from maximask_astro.batch import judge
from maximask_astro.batch.fits_files import open_fits, read_image
from maximask_astro.tracking import DEFAULT_TRACKING_MODEL, TrackingClassifier

PUBLISHED = "maxitrack-1.4.1"

# By time of the exposure, in the names of the files.
SEQUENCE = {
    "good": ("013612", "020912", "025112", "030312", "052712", "081212"),
    "middling": ("025712", "042712", "060012", "062112"),
    "bad": ("015713", "025412", "035412", "050612", "061812", "064212", "072412"),
}

TRAILED = ("hst_wfc3uvis_pluto1.fits",)

# With stars, and tracked.
TRACKED = (
    "2mass_gc_k.fits",
    "apogee_eso085_a.fit",
    "asi1600_defocus.fits[0]",
    "cfht_mega_b.fits",
    "euler_ngc2024_cr.fits",
    "hsc_m31_mask.fits[1]",
    "irac_ngc2264.fits",
    "lco_fa05_mef_raw.fits",
    "lco_sinistro_raw_I60s.fits.fz",
    "lco_sinistro_raw_i15s.fits.fz",
    "orion_m13_5s.fits",
    "panoptes_bayer.fits",
    "saao_ste3_raw.fits",
    "sdss_frame_i.fits",
    "ukirt_wfcam_K_nebula.fits",
)

# Without enough stars: a dark, a bias, a flat, small cut-outs.
STARLESS = (
    "lco_sinistro_dark900s.fits.fz",
    "lco_sinistro_bias.fits.fz",
    "lco_sinistro_Yflat_fringe.fits.fz",
    "aspen_dark90_comb.fit.gz",
    "vatt4k_trail.fits",
    "cfht_mega_cr.fits",
    "decam_cp_sat1_img.fits",
    "gmosn_cr.fits",
    "lbcb_raw4.fits",
    "hsc_raw_trail.fits",
)


def second_moments(image):
    """Length and angle of the blur from the second moments of stars."""
    _, sky, noise = sigma_clipped_stats(image, sigma=3)
    smooth = gaussian_filter(image - sky, 1.5)
    segments = detect_sources(smooth, 2.0 * noise, 12)
    catalog = SourceCatalog(image - sky, segments)
    peak = catalog.max_value
    stars = catalog[(peak > 8 * noise) & (peak < 0.5 * image.max())]
    major, minor = (
        np.asarray(sigma.value)
        for sigma in (stars.semimajor_axis, stars.semiminor_axis)
    )
    angle = np.radians(stars.orientation.to_value("deg"))
    # A uniform drift adds its length squared over 12 along its axis.
    excess = major**2 - minor**2
    cos, sin = (
        np.median(excess * np.cos(2 * angle)),
        np.median(excess * np.sin(2 * angle)),
    )
    length = np.sqrt(12 * np.hypot(cos, sin))
    return length, np.degrees(np.arctan2(sin, cos)) / 2 % 180, len(major)


def verdict(classifier, path):
    """What the first exposure of a file is like; a note if there is no verdict."""
    (found,) = judge([str(path)], classifier)
    for exposure in found.exposures:
        if exposure.result is not None:
            return exposure.result, ""
    return None, "no verdict"


def cell(result):
    """Verdict, probability and scatter."""
    if result is None:
        return f"{'undecided':>10s} {'':>7s} {'':>8s}"
    return f"{result.verdict:>10s} {result.probability:7.4f} {result.evidence:8.2f}"


def is_undecided(result):
    return result is None or result.verdict == "undecided"


def print_rows(classifiers, data, names, folder="exposures"):
    """A row an exposure; results by model and name."""
    results = {}
    for name in names:
        found = {m: verdict(c, data / folder / name)[0] for m, c in classifiers.items()}
        results[name] = found
        first = next(iter(found.values()))
        blur = ""
        if first is not None and first.is_decided:
            blur = f"  {first.blur_length.value:6.2f} {first.blur_angle.value:5.0f}"
            blur += f"  {first.n_tiles:3d}"
        print(f"  {name:31s}" + " ".join(cell(r) for r in found.values()) + blur)
    return results


def main(args):
    """Judge everything and compare with what is known."""
    classifiers = {}
    for model in args.models:
        classifier = TrackingClassifier(model)
        classifiers[classifier.model_card.name] = classifier
    shared.print_header(
        "Tracking on real exposures: verdict, probability (prior 0.05), evidence",
        [classifier._model for classifier in classifiers.values()],
    )
    ours = next(iter(classifiers))
    print(f"{'':33s}" + "".join(f"{name:>28s}" for name in classifiers)
          + "  blur: pix, deg, tiles")  # fmt: skip
    sequence, moments = {}, {}
    for quality, times in SEQUENCE.items():
        print(f"One camera, one field: {quality}")
        names = [f"exotic_{time}.fits" for time in times]
        sequence[quality] = print_rows(classifiers, args.data, names)
        for name in names:
            path = args.data / "exposures" / name
            with open_fits(path) as file:
                image = np.asarray(read_image(file[0], path, 0), float)
            moments[name] = quality, *second_moments(image)
    print("Following a moving target")
    trailed = print_rows(classifiers, args.data, TRAILED)
    print("Tracked, with stars")
    tracked = print_rows(classifiers, args.data, TRACKED)
    print("Without enough stars")
    starless = print_rows(classifiers, args.data, STARLESS)

    print("\nBlur against the second moments of stars (photutils), bad frames:")
    print(f"  {'':22s} {'stars':>5s} {'moments':>16s} {'network':>16s}")
    lengths, turns = [], []
    for name, (quality, length, angle, number) in moments.items():
        result = sequence[quality][name][ours]
        if quality != "bad" or is_undecided(result):
            continue
        found = result.blur_length.value, result.blur_angle.value
        print(f"  {name:22s} {number:5d} {length:8.2f} {angle:5.0f} deg "
              f"{found[0]:8.2f} {found[1]:5.0f} deg")  # fmt: skip
        lengths.append(abs(found[0] / length - 1))
        turns.append(abs((found[1] - angle + 90) % 180 - 90))
    if lengths:
        print(f"  median difference: length {np.median(lengths):.1%}, angle "
              f"{np.median(turns):.1f} deg")  # fmt: skip

    for name in classifiers:
        print(f"\n{name}")
        evidence = {
            quality: [
                -np.inf if is_undecided(r[name]) else r[name].evidence
                for r in rows.values()
            ]
            for quality, rows in sequence.items()
        }
        checks = (
            (
                "every bad frame above every good one",
                min(evidence["bad"]) > max(evidence["good"]),
            ),
            (
                "the middling between, in the median",
                np.median(evidence["good"])
                < np.median(evidence["middling"])
                < np.median(evidence["bad"]),
            ),
            (
                "the trailed exposure is bad",
                all(
                    r[name] is not None and r[name].verdict == "affected"
                    for r in trailed.values()
                ),
            ),
            (
                "no tracked exposure is called bad",
                not any(
                    r[name] is not None and r[name].verdict == "affected"
                    for r in tracked.values()
                ),
            ),
            (
                "those without enough stars are undecided",
                all(is_undecided(r[name]) for r in starless.values()),
            ),
        )
        for label, value in checks:
            print(f"  {label:<66s} {'met' if value else 'NOT MET'}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = shared.make_parser(__doc__, number=0)
    parser.set_defaults(models=[DEFAULT_TRACKING_MODEL, PUBLISHED])
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the directory of exposures")
    shared.run(main, arguments)
