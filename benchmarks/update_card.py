"""
Put the figures of the benchmarks on the card of a model in the package.

    python benchmarks/update_card.py maximask_astro/weights/shipped/contaminants-1

It reads what table7 and neutral printed to benchmarks/output, and takes the
column of the model. Run it after these two.
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


def main():
    """Update a card."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    parser.add_argument("directory", type=Path, help="of the model")
    directory = parser.parse_args().directory
    name = ModelCard.read(directory / "card.json").name
    figures = {
        label: read_column(OUTPUT / file, title, name) for label, file, title in TABLES
    }
    update_card(directory, figures=figures)
    for label, values in figures.items():
        print(f"{label}: mean {sum(values.values()) / len(values):.4f}")


if __name__ == "__main__":
    main()
