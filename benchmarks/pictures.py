"""Save pictures made of many small images in files that stay small."""

from io import BytesIO

import numpy as np
from PIL import Image

LARGEST = 400_000  # bytes


def save_picture(figure, path):
    """
    Save a figure as a PNG file of few levels a color, and close it.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
        The figure.

    path : `~pathlib.Path`
        The file.
    """
    from matplotlib import pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    # As fine as it may be: dots an inch, and levels a color.
    for dpi, levels in ((80, 32), (80, 16), (70, 16), (60, 12)):
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
        pixels = np.asarray(Image.open(buffer).convert("RGB"), float) / 255
        reduced = np.rint(np.rint(pixels * (levels - 1)) / (levels - 1) * 255)
        Image.fromarray(reduced.astype(np.uint8)).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            plt.close(figure)
            return
    raise RuntimeError(f"{path} has {path.stat().st_size} bytes; make it smaller.")
