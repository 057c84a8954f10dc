# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Configuration of the documentation, on top of what sphinx-astropy sets.

The documentation is built with warnings as errors, and every reference must
lead somewhere. References to other projects are looked up in inventories on
their sites. Where an inventory cannot be reached, its project is left out of
intersphinx, and a reference to it has no link: it is then only checked that the
name can be imported. References inside the project are checked either way.
"""

import builtins
import datetime
import pydoc
import sys
import tempfile
from importlib.metadata import metadata
from pathlib import Path

import requests
import sphinx
from sphinx.util import logging
from sphinx_astropy.conf.v2 import *  # noqa: F403
from sphinx_astropy.conf.v2 import (
    exclude_patterns,
    extensions,
    html_theme_options,
    numpydoc_xref_aliases,
    numpydoc_xref_astropy_aliases,
    on_rtd,
)

# -- Project -------------------------------------------------------------------

_metadata = metadata("maximask_astro")
project = _metadata["Name"]
author = _metadata["Author"]
project_copyright = f"{datetime.datetime.now(tz=datetime.UTC).year}, {author}"
release = _metadata["Version"]
version = ".".join(release.split(".")[:2])

# -- General -------------------------------------------------------------------

# Directives for what the package itself knows: see _ext/generated.py.
sys.path.insert(0, str(Path(__file__).parent / "_ext"))
extensions += ["sphinx.ext.extlinks", "generated"]
exclude_patterns += ["_templates", "**/.ipynb_checkpoints"]
nitpicky = True
nitpick_ignore_regex = [
    # Where the class of JAX's arrays lives; the annotations say jax.Array.
    ("py:class", r"jax\.jaxlib\..*\bArray"),
    # Keras publishes no inventory.
    ("py:.*", r"keras\..*"),
]
rst_epilog = """
.. _Astropy: https://www.astropy.org/
.. _ccdproc: https://ccdproc.readthedocs.io/
.. _Keras: https://keras.io/
.. _Dask: https://distributed.dask.org/
.. _JAX: https://docs.jax.dev/
.. _photutils: https://photutils.readthedocs.io/
"""
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}

# -- Docstrings ----------------------------------------------------------------

# Only the words listed below become links in the types of parameters.
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases.update(numpydoc_xref_astropy_aliases)
numpydoc_xref_aliases.update(
    {
        "CCDData": "astropy.nddata.CCDData",
        "NDData": "astropy.nddata.NDData",
        "QTable": "astropy.table.QTable",
        "WCS": "astropy.wcs.WCS",
    }
)
# The diagrams would need Graphviz, and say little in a project of few classes.
automodapi_inheritance_diagram = False

# -- HTML ----------------------------------------------------------------------

html_title = f"{project} {version}"
html_static_path = ["_static"]
html_show_sourcelink = False
# Pages that have no others below them need no list of those.
html_sidebars = {"getting_started": [], "changes": [], "license": []}
html_theme_options |= {
    "navigation_with_keys": False,
    "show_nav_level": 1,
}

# -- Links ---------------------------------------------------------------------

linkcheck_timeout = 30
linkcheck_retries = 2
linkcheck_anchors = False
linkcheck_ignore = [
    # Publishers keep robots out.
    r"https://doi\.org/.*",
]

# -- Other projects ------------------------------------------------------------

_SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "matplotlib": "https://matplotlib.org/stable/",
    "astropy": "https://docs.astropy.org/en/stable/",
    "ccdproc": "https://ccdproc.readthedocs.io/en/stable/",
    "dask": "https://docs.dask.org/en/stable/",
    "jax": "https://docs.jax.dev/en/latest/",
    "photutils": "https://photutils.readthedocs.io/en/stable/",
}


def _fetch_inventories(sites, folder):
    """Download the inventories; return those that came, and the others' names."""
    found, missing = {}, []
    headers = {"User-Agent": f"Mozilla/5.0 (compatible; Sphinx/{sphinx.__version__})"}
    for name, site in sites.items():
        try:
            answer = requests.get(f"{site}objects.inv", headers=headers, timeout=20)
            answer.raise_for_status()
        except requests.RequestException:
            missing.append(name)
        else:
            path = folder / f"{name}.inv"
            path.write_bytes(answer.content)
            found[name] = (site, str(path))
    return found, missing


if on_rtd:
    # What is published must have its links: there a missing inventory is an error.
    intersphinx_mapping = {name: (site, None) for name, site in _SITES.items()}
    _unreachable = []
else:
    _folder = tempfile.TemporaryDirectory()
    intersphinx_mapping, _unreachable = _fetch_inventories(_SITES, Path(_folder.name))

if "numpy" in _unreachable:
    # A label in the docstring that a constant inherits from NumPy's dtype.
    nitpick_ignore = [("std:ref", "arrays.dtypes")]


def _accept_unreachable(app, env, node, contnode):
    """Accept a reference to a project whose inventory could not be reached."""
    target = node.get("reftarget", "")
    site, colon, name = target.partition(":")
    if not colon:
        site, name = target.partition(".")[0], target
        if site in sys.stdlib_module_names or hasattr(builtins, site):
            site = "python"
    if site not in _unreachable:
        return None
    known = name == "None" or pydoc.locate(name) is not None
    return contnode if known or node.get("refdomain") != "py" else None


def setup(app):
    if _unreachable:
        logging.getLogger(__name__).info(
            "no inventory of %s: their references are not linked, only checked for "
            "being importable",
            ", ".join(_unreachable),
        )
        app.connect("missing-reference", _accept_unreachable, priority=900)
