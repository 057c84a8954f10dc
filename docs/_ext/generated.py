# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Directives for what the package itself knows, so that no page repeats it.

``contaminant-classes``
    the table of classes, from `maximask_astro.flags`;
``model-cards``
    the published networks, from their model cards;
``known-limits:: maximask-1.4.1``
    the limits that a model card states;
``command-help:: maximask-astro mask``
    what a command says when it is asked for ``--help``.
"""

import contextlib
import io
import os
from unittest import mock

from astropy.table import Table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from maximask_astro.flags import CLASSES, NO_DATA
from maximask_astro.scripts import main, maximask
from maximask_astro.weights import list_models, packaged_card

COMMANDS = {"maximask": maximask.main, "maximask-astro": main.main}


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
    """The published networks."""

    def rows(self):
        """One row a network that the package has a card of."""
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
    app.add_directive("command-help", CommandHelp)
    # What the directives say changes without the pages changing.
    app.connect("env-get-outdated", lambda app, *_: app.env.found_docs & PAGES)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


PAGES = {"user_guide/masking", "user_guide/models", "user_guide/command_line"}
