"""
Area under the ROC curve of each class, as in table 7 of the MaxiMask paper.

On simulated exposures with contaminants of all classes, as often as in the
training, and on exposures with contaminants of a single class::

    python benchmarks/table7.py --models maximask-1.4.1 \
        --output benchmarks/output/table7.txt

As in the paper (Paillassa, Bertin & Bouy 2020, A&A 634, A48, section 4.1.2),
saturated pixels are in all sets, and SAT, BBG and BG are judged in a set of
exposures that have nothing else. Contaminants are as strong as in its section
2.1, since its figures can be compared with no others. A last table is for the
wide range of strengths of the training, which goes down to what is hardly seen.
"""

import sys

import numpy as np
import shared

from maximask_astro.flags import ABBREVIATIONS

# Table 7 of the paper: all-contaminant set, single-contaminant set.
PAPER = {
    "CR": (0.96927, 0.98314),
    "HCL": (0.99763, 0.99957),
    "DCL": (0.99872, 0.99976),
    "HP": (0.99741, 0.99965),
    "DP": (0.99739, 0.99975),
    "P": (0.99352, 0.99951),
    "TRL": (0.99511, 0.99813),
    "FR": (0.98057, 0.93326),
    "NEB": (0.97895, 0.84575),
    "SAT": (0.99965, 0.99974),
    "SP": (0.96125, 0.98061),
    "OV": (0.99997, 1.00000),
    "BBG": (0.98484, 0.99165),
    "BG": (0.96895, 0.98371),
}

# Bounds: classes at or above the paper's, how far below it, mean.
N_CLASSES_ABOVE, LARGEST_DEFICIT, MEAN = 12, 0.01, 0.985


def single_set(name, number):
    """Exposures with one class of contaminants, and saturated pixels."""
    frequencies = tuple(
        1.0 if other in ("SAT", name) else 0.0 for other in shared.CONTAMINANTS
    )
    stream = 1 + ABBREVIATIONS.index(name)
    return shared.ExposureSet(f"{name} only", number, frequencies, stream, "paper")


def all_set(strengths, number):
    """Exposures with all classes of contaminants, by their strengths."""
    stream = {"wide": 0, "paper": 1 + len(ABBREVIATIONS)}[strengths]
    return shared.ExposureSet(
        "all contaminants", number, stream=stream, strengths=strengths
    )


def all_areas(evaluators, strengths, number, cache):
    """Areas in an all-contaminant set, by model, shape (classes,)."""
    histograms = shared.score(evaluators, all_set(strengths, number), cache)
    return {name: histogram.auc() for name, histogram in histograms.items()}


def single_areas(evaluators, number, cache):
    """Areas in the single-contaminant sets, by model, shape (classes,)."""
    areas = {name: np.full(len(ABBREVIATIONS), np.nan) for name in evaluators}
    for contaminant in shared.CONTAMINANTS:
        # The set for SAT has nothing else, and serves three classes.
        judged = ("SAT", "BBG", "BG") if contaminant == "SAT" else (contaminant,)
        histograms = shared.score(evaluators, single_set(contaminant, number), cache)
        for name, histogram in histograms.items():
            auc = histogram.auc()
            for other in judged:
                index = ABBREVIATIONS.index(other)
                areas[name][index] = auc[index]
    return areas


def print_table(title, areas, column):
    """One row a class, the paper first."""
    print(title)
    print(f"  {'class':<6s}{'paper':>9s}" + "".join(f"{n:>18s}" for n in areas))
    for index, name in enumerate(ABBREVIATIONS):
        values = "".join(f"{a[index]:>18.5f}" for a in areas.values())
        print(f"  {name:<6s}{PAPER[name][column]:>9.5f}{values}")
    paper = np.mean([row[column] for row in PAPER.values()])
    values = "".join(f"{np.mean(a):>18.5f}" for a in areas.values())
    print(f"  {'mean':<6s}{paper:>9.5f}{values}\n")


def print_verdict(name, area):
    """Whether a model meets the bounds in an all-contaminant set."""
    paper = np.array([PAPER[key][0] for key in ABBREVIATIONS])
    n_above = int((area >= paper).sum())
    deficit = float(np.max(paper - area))
    worst = ABBREVIATIONS[int(np.argmax(paper - area))]
    mean = float(np.mean(area))
    met = (n_above >= N_CLASSES_ABOVE, deficit <= LARGEST_DEFICIT, mean >= MEAN)
    words = ["met" if each else "NOT MET" for each in met]
    print(f"  {name}")
    print(f"    classes at or above it   {n_above:>8d}   "
          f"(bound: >= {N_CLASSES_ABOVE}: {words[0]})")  # fmt: skip
    print(f"    farthest below it        {deficit:>8.5f}   "
          f"(bound: <= {LARGEST_DEFICIT}: {words[1]}; {worst})")  # fmt: skip
    print(f"    mean                     {mean:>8.5f}   "
          f"(bound: >= {MEAN}: {words[2]})")  # fmt: skip


def main(args):
    """Print the tables and the verdicts."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        "Area under the ROC curve on simulated exposures (paper: its own test set)",
        [evaluator.model for evaluator in evaluators.values()],
    )
    size = " x ".join(map(str, shared.SHAPE))
    as_paper = all_areas(evaluators, "paper", args.number, args.cache)
    print_table(
        f"All contaminants, as strong as in the paper: {args.number} exposures of "
        f"{size}",
        as_paper,
        0,
    )
    print_table(
        f"Single contaminants, as strong as in the paper: {args.single_number} "
        "exposures a class",
        single_areas(evaluators, args.single_number, args.cache),
        1,
    )
    wide = all_areas(evaluators, "wide", args.number, args.cache)
    print_table(
        f"All contaminants, from hardly visible to overwhelming: {args.number} "
        f"exposures of {size}",
        wide,
        0,
    )
    print("All contaminants, as strong as in the paper, against the paper's column")
    for name, area in as_paper.items():
        print_verdict(name, area)
    print("\nAll contaminants, from hardly visible to overwhelming, against the same")
    for name, area in wide.items():
        print_verdict(name, area)


if __name__ == "__main__":
    parser = shared.make_parser(__doc__, number=200)
    parser.add_argument(
        "--single-number", type=int, default=30, help="exposures in each single set"
    )
    parser.add_argument("--cache", help="directory where counts are kept")
    sys.exit(shared.run(main, parser.parse_args()))
