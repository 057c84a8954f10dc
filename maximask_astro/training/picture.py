"""A picture of the learning curve."""

from pathlib import Path

from maximask_astro.flags import ABBREVIATIONS, get_class
from maximask_astro.training.runs import read_log, read_scores
from maximask_astro.utils.files import atomic_path

__all__ = ["draw_learning_curve"]

# What a tracking network says whose area is scored.
_STATEMENTS = ("affected", "defocused", "usable")


def draw_learning_curve(directory):
    """
    Draw the loss and the validation scores of a training.

    Parameters
    ----------
    directory : path-like
        Directory of the training; the picture becomes ``learning_curve.png``
        in it.

    Returns
    -------
    path : `~pathlib.Path` or None
        The picture; None without matplotlib or without a log.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    rows, scores = read_log(directory), read_scores(directory)
    if not rows:
        return None
    figure = Figure(figsize=(11, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.plot([row["step"] for row in rows], [row["loss"] for row in rows], "k-")
    left.set(xlabel="step", ylabel="loss", yscale="log")
    for name in (*ABBREVIATIONS, *_STATEMENTS, "mean"):
        points = [(s["step"], s[name]) for s in scores if s.get(name) is not None]
        if points:
            color = get_class(name).color if name in ABBREVIATIONS else None
            color = "black" if name == "mean" else color
            width = 2 if name == "mean" else 1
            right.plot(*zip(*points, strict=True), ".-", c=color, lw=width, label=name)
    right.set(xlabel="step", ylabel="area under the ROC curve")
    if scores:
        right.legend(fontsize="small", ncols=2)
    path = Path(directory) / "learning_curve.png"
    with atomic_path(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=100)
    return path
