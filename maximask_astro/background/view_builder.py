"""Make the whole-frame view of an image of its rows, as they are read."""

from dataclasses import dataclass

import numpy as np

from maximask_astro.background.view import (
    BLOCK,
    N_BRIGHTEST,
    SEGMENT,
    block_statistics,
    full_level,
    line_contrast,
    scale_blocks,
)

__all__ = ["FrameView", "ViewBuilder"]


@dataclass(frozen=True, eq=False)
class FrameView:
    """
    An exposure at a glance, for networks that have a whole-frame view.

    Parameters
    ----------
    blocks : `~numpy.ndarray`
        float32, shape (height / 8, width / 8, 8), sizes rounded up; from
        `scale_blocks`.

    columns : `~numpy.ndarray`
        float32, shape (height / 64, width, 3), the first rounded up; from
        `line_contrast`.

    rows : `~numpy.ndarray`
        float32, shape (width / 64, height, 3): the same of the transposed frame.

    full : float, optional
        Value from which on pixels are full, as they pile up there.
    """

    blocks: np.ndarray
    columns: np.ndarray
    rows: np.ndarray
    full: float = np.inf


class ViewBuilder:
    """
    Make the view of an image of its rows, as they are read.

    Parameters
    ----------
    shape : tuple of two int
        Size of the image.
    """

    def __init__(self, shape):
        height, width = shape
        self.shape = height, width
        n, m = -(-height // BLOCK), -(-width // BLOCK)
        self._blocks = np.zeros((n, m, 5), np.float32)
        self._there = np.zeros((n, m), np.float32)
        n, m = -(-height // SEGMENT), -(-width // SEGMENT)
        # Sums, and of how many pixels.
        self._columns, self._of_columns = np.zeros((2, n, m * SEGMENT), np.float32)
        self._rows, self._of_rows = np.zeros((2, n * SEGMENT, m), np.float32)
        self._brightest = np.full(N_BRIGHTEST, -np.inf, np.float32)

    def add(self, start, image, invalid):
        """
        Take rows.

        Parameters
        ----------
        start : int
            The first of them, a multiple of 64. Only the last ones of the image may
            be fewer than a multiple of 64.

        image : `~numpy.ndarray`
            float32, shape (rows, width); not changed.

        invalid : `~numpy.ndarray` of bool or None
            True for pixels without a value.
        """
        for top in range(0, len(image), SEGMENT):
            part = image[top : top + SEGMENT]
            holes = None if invalid is None else invalid[top : top + SEGMENT]
            self._add_segment(start + top, part, holes)

    def _add_segment(self, start, image, invalid):
        """Take the rows of a segment."""
        height, width = image.shape
        missing = -height % BLOCK, -width % BLOCK
        if invalid is not None or any(missing):
            if invalid is None:
                invalid = np.zeros(image.shape, bool)
            around = [(0, size) for size in missing]
            image = np.pad(image, around)
            valid = ~np.pad(invalid, around, constant_values=True)
            image, share = _filled(image, valid)
        else:
            valid, share = None, None
        blocks, columns, rows, maxima = block_statistics(np, image)
        brightest = np.concatenate([self._brightest, maxima.ravel()])
        brightest.partition(len(brightest) - N_BRIGHTEST)
        self._brightest = brightest[-N_BRIGHTEST:]
        first, n = start // BLOCK, len(blocks)
        self._blocks[first : first + n] = blocks
        self._there[first : first + n] = 1.0 if share is None else share
        # Segments: those of the columns are these rows, those of the rows are made
        # of eight blocks each.
        segment = start // SEGMENT
        m = blocks.shape[1]
        if valid is None:
            self._columns[segment, :width] = columns.sum(0)
            self._of_columns[segment, :width] = n
            weights = np.ones(rows.shape, np.float32)
        else:
            cells = valid.reshape(n, BLOCK, m, BLOCK)
            weights = cells.mean(1).reshape(n, m * BLOCK)
            self._columns[segment, : m * BLOCK] = (columns * weights).sum(0)
            self._of_columns[segment, : m * BLOCK] = weights.sum(0)
            weights = cells.mean(-1).reshape(n * BLOCK, m)
        around = ((0, 0), (0, self._rows.shape[1] * BLOCK - m))
        sums, counts = (
            np.pad(values, around).reshape(len(values), -1, BLOCK).sum(-1)
            for values in (rows * weights, weights)
        )
        self._rows[start : start + len(sums)] = sums
        self._of_rows[start : start + len(sums)] = counts

    def finish(self, sky):
        """
        Make the view.

        Parameters
        ----------
        sky : `Sky`
            Of the image.

        Returns
        -------
        view : `FrameView`
            The view.
        """
        height, width = self.shape
        places = [
            np.minimum(np.arange(len(values)) * BLOCK + BLOCK // 2, size - 1)
            for values, size in zip(
                (self._there, self._there.T), self.shape, strict=True
            )
        ]
        sky_level, sky_noise = sky.level.values(*places), sky.noise.values(*places)
        there = self._there > 0
        middle = self._blocks[..., 1][there]
        level = np.float32(np.median(middle) if middle.size else 0.0)
        noise = np.float32(np.median(sky_noise))
        blocks = scale_blocks(
            np,
            self._blocks,
            np.reshape(level, (1, 1)),
            np.reshape(noise, (1, 1)),
            sky_level,
            sky_noise,
            self._there,
        )
        lines = []
        for sums, counts in (
            (self._columns[:, :width], self._of_columns[:, :width]),
            (self._rows[:height].T, self._of_rows[:height].T),
        ):
            means = np.where(counts > 0, sums / np.maximum(counts, 1e-6), level)
            lines.append(line_contrast(np, means, noise, counts / BLOCK))
        full = full_level(np, self._brightest, level, noise)
        return FrameView(blocks, *lines, float(full))


def _filled(image, valid):
    """Give invalid pixels the mean of their block, and say how much is valid."""
    n, m = (size // BLOCK for size in image.shape)
    cells = image.reshape(n, BLOCK, m, BLOCK)
    there = valid.reshape(n, BLOCK, m, BLOCK)
    share = there.mean((1, 3), dtype=np.float32)
    sums = np.where(there, cells, 0.0).sum((1, 3))
    mean = sums / np.maximum(share * BLOCK**2, 1)
    filled = np.where(there, cells, mean[:, None, :, None])
    return filled.reshape(image.shape), share
