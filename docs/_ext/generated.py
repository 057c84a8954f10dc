# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Directives for what the package itself knows, so that no page repeats it.

``contaminant-classes``
    the table of classes, from `maximask_astro.flags`;
``model-cards``
    the models that this package knows, from their model cards;
``known-limits:: maximask-1.4.1``
    the limits that a model card states;
``model-card:: contaminants-1``
    everything else on the card of a model that comes with the package;
``command-help:: maximask-astro mask``
    what a command says when it is asked for ``--help``.
"""

import contextlib
import io
import os
from unittest import mock

import numpy as np
from astropy.table import Table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from maximask_astro.flags import CLASSES, NO_DATA
from maximask_astro.scripts import main, maximask, maxitrack
from maximask_astro.weights import list_models, packaged_card

COMMANDS = {
    "maximask": maximask.main,
    "maximask-astro": main.main,
    "maxitrack": maxitrack.main,
}


def _rst_table(rows):
    """A table in reStructuredText, from a list of dicts."""
    text = io.StringIO()
    Table(rows=rows).write(text, format="ascii.rst")
    return text.getvalue()


class _TableDirective(SphinxDirective):
    def run(self):
        """Parse the table as if it stood on the page."""
        return self.parse_text_to_nodes(_rst_table(self.rows()))


class ContaminantClasses(_TableDirective):
    """The table of classes, and the bit for pixels without a verdict."""

    def rows(self):
        """One row a class."""
        for flag in (*CLASSES, NO_DATA):
            is_class = flag is not NO_DATA
            yield {
                "Class": f"``{flag.abbreviation}``",
                "Bit": str(flag.bit or "none"),
                "What it is": f"**{flag.name}.** {flag.meaning}",
                "Masked": "yes" if flag.unusable else "no",
                "Prior": f"{flag.prior:g}" if is_class else "\\-",
                "Threshold": f"{flag.threshold:g}" if is_class else "\\-",
            }


class ModelCards(_TableDirective):
    """The models that come with the package, and the published networks."""

    def rows(self):
        """One row a model that the package has a card of."""
        for card in filter(None, map(packaged_card, list_models())):
            yield {
                "Name": f"``{card.name}``",
                "Task": card.task,
                "What it is": card.description,
                "License": card.license,
            }


class KnownLimits(SphinxDirective):
    """The known limits of a network, as a list."""

    required_arguments = 1

    def run(self):
        """Make a list of the sentences."""
        limits = packaged_card(self.arguments[0]).known_limits
        return self.parse_text_to_nodes("\n".join(f"* {limit}" for limit in limits))


def _number(value):
    return "\\-" if value is None else f"{value:.4g}"


def _at_rate(curve, rate):
    """True-positive rate of a curve at a false-positive rate it reaches."""
    if not curve or rate < curve["fpr"][0]:
        return None
    return float(np.interp(np.log(rate), np.log(curve["fpr"]), curve["tpr"]))


TPR = (
    "TPR is the fraction of the pixels of a class that is found at a false-positive "
    "rate of 0.001 and 0.0001."
)


RATES = "TPR is the fraction of true cases that is found at a false-positive rate."

# What the card of a tracking model says about tiles, and what that means.
TILES = {
    "block": "side in pixels of the tiles it was trained on",
    "smallest": "side of the smallest tile",
    "stride": "sides of tiles are multiples of it",
    "temperature": "by which the evidence of a tile is divided",
    "correlation": "between the tiles of an exposure",
}


class WholeCard(SphinxDirective):
    """The card of a model: how it was made, what was measured, where it fails."""

    required_arguments = 1

    def run(self):
        """Make the tables and the list."""
        card = packaged_card(self.arguments[0])
        made = "\n".join(
            f"* {name}: {value}"
            for name, value in card.training.items()
            if value is not None
        )
        limits = "\n".join(f"* {limit}" for limit in card.known_limits)
        network = f"``{card.architecture}`` with ``{card.options}``"
        outputs = self._statements if card.task == "tracking" else self._pixels
        parts = [
            card.description,
            f"License: {card.license}. Architecture: {network}.",
            "How it was made:",
            made,
            *outputs(card),
            ".. rubric:: Figures by test set",
            _rst_table(self._figures(card)),
            ".. rubric:: Known limits",
            limits,
        ]
        return self.parse_text_to_nodes("\n\n".join(parts))

    @staticmethod
    def _pixels(card):
        """The classes of a masker."""
        yield ".. rubric:: Classes"
        yield TPR
        rows = []
        for name in card.classes:
            curve = card.roc.get(name)
            rows.append(
                {
                    "Class": f"``{name}``",
                    "Training prior": _number(card.training_priors.get(name)),
                    "Prior": _number(card.prior(name)),
                    "Threshold": _number(card.thresholds.get(name)),
                    "TPR at 1e-3": _number(_at_rate(curve, 1e-3)),
                    "TPR at 1e-4": _number(_at_rate(curve, 1e-4)),
                }
            )
        yield _rst_table(rows)

    @staticmethod
    def _statements(card):
        """What a classifier says about an image, and of which tiles."""
        yield ".. rubric:: Tiles"
        yield _rst_table(
            {"Number": name, "Value": _number(card.input[name]), "Meaning": meaning}
            for name, meaning in TILES.items()
            if name in card.input
        )
        yield ".. rubric:: Statements"
        yield RATES
        yield _rst_table(
            {
                "Statement": f"``{name}``",
                "Training prior": _number(card.training_priors.get(name)),
                "Threshold": _number(card.thresholds.get(name)),
                "TPR at 0.1": _number(_at_rate(curve, 0.1)),
                "TPR at 0.01": _number(_at_rate(curve, 0.01)),
            }
            for name, curve in card.roc.items()
        )

    @staticmethod
    def _figures(card):
        names = dict.fromkeys(n for values in card.figures.values() for n in values)
        for name in names:
            row = {"Figure": name}
            for test_set, values in card.figures.items():
                row[test_set] = _number(values.get(name))
            yield row


class CommandHelp(SphinxDirective):
    """What a command says about itself."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Run the command with ``--help``."""
        command, *rest = self.arguments[0].split()
        text = io.StringIO()
        with (
            mock.patch.dict(os.environ, {"COLUMNS": "78", "NO_COLOR": "1"}),
            contextlib.redirect_stdout(text),
            contextlib.suppress(SystemExit),
        ):
            COMMANDS[command]([*rest, "--help"])
        block = nodes.literal_block(text.getvalue(), text.getvalue())
        block["language"] = "none"
        return [block]


def setup(app):
    """Register the directives."""
    app.add_directive("contaminant-classes", ContaminantClasses)
    app.add_directive("model-cards", ModelCards)
    app.add_directive("known-limits", KnownLimits)
    app.add_directive("model-card", WholeCard)
    app.add_directive("command-help", CommandHelp)
    # What the directives say changes without the pages changing.
    app.connect("env-get-outdated", lambda app, *_: app.env.found_docs & PAGES)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


PAGES = {
    "user_guide/masking",
    "user_guide/models",
    "user_guide/model_card",
    "user_guide/tracking",
    "user_guide/tracking_card",
    "user_guide/training",
    "user_guide/command_line",
}
