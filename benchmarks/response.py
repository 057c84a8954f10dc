"""
Completeness against strength, on contaminants that the simulation did not make.

Each class has a table: rows are kinds and sizes of a contaminant, columns its
strength; an entry is the fraction of the contaminant's pixels that are called so at
the default priors and thresholds, on average over a few skies. Shapes are the same
at all strengths. Beside it, false alarms of the class on the same skies without
any contaminant, and what else the contaminant's pixels are called::

    python benchmarks/response.py DATA --published 2 \
        --output benchmarks/output/response.txt \
        --figure docs/_static/benchmark_response.png

DATA is the directory of real data, by default ``$MAXIMASK_ASTRO_TEST_DATA``:
fringes have one kind less without it. ``--published`` says on how many of the
skies the published network is measured, too, which takes ten times as long; it
has to be installed (``maximask-astro weights install maximask-1.4.1``). See
``response_light.py``, ``response_detector.py``, and ``response_stars.py`` for what
is drawn, ``response_sky.py`` for the skies.
"""

import argparse
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import shared
from response_detector import detector_kinds
from response_light import light_kinds, read_fringes
from response_sky import make_sky
from response_stars import FWHMS, RADII, rings, sharp_stars
from tqdm import tqdm

from maximask_astro.flags import CLASSES
from maximask_astro.masking import DEFAULT_MODEL, ContaminantMasker
from maximask_astro.utils.errors import ModelNotFoundError

SEED = 611
N_SKIES = 8
CONTAMINANTS = tuple(f.abbreviation for f in CLASSES if f.abbreviation[0] != "B")
UNUSABLE = tuple(flag.abbreviation for flag in CLASSES if flag.unusable)

# What the model shall reach: class, rows (None: all), strength (None: all), at
# least, and whether it counts for each row or for their mean.
_USUAL = tuple(f"FWHM {fwhm}" for fwhm in (2, 4, 9, 20))
WANTED = (
    ("SAT", None, None, 0.9, False),
    ("TRL", _USUAL, 1.2, 0.8, False),
    ("TRL", _USUAL, 0.6, 0.5, False),
    ("TRL", ("FWHM 40",), 3.0, 0.8, False),
    ("HCL", ("whole",), 1.0, 0.9, False),
    ("HCL", ("whole",), 0.5, 0.5, False),
    ("DCL", ("whole",), 1.0, 0.9, False),
    ("DCL", ("whole",), 0.5, 0.5, False),
    ("FR", None, 0.3, 0.6, False),
    ("NEB", None, 2.0, 0.6, True),
    ("NEB", None, 5.0, 0.9, True),
    ("SP", None, 5.0, 0.6, False),
)
LARGEST_FLAGGED = 0.02  # of undersampled stars, and of rings

# Other names of a contaminant's pixels are told from this fraction on.
_LEAST_OTHER, _N_OTHERS = 0.02, 3


class Model:
    """A model at its defaults, and on how many frames it is tried."""

    def __init__(self, name, number):
        self.masker = ContaminantMasker(name, keep_probabilities=False)
        self.card, self.number = self.masker.model_card, number

    def __call__(self, image):
        """Where each class of `CONTAMINANTS` is found: one plane a class."""
        found = self.masker(np.asarray(image, np.float32))
        return np.stack([found.class_mask(name) for name in CONTAMINANTS])


def load_models(args):
    """The model to be measured, and the published one if it is wanted."""
    models = [Model(args.model, args.number)]
    if args.published:
        try:
            models.append(Model(shared.PUBLISHED, min(args.published, args.number)))
        except ModelNotFoundError:
            print(f"{shared.PUBLISHED} is not installed and left out.\n")
    return models


def measure(models, skies, name, kinds, args):
    """
    Try all kinds of contaminants of a class.

    Returns
    -------
    parts : dict
        By class, row of the table, strength and name of the model: for each
        frame, the fraction of the contaminant's pixels found as each class.
    """
    parts = defaultdict(list)
    jobs = list(np.ndindex(len(kinds), args.number))
    # The bar shows in terminals only.
    for number, frame in tqdm(jobs, desc=name, disable=None, leave=False):
        strengths, draw = kinds[number]
        sky = skies[(frame + 3 * number) % len(skies)]
        rng = np.random.default_rng([SEED, CONTAMINANTS.index(name), number, frame])
        make = draw(rng, sky, frame)
        for strength in strengths[:: 2 if args.quick else 1]:
            image, rows = make(strength)
            for model in models:
                if frame < model.number:
                    found = model(image)
                    for row, truth in rows.items():
                        part = found[:, truth].mean(axis=1) if truth.any() else np.nan
                        key = name, row, strength, model.card.name
                        parts[key].append(np.broadcast_to(part, len(CONTAMINANTS)))
    return parts


def averaged(parts, frames=None):
    """Means of `measure` over the first frames, or over all."""
    return {key: np.nanmean(part[:frames], axis=0) for key, part in parts.items()}


def false_alarms(models, skies):
    """Fraction of the pixels of skies without contaminants, by model."""
    return {
        model.card.name: np.mean([model(s.image).mean(axis=(1, 2)) for s in skies], 0)
        for model in models
    }


def flagged_stars(model, make, value, number):
    """Fraction of stars at least half of which is called so; the last: unusable."""
    hits = []
    for index in range(number):
        image, objects = make(index, value)
        found = model(image)
        unusable = [CONTAMINANTS.index(name) for name in UNUSABLE]
        planes = [*found, found[unusable].any(axis=0)]
        sizes = np.bincount(objects.ravel())[1:]
        counts = [
            np.bincount(objects[plane], minlength=len(sizes) + 1)[1:]
            for plane in planes
        ]
        hits.append(np.array(counts) * 2 >= sizes)
    return np.concatenate(hits, axis=1).mean(axis=1)


def rows_of(results, name):
    """Rows of the table of a class, with their strengths, in order."""
    rows = {}
    for other, row, strength, _ in results:
        if other == name:
            rows.setdefault(row, {})[strength] = None
    return {row: tuple(strengths) for row, strengths in rows.items()}


def mean_of(results, name, model, rows=None, strength=None, *, worst=False):
    """Completeness of a part of a table: the mean, or that of the worst row."""
    index = CONTAMINANTS.index(name)
    by_row = defaultdict(list)
    for (other, row, value, which), parts in results.items():
        chosen = (rows is None or row in rows) and strength in (None, value)
        if (other, which) == (name, model) and chosen:
            by_row[row].append(parts[index])
    if not by_row:
        return np.nan
    means = [np.nanmean(values) for values in by_row.values()]
    values = [value for values in by_row.values() for value in values]
    return min(means) if worst else float(np.nanmean(values))


def print_table(results, alarms, name, models):
    """The table of a class."""
    index = CONTAMINANTS.index(name)
    names = [model.card.name for model in models]

    def cell(values, form=".2f"):
        return "/".join(format(value, form) for value in values)

    strengths = None
    unit = "level in counts" if name == "SAT" else "strength in sigma"
    for row, values in rows_of(results, name).items():
        if values != strengths:
            strengths = values
            head = "".join(f"{value:>11g}" for value in values)
            print(f"{name:<5}{unit:<19}{head}{'mean':>11}")
        columns = [
            cell([results[name, row, value, m][index] for m in names])
            for value in values
        ]
        columns.append(cell([mean_of(results, name, m, (row,)) for m in names]))
        print(f"     {row:<19}{''.join(f'{text:>11}' for text in columns)}")
    mean = cell([mean_of(results, name, m) for m in names])
    wide = 11 * (len(strengths) + 1)
    print(f"     {'mean of the table':<19}{mean:>{wide}}")
    wrong = cell([alarms[m][index] for m in names], ".1e")
    print(f"     {'false alarms':<19}{wrong:>{wide}}")
    for model in names:
        parts = [v for k, v in results.items() if (k[0], k[3]) == (name, model)]
        others = np.nanmean(parts, axis=0)
        others[index] = 0
        order = np.argsort(-others)[:_N_OTHERS]
        text = [
            f"{CONTAMINANTS[i]} {others[i]:.2f}"
            for i in order
            if others[i] >= _LEAST_OTHER
        ]
        print(f"     also called by {model}: {', '.join(text) or 'nothing else'}")
    print()


def print_stars(models, number):
    """What stars are called, and the largest fraction of unusable ones."""
    largest = {}
    print("Stars called so: fraction of 60 stars a frame")
    shown = [*CONTAMINANTS, "any"]
    for model in models:
        print(f"  {model.card.name:<24}", *(f"{name:>5}" for name in shown))
        frames = min(number, model.number)
        for label, make, values in (
            ("FWHM", sharp_stars, FWHMS),
            ("ring of radius", rings, RADII),
        ):
            rates = [flagged_stars(model, make, value, frames) for value in values]
            for value, rate in zip(values, rates, strict=True):
                text = " ".join(f"{part:>5.2f}" for part in rate)
                print(f"    {f'{label} {value:g}':<22} {text}")
            largest[model.card.name, label] = max(rate[-1] for rate in rates)
    print("  any: any unusable class\n")
    return largest


def print_verdicts(parts, alarms, largest, models):
    """All tables in one, and what is reached."""
    results = averaged(parts)
    names = [model.card.name for model in models]
    measured = list(dict.fromkeys(key[0] for key in results))
    print("Means of the tables, and false alarms")
    head = "".join(f"{name[:20]:>22}" for name in names)
    print(f"  class{head}")
    for name in measured:
        index = CONTAMINANTS.index(name)
        values = "".join(
            f"{mean_of(results, name, m):>12.3f}{alarms[m][index]:>10.1e}"
            for m in names
        )
        print(f"  {name:<5}{values}")
    print()
    ours = names[0]
    for name, rows, strength, least, worst in WANTED:
        value = mean_of(results, name, ours, rows, strength, worst=worst)
        if np.isnan(value):
            continue
        what = rows[0] if rows and len(rows) == 1 else "each row" if worst else ""
        what = f"{rows[0]} to {rows[-1][5:]}" if rows and len(rows) > 1 else what
        at = "" if strength is None else f"at {strength:g} sigma"
        text = " ".join(part for part in (name, what, at) if part)
        verdict = "PASS" if value >= least else "FAIL"
        print(f"  {verdict}  {text:<34} {value:.3f}, wanted {least}")
    for (model, label), rate in largest.items():
        if model == ours:
            verdict = "PASS" if rate <= LARGEST_FLAGGED else "FAIL"
            print(f"  {verdict}  {f'{label}: flagged, at most':<34} {rate:.3f}, "
                  f"wanted {LARGEST_FLAGGED}")  # fmt: skip
    for model in models[1:]:
        # On the same frames.
        other, common = model.card.name, averaged(parts, model.number)
        pairs = {n: [mean_of(common, n, m) for m in (ours, other)] for n in measured}
        below = [f"{n} {a:.3f} ({b:.3f})" for n, (a, b) in pairs.items() if a < b]
        verdict = "FAIL" if below else "PASS"
        print(f"  {verdict}  below {other} on the frames that both have seen: "
              f"{', '.join(below) or 'none'}")  # fmt: skip


def draw(results, models, path):
    """Completeness against strength, one panel a class, one color a row."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    measured = list(dict.fromkeys(key[0] for key in results))
    figure, axes = plt.subplots(3, 4, figsize=(15, 9.6), layout="constrained")
    styles = ("-", "--")
    title = ", ".join(
        f"{'solid' if style == '-' else 'dashed'}: {model.card.name}"
        for model, style in zip(models, styles, strict=False)
    )
    figure.suptitle(f"Completeness at the defaults against strength ({title})")
    for ax in axes.flat[len(measured) :]:
        ax.axis("off")
    for name, ax in zip(measured, axes.flat, strict=False):
        index = CONTAMINANTS.index(name)
        for number, (row, strengths) in enumerate(rows_of(results, name).items()):
            for model, style in zip(models, styles, strict=False):
                y = [results[name, row, s, model.card.name][index] for s in strengths]
                label = row if style == "-" else None
                ax.plot(strengths, y, style, marker=".", c=f"C{number}", label=label)
        ax.set_title(name, loc="left", fontweight="bold", fontsize=10)
        unit = "level [counts]" if name == "SAT" else r"strength [$\sigma$]"
        ax.set(xscale="log", ylim=(-0.02, 1.02), xlabel=unit)
        ax.xaxis.set_minor_formatter("")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=6.5)
    shared.save_figure(figure, path)


def main(args):
    """Measure and print."""
    if args.quick:
        args.number, args.published = 1, min(args.published, 1)
    kinds = {**light_kinds(read_fringes(args.data)), **detector_kinds()}
    args.classes = [name for name in CONTAMINANTS if name in args.classes]
    models = load_models(args)
    frames = " and ".join(f"{m.card.name} on {m.number} skies" for m in models)
    shared.print_header(
        "Completeness at the defaults on contaminants that are not of the simulation\n"
        f"({frames} an entry; {' / '.join(m.card.name for m in models)})",
        models,
    )
    skies = [make_sky(number) for number in range(2 if args.quick else N_SKIES)]
    alarms = false_alarms(models, skies)
    parts = {}
    for name in args.classes:
        parts |= measure(models, skies, name, kinds[name], args)
        print_table(averaged(parts), alarms, name, models)
    largest = print_stars(models, 1 if args.quick else 2)
    print_verdicts(parts, alarms, largest, models)
    if args.figure is not None:
        draw(averaged(parts), models, args.figure)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__.strip().split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = os.environ.get("MAXIMASK_ASTRO_TEST_DATA")
    parser.add_argument("data", nargs="?", default=default, type=Path,
                        help="directory of real data, with fringes")  # fmt: skip
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or directory")
    parser.add_argument("--number", type=int, default=4, help="skies an entry")
    parser.add_argument("--published", type=int, default=0, metavar="N",
                        help="skies an entry for the published network")  # fmt: skip
    parser.add_argument("--classes", nargs="+", choices=CONTAMINANTS,
                        default=CONTAMINANTS, help="only these")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="few entries, one sky")
    parser.add_argument("--output", type=Path, help="write what is printed here, too")
    parser.add_argument("--figure", type=Path, help="draw a figure, in this PNG file")
    arguments = parser.parse_args()
    sys.exit(shared.run(main, arguments))
