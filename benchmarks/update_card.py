"""
Put the figures of the benchmarks on the card of a model in the package.

    python benchmarks/update_card.py maximask_astro/weights/shipped/contaminants-1

It reads what table7 and neutral printed to benchmarks/output, or for a model that
judges tracking, tracking_simulated, and takes the column of the model. Run it
after these.
"""

import argparse
from pathlib import Path

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.weights import ModelCard, update_card

OUTPUT = Path(__file__).parent / "output"

# Name on the card, file, and the line that the table follows.
TABLES = (
    ("strengths of the paper, all contaminants", "table7.txt", "All contaminants, as"),
    ("strengths of the paper, single contaminants", "table7.txt", "Single"),
    ("wide range, all contaminants", "table7.txt", "All contaminants, from"),
    ("neutral", "neutral.txt", "Area under the ROC curve"),
)


def read_column(path, title, model):
    """Areas under the ROC curve of a model, by class, in the table of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(title))
    heads = lines[start + 1].split()
    # Counted from the right: other columns have names of several words.
    column = heads.index(model) - len(heads)
    found = {}
    for line in lines[start + 2 :]:
        words = line.split()
        if not words or words[0] not in ABBREVIATIONS:
            break
        found[words[0]] = float(words[column])
    return found


def read_tracking(path, model):
    """Area and true-positive rate of a tracking model on all exposures."""
    lines = path.read_text(encoding="utf-8").splitlines()
    (heads,) = (line.split() for line in lines if line.split()[:2] == ["bad", "good"])
    (row,) = (line for line in lines if line.startswith("all, "))
    pairs = row.split()[-2 * len(heads[2:]) :]
    column = 2 * heads[2:].index(model)
    area, rate = (float(value) for value in pairs[column : column + 2])
    return {"affected": area, "TPR at FPR 0.01": rate}


def main():
    """Update a card."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    parser.add_argument("directory", type=Path, help="of the model")
    directory = parser.parse_args().directory
    card = ModelCard.read(directory / "card.json")
    if card.task == "tracking":
        found = read_tracking(OUTPUT / "tracking" / "roc.txt", card.name)
        update_card(directory, figures={"exposures of 400 pixels": found})
        print(found)
        return
    figures = {
        label: read_column(OUTPUT / file, title, card.name)
        for label, file, title in TABLES
    }
    update_card(directory, figures=figures)
    for label, values in figures.items():
        print(f"{label}: mean {sum(values.values()) / len(values):.4f}")


if __name__ == "__main__":
    main()
