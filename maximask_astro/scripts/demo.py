"""``maximask-astro demo``: mask an example exposure."""

from pathlib import Path

from maximask_astro.scripts.common import SUCCESS
from maximask_astro.utils.errors import InputError
from maximask_astro.utils.files import atomic_path

__all__ = ["add_parser"]

_NAMES = ("maximask_demo.fits", "maximask_demo.masks.fits", "maximask_demo.png")


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "demo",
        help="mask an example exposure",
        description="Mask an example exposure: print the table of classes, and write "
        f"the exposure, its masks and a picture ({', '.join(_NAMES)}).",
    )
    parser.add_argument(
        "-o",
        "--output-dir",
        default=".",
        metavar="DIR",
        help="where to write (default: the current directory)",
    )
    parser.set_defaults(run=_run, prog="maximask-astro demo")


def _run(args):
    from maximask_astro.datasets import make_example_exposure
    from maximask_astro.masking import ContaminantMasker

    directory = Path(args.output_dir)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The output directory {directory} cannot be made: {error.strerror}."
        ) from error
    masker = ContaminantMasker()
    exposure = make_example_exposure()
    cmap = masker(exposure)
    table = cmap.to_table()["class", "name", "bit", "pixels", "fraction", "unusable"]
    table.pprint(max_lines=-1, max_width=-1)

    exposure_path, masks_path, picture_path = (directory / name for name in _NAMES)
    with atomic_path(exposure_path, overwrite=True) as temporary:
        exposure.write(temporary, overwrite=True)
    cmap.write(masks_path, overwrite=True)
    print(f"\nExposure: {exposure_path}\nMasks:    {masks_path}")
    if _draw(exposure, cmap, picture_path):
        print(f"Picture:  {picture_path}")
    else:
        print("No picture: install maximask_astro[plot] for matplotlib.")
    return SUCCESS


def _draw(exposure, cmap, path):
    """Save the picture; False if there is no matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(15, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2)
    cmap.imshow(exposure, ax=axes[0], classes=[])
    cmap.imshow(exposure, ax=axes[1])
    axes[0].set_title("An example exposure (simulated)")
    axes[1].set_title("Its contaminants, as the network sees them")
    with atomic_path(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=90, bbox_inches="tight")
    return True
