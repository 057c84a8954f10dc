"""
What models find on real exposures, and what they find where nothing is.

Truth is from planes of pipelines, from other exposures of the same camera, and
from marks made by hand (see ``real_truth.py``)::

    python benchmarks/real.py DATA --models maximask-1.4.1 \
        --output benchmarks/output/real.txt --figure docs/_static/real_sheet.png

Models have their default priors and thresholds. LA Cosmic (astroscrappy) has
its defaults with the gain and the read noise of the camera, and its masks are
dilated by 3 by 3 pixels, as the labels are that networks learn from. The exit
code is 0 whatever is found.
"""

import sys
import warnings
from collections import defaultdict
from pathlib import Path

import astroscrappy
import numpy as np
import shared
from astropy.utils.exceptions import AstropyWarning
from pictures import save_picture
from real_truth import all_truths, box_of, read_image, read_marks
from scipy.ndimage import binary_dilation

from maximask_astro.background import estimate_background
from maximask_astro.flags import CLASSES
from maximask_astro.masking import ContaminantMasker

LACOSMIC = "LA Cosmic"

# Electrons a count, and electrons of read noise: from the headers, which do not
# say the read noise of Euler, GMOS and HSC; that is assumed.
CAMERAS = {
    "hst_wfc3uvis_pluto1.fits": (1.0, 3.1),
    "saao_ste3_raw.fits": (1.9, 5.0),
    "euler_ngc2024_cr.fits": (1.84, 10.0),
    "cfht_mega_cr.fits": (1.55, 4.0),
    "cfht_mega_b.fits": (1.65, 4.0),
    "gmosn_cr.fits": (1.0, 4.0),
    "lco_sinistro_dark900s.fits.fz": (2.0, 14.8),
    "lco_sinistro_raw_I60s.fits.fz": (3.3, 14.9),
    "decam_cp_cr_img.fits": (3.9, 6.0),
    "decam_cp_badcol_img.fits": (3.9, 6.0),
    "hsc_raw_trail.fits": (3.2, 4.5),
}

# What has to be found: label, file, class.
WANTED = (
    ("cosmic ray of the DECam plane", "decam_cp_cr_img.fits", "CR"),
    ("cosmic rays of the HST frame", "hst_wfc3uvis_pluto1.fits", "CR"),
    ("trail of HSC", "hsc_raw_trail.fits", "TRL"),
    ("trail of VATT", "vatt4k_trail.fits", "TRL"),
    ("saturated star, DECam 1", "decam_cp_sat1_img.fits", "SAT"),
    ("saturated star, DECam 2", "decam_cp_sat2_img.fits", "SAT"),
    ("saturated star, DECam 3", "decam_cp_sat3_img.fits", "SAT"),
    ("saturation, DECam raw", "decam_raw_62x100.fits.fz", "SAT"),
    ("overscan, HSC", "hsc_raw_trail.fits", "OV"),
    ("overscan, SAAO", "saao_ste3_raw.fits", "OV"),
    ("overscan, DECam raw", "decam_raw_62x100.fits.fz", "OV"),
    ("overscan, LCO 15 s", "lco_sinistro_raw_i15s.fits.fz", "OV"),
    ("overscan, LCO 60 s", "lco_sinistro_raw_I60s.fits.fz", "OV"),
    ("overscan, LCO dark", "lco_sinistro_dark900s.fits.fz", "OV"),
    ("overscan, LCO 4 amplifiers", "lco_fa05_mef_raw.fits", "OV"),
)
WANTED_FRACTION, LARGEST_RATE = 0.9, 1e-3

# Panels of the contact sheet: file, HDU, and x and y from and to (None: all).
SHEET = (
    ("hst_wfc3uvis_pluto1.fits", 1, (0, 256, 0, 256)),
    ("saao_ste3_raw.fits", 0, None),
    ("decam_cp_cr_img.fits", 1, None),
    ("gmosn_cr.fits", 0, (0, 168, 250, 400)),
    ("hsc_raw_trail.fits", 0, None),
    ("vatt4k_trail.fits", 0, None),
    ("decam_raw_62x100.fits.fz", 33, None),
    ("decam_raw_62x100.fits.fz", 41, None),
    ("decam_cp_sat2_img.fits", 1, None),
    ("apogee_eso085_a.fit", 0, (100, 500, 282, 682)),
    ("aspen_kelt16_hotcol.fit.gz", 0, None),
    ("sdss_frame_i.fits", 0, None),
    ("cfht_mega_b.fits", 0, None),
    ("decam_cp_halo_img.fits", 1, None),
    ("ukirt_wfcam_K_nebula.fits", 1, None),
    ("irac_ngc2264.fits", 0, None),
)

UNUSABLE = tuple(flag.abbreviation for flag in CLASSES if flag.unusable)


class LACosmic:
    """LA Cosmic, answering as a map does: it finds cosmic rays only."""

    def __call__(self, image, file):
        """Where cosmic rays are, or None for a camera that is not known."""
        if file not in CAMERAS:
            return None
        gain, read_noise = CAMERAS[file]
        level, rms = estimate_background(image)
        # The sky that makes its noise model agree with the measured noise.
        noise = gain * float(np.median(rms))
        read_noise = min(read_noise, noise)
        sky = noise**2 - read_noise**2
        found, _ = astroscrappy.detect_cosmics(
            (gain * (image - level) + sky).astype(np.float32),
            gain=1.0,
            readnoise=read_noise,
            satlevel=np.inf,
        )
        # The truths, and what networks learn from, include the pixels around.
        return {"CR": binary_dilation(found, np.ones((3, 3)))}


class Model:
    """A model at its default priors and thresholds."""

    def __init__(self, name):
        self.masker = ContaminantMasker(name, keep_probabilities=False)
        self.card = self.masker.model_card

    def __call__(self, image, file):
        """Where each class is, by abbreviation."""
        found = self.masker(image)
        return {name: found.class_mask(name) for name in found.classes}


class Answers:
    """What each method finds on each image, computed once."""

    def __init__(self, data, models):
        self.data = data
        self.methods = {model.card.name: model for model in models}
        self.methods[LACOSMIC] = LACosmic()
        self._kept = {}

    def image(self, file, hdu):
        """One image, as floats."""
        return read_image(self.data, file, hdu).astype(np.float32)

    def __call__(self, method, file, hdu):
        """Masks by class, or None if the method does not know the camera."""
        key = method, file, hdu
        if key not in self._kept:
            self._kept[key] = self.methods[method](self.image(file, hdu), file)
        return self._kept[key]


def union(masks, names, shape):
    """Where any of the classes is found."""
    found = np.zeros(shape, bool)
    for name in names:
        if name in masks:
            found |= masks[name]
    return found


def measure(truth, masks):
    """
    How much of a truth is found.

    Returns
    -------
    counts : `~numpy.ndarray`
        Pixels, those found, those of any unusable class; parts (objects or
        steps), and those of which at least half the pixels are found.
    """
    shape = truth.parts.shape
    inside = truth.parts > 0
    right = union(masks, truth.classes.split("/"), shape) & inside
    unusable = union(masks, UNUSABLE, shape) & inside
    sizes = np.bincount(truth.parts[inside])
    hits = np.bincount(truth.parts[right], minlength=len(sizes))
    parts = sizes > 0
    return np.array(
        [
            inside.sum(),
            right.sum(),
            unusable.sum(),
            parts.sum(),
            (parts & (2 * hits >= sizes)).sum(),
        ]
    )


def completeness(answers, truths):
    """Counts of `measure`, by file, classes, unit and source, for each method."""
    results = defaultdict(dict)
    for truth in truths:
        key = truth.file, truth.classes, truth.unit, truth.source
        for method in answers.methods:
            if method == LACOSMIC and truth.classes != "CR":
                continue
            masks = answers(method, truth.file, truth.hdu)
            if masks is not None:
                counts = measure(truth, masks)
                results[key][method] = results[key].get(method, 0) + counts
    return results


def print_completeness(results, methods):
    """One row a file and class."""
    print("Found of what is there: pixels called so (and called anything unusable);")
    print("parts (objects, or steps of one pixel along a line) at least half found")
    head = "".join(f"{name[:22]:>26}" for name in methods)
    print(f"  {'exposure':<33} {'class':<10}{'truth':<7}{'pixels':>8}{head}")
    order = {name: index for index, name in enumerate(["CR", "HP", *UNUSABLE])}
    keys = sorted(results, key=lambda k: (order.get(k[1].split("/")[0], 99), k))
    for key in keys:
        file, classes, unit, source = key
        found = results[key]
        columns = []
        for method in methods:
            if method not in found:
                columns.append(f"{'-':>26}")
                continue
            pixels, right, unusable, parts, hits = found[method]
            text = f"{right / pixels:.3f} ({unusable / pixels:.3f})"
            if unit:
                text += f" {hits:>4}/{parts:<4}"
            columns.append(f"{text:>26}" if unit else f"{text:>16}{'':10}")
        pixels = next(iter(found.values()))[0]
        line = f"  {file:<33} {classes:<10}{source:<7}{pixels:>8}{''.join(columns)}"
        print(line.rstrip())
    print()


def false_alarms(answers):
    """Pixels of controls, and those flagged by class, by group and file."""
    results = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for row in read_marks("controls"):
        file, hdu = row["file"], int(row["hdu"])
        box = box_of(row)
        for method in answers.methods:
            masks = answers(method, file, hdu)
            if masks is None:
                continue
            counts = results[row["class"], file][method]
            shape = next(iter(masks.values())).shape
            flagged = union(masks, UNUSABLE, shape)[box]
            counts["pixels"] += flagged.size
            counts["any"] += int(flagged.sum())
            for name in masks.keys() & set(UNUSABLE):
                counts[name] += int(masks[name][box].sum())
    return results


def print_false_alarms(results, methods):
    """One row a file and method."""
    print("False alarms: fraction of the pixels of a control flagged as unusable,")
    print("and the classes with the most of them")
    print(f"  {'group':<8} {'exposure':<30} {'method':<22} {'pixels':>7} {'rate':>9}")
    for (group, file), by_method in results.items():
        for method in methods:
            if method not in by_method:
                continue
            counts = by_method[method]
            classes = sorted(UNUSABLE, key=lambda name: -counts[name])[:3]
            classes = [
                f"{name} {counts[name] / counts['pixels']:.1e}"
                for name in classes
                if counts[name]
            ]
            rate = counts["any"] / counts["pixels"]
            line = (
                f"  {group:<8} {file:<30} {method[:22]:<22} {counts['pixels']:>7} "
                f"{rate:>9.1e}  {', '.join(classes)}"
            )
            print(line.rstrip())
    print()


def print_verdicts(found, alarms, models):
    """Whether what has to be found is found, and what is clean left alone."""
    print("What the library's model has to do: at least 90% of the marked pixels or")
    print("of the length, and a false-positive rate of at most 1e-3 on clean controls")
    for name in models:
        print(f"  {name}")
        for label, file, wanted in WANTED:
            best, parts = 0.0, ""
            for (other, classes, unit, source), counts in found.items():
                if (other, classes) == (file, wanted) and source != "around":
                    pixels, right, _, n_parts, hits = counts[name]
                    best, parts = right / pixels, f"pixels {right / pixels:.3f}"
                    if unit == "length":
                        best = max(best, hits / n_parts)
                        parts += f", length {hits / n_parts:.3f}"
            verdict = "PASS" if best >= WANTED_FRACTION else "FAIL"
            print(f"    {verdict}  {label:<34} {parts}")
        rates = {}
        flagged = pixels = 0
        for (group, file), by_method in alarms.items():
            if group == "clean":
                counts = by_method[name]
                rates[file] = counts["any"] / counts["pixels"]
                flagged += counts["any"]
                pixels += counts["pixels"]
        worst = max(rates, key=rates.get)
        for label, rate in (
            ("false alarms, clean controls", flagged / pixels),
            (f"the worst: {worst}", rates[worst]),
        ):
            verdict = "PASS" if rate <= LARGEST_RATE else "FAIL"
            print(f"    {verdict}  {label:<34} {rate:.1e}")
    print()


def outline(ax, answers, file, hdu):
    """Draw the marks of an image."""
    from matplotlib.patches import Circle, Polygon, Rectangle

    rows = [row for name in ("cosmic_rays", "shapes", "controls")
            for row in read_marks(name)
            if (row["file"], row["hdu"]) == (file, hdu)]  # fmt: skip
    for row in rows:
        style = {"fill": False, "lw": 0.7, "ec": "#ffe119"}
        if "remark" in row.colnames and row["class"] in ("clean", "halo", "nebula"):
            style = {"fill": False, "lw": 0.9, "ec": "#42d4f4", "ls": ":"}
        start = np.array([row["x0"], row["y0"]], float)
        if row["shape"] == "blob":
            ax.add_patch(Circle(start, row["size"], **style))
            continue
        end = np.array([row["x1"], row["y1"]], float)
        if row["shape"] == "line":
            along = (end - start) / np.hypot(*(end - start))
            side = row["size"] / 2 * np.array([-along[1], along[0]])
            corners = [start + side, end + side, end - side, start - side]
            ax.add_patch(Polygon(corners, **style))
        else:
            ax.add_patch(Rectangle(start - 0.5, *(end - start), **style))


def draw_sheet(answers, models, path):
    """Images with the marks outlined and what each model finds in color."""
    from astropy.visualization import ZScaleInterval
    from matplotlib import pyplot as plt
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    flags = [flag for flag in CLASSES if flag.unusable or flag.abbreviation == "NEB"]
    n_columns = 4 * len(models)
    n_rows = -(-len(SHEET) // 4)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(2.0 * n_columns, 2.2 * n_rows + 0.4),
        layout="constrained",
    )  # fmt: skip
    panels = [(entry, name) for entry in SHEET for name in models]
    for ax, ((file, hdu, part), name) in zip(axes.ravel(), panels, strict=False):
        image = answers.image(file, hdu)
        low, high = ZScaleInterval().get_limits(image[np.isfinite(image)])
        stretched = np.arcsinh(4 * (image - low) / (high - low))
        ax.imshow(stretched, origin="lower", cmap="gray", vmin=0, vmax=2.5)
        overlay = np.zeros((*image.shape, 4))
        masks = answers(name, file, hdu)
        for flag in sorted(flags, key=lambda f: -masks[f.abbreviation].sum()):
            overlay[masks[flag.abbreviation]] = (*to_rgb(flag.color), 0.6)
        ax.imshow(overlay, origin="lower")
        outline(ax, answers, file, hdu)
        if part is None:
            part = (0, image.shape[1], 0, image.shape[0])
        ax.set(xlim=(part[0] - 0.5, part[1] - 0.5), ylim=(part[2] - 0.5, part[3] - 0.5))
        ax.set_title(f"{file.split('.')[0]}\n{name}", fontsize=5.5)
    for ax in axes.ravel():
        ax.axis("off")
    handles = [Patch(color=flag.color, label=flag.abbreviation) for flag in flags]
    figure.legend(handles=handles, loc="outside lower center", ncols=13, fontsize=7)
    save_picture(figure, path)


def main(args):
    """Measure and print."""
    warnings.simplefilter("ignore", AstropyWarning)  # headers of old files
    models = [Model(name) for name in args.models]
    shared.print_header("Real exposures", models)
    answers = Answers(args.data, models)
    truths = list(all_truths(args.data))
    if args.number is not None:
        truths = truths[: args.number]
    found = completeness(answers, truths)
    names = list(answers.methods)
    print_completeness(found, names)
    if args.number is None:
        alarms = false_alarms(answers)
        print_false_alarms(alarms, names)
        print_verdicts(found, alarms, names[:-1])
    if args.figure is not None:
        draw_sheet(answers, names[:-1], args.figure)
    return 0


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=None)
    parser.add_argument("data", type=Path, help="directory of real exposures")
    args = parser.parse_args()
    sys.exit(shared.run(main, args))
