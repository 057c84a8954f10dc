"""Bands of rows: what goes into a row of tiles, and what comes out of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from maximask_astro.background import FILL_REACH, fill_invalid
from maximask_astro.inference.tiling import mirrored

__all__ = ["Band", "SkyReader", "join_bands", "make_batches"]

# Knots of the sky are at least so many pixels apart, but in images that have one box.
_KNOTS = 200

# A cubic spline needs so many coefficients more than there are intervals, and a tile
# begins and ends within one.
_MORE = 5


@dataclass(frozen=True, eq=False)
class Band:
    """
    The result for some rows of an image.

    Parameters
    ----------
    rows : slice
        Which rows.

    codes : `~numpy.ndarray`
        uint32, shape (rows, width): the codes of all verdicts, ORed.

    invalid : `~numpy.ndarray` of bool or None
        True for pixels that have no usable value, None if there are none.

    probabilities, uncertainties : `~numpy.ndarray` or None
        float32, shape (classes, rows, width): posterior probabilities in
        [0, 1] and their standard deviation over the eight symmetries of the
        square. None unless asked for.
    """

    rows: slice
    codes: np.ndarray
    invalid: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    uncertainties: np.ndarray | None = None


def join_bands(bands):
    """
    Put bands together.

    Parameters
    ----------
    bands : list of `Band`
        All bands of an image, in order.

    Returns
    -------
    band : `Band`
        One with all rows.
    """
    if len(bands) == 1:
        return bands[0]

    def joined(name):
        parts = [getattr(band, name) for band in bands]
        if all(part is None for part in parts):
            return None
        if name == "invalid":
            parts = [
                np.zeros(band.codes.shape, bool) if part is None else part
                for band, part in zip(bands, parts, strict=True)
            ]
        return np.concatenate(parts, axis=-2)

    names = ("codes", "invalid", "probabilities", "uncertainties")
    rows = slice(bands[0].rows.start, bands[-1].rows.stop)
    return Band(rows, *(joined(name) for name in names))


class _OpenBand:
    """A row of tiles on its way."""

    def __init__(self, tiles, reader, tile_shape):
        self.tiles = tiles
        self.keep = keep = tiles[0].keep[0]
        top, right = tiles[0].top, tiles[-1].left + tile_shape[1]
        width = max(right, reader.shape[1])
        self.image, invalid = reader.rows(top, tile_shape[0], width)
        if invalid is not None:
            invalid = invalid[keep.start - top : keep.stop - top]
        self.invalid = invalid
        self.waiting = len(tiles)
        self.planes = None

    def add(self, tile, results, width):
        """Take the result of a tile; the band, when it is complete."""
        if self.planes is None:
            height = self.keep.stop - self.keep.start
            self.planes = [
                None
                if part is None
                else np.empty((*part.shape[:-2], height, width), part.dtype)
                for part in results
            ]
        for plane, part in zip(self.planes, results, strict=True):
            if plane is not None:
                plane[..., tile.keep[1]] = part[..., *tile.inner]
        self.waiting -= 1
        if self.waiting:
            return None
        codes, probabilities, uncertainties = self.planes
        return Band(self.keep, codes, self.invalid, probabilities, uncertainties)


class SkyReader:
    """
    Read rows of an image with what the device must know of their sky.

    Parameters
    ----------
    read : callable
        Gives rows of the image, see `~maximask_astro.background.array_reader`.

    shape : tuple of two int
        Size of the image.

    sky : `~maximask_astro.background.Sky`
        Of the image.

    part : tuple of two int
        Size of the parts that are normalized together.
    """

    def __init__(self, read, shape, sky, part):
        self.read, self.shape, self.sky = read, shape, sky
        self._knots = [side // _KNOTS + _MORE for side in part]
        # Of the columns where tiles begin, and how wide they are.
        self._across = {}

    def rows(self, top, height, width):
        """
        Read rows, mirrored where they are beyond the image.

        Parameters
        ----------
        top, height : int
            Which rows.

        width : int
            How wide they are to be.

        Returns
        -------
        image : `~numpy.ndarray`
            float32, shape (height, width), in the unit of the image; invalid pixels
            are filled.

        invalid : `~numpy.ndarray` of bool or None
            True for them, shape (rows within the image, width of the image).
        """
        rows = mirrored(np.arange(top, top + height), self.shape[0])
        first, last = rows.min(), rows.max() + 1
        image, invalid = self.read(first, last)
        if invalid is not None and invalid.any():
            # What they are filled with depends on rows around.
            first = max(first - FILL_REACH, 0)
            last = min(last + FILL_REACH, self.shape[0])
            image, invalid = self.read(first, last)
            self._fill(image, invalid, first)
            invalid = invalid[top - first : top - first + height]
            invalid = invalid[: self.shape[0] - top].copy()
        else:
            invalid = None
        if rows[-1] - rows[0] == height - 1:  # not mirrored
            image = image[rows[0] - first : rows[-1] + 1 - first]
        else:
            image = image[rows - first]
        if width > self.shape[1]:
            image = image[:, mirrored(np.arange(width), self.shape[1])]
        return image, invalid

    def _fill(self, image, invalid, first):
        """Give invalid pixels what normalizes to the values that fill them."""
        rows, columns = np.arange(first, first + len(image)), np.arange(self.shape[1])
        normalized = self.sky.normalize(image.copy(), rows, columns)
        fill_invalid(normalized, invalid, top=first)
        values = normalized * self.sky.noise.values(rows, columns)
        values += self.sky.level.values(rows, columns)
        image[invalid] = values[invalid]

    def _basis(self, axis, start, length):
        """Values of the sky's splines along an axis, mirrored beyond the image."""
        positions = mirrored(np.arange(start, start + length), self.shape[axis])
        # Level and noise have the same knots.
        first, values = self.sky.level.basis(axis, positions)
        padded = np.zeros((length, self._knots[axis]), np.float32)
        padded[:, : values.shape[1]] = values
        return first, values.shape[1], padded

    def arrays(self, top, left, height, width):
        """
        Tell the device what the sky is like somewhere.

        Parameters
        ----------
        top, left, height, width : int
            Where.

        Returns
        -------
        arrays : dict of str to `~numpy.ndarray`
            Values of the splines ``down`` and ``across``, and their coefficients for
            ``level`` and ``noise``.
        """
        first, n_rows, down = self._basis(0, top, height)
        if (left, width) not in self._across:
            self._across[left, width] = self._basis(1, left, width)
        start, n_columns, across = self._across[left, width]
        part = np.s_[first : first + n_rows, start : start + n_columns]
        grids = np.zeros((2, *self._knots), np.float32)
        grids[0, :n_rows, :n_columns] = self.sky.level.coefficients[part] - self.pivot
        grids[1, :n_rows, :n_columns] = self.sky.noise.coefficients[part]
        return {"down": down, "across": across, "level": grids[0], "noise": grids[1]}

    @property
    def pivot(self):
        """A level near the sky's, so that float32 is exact enough for the rest."""
        return float(np.float32(np.median(self.sky.level.coefficients)))

    @property
    def limits(self):
        """What all tiles have in common: ranges and replacements."""
        level, noise = self.sky.level, self.sky.noise
        return {
            "pivot": np.float32(self.pivot),
            "range": np.array([self.sky.low, self.sky.high], np.float32),
            "level_range": np.array(
                [level.low - self.pivot, level.high - self.pivot], np.float32
            ),
            "noise_range": np.array([noise.low, noise.high], np.float32),
            "replacement": np.float32(noise.replacement),
            "full": np.float32(self.sky.full),
        }


@dataclass(frozen=True, eq=False)
class _Batch:
    """Tiles that are evaluated together."""

    pairs: list
    arrays: dict
    common: dict
    width: int

    def finish(self, results):
        """
        Give the results to the bands.

        Parameters
        ----------
        results : list of `~numpy.ndarray` or None
            Of the tiles.

        Yields
        ------
        band : `Band`
            Bands that are complete now.
        """
        for index, (band, tile) in enumerate(self.pairs):
            parts = [None if part is None else part[index] for part in results]
            done = band.add(tile, parts, self.width)
            if done is not None:
                yield done


def make_batches(reader, tiles, tile_shape, batch_size, frame=None):
    """
    Read an image band by band and put its tiles into batches.

    The next band is read in another thread.

    Parameters
    ----------
    reader : `SkyReader`
        Reads rows.

    tiles : list of list of `Tile`
        Rows of tiles.

    tile_shape : tuple of two int
        Size of a tile.

    batch_size : int
        Tiles in a batch.

    frame : `~maximask_astro.inference.frame.Frame`, optional
        What the network knows of the whole image.

    Yields
    ------
    batch : object
        With ``arrays``, ``common`` and ``finish``.
    """
    common, pairs = reader.limits, []

    def batch():
        parts = [
            {
                "images": band.image[:, tile.left : tile.left + tile_shape[1]],
                **reader.arrays(tile.top, tile.left, *tile_shape),
                "told": {}
                if frame is None
                else frame.part(tile.top, tile.left, *tile_shape),
            }
            for band, tile in pairs
        ]
        # A batch that is not full is as large as others: no new compilation.
        parts += parts[-1:] * (batch_size - len(parts))
        arrays = {
            name: [part[name] for part in parts] for name in parts[0] if name != "told"
        }
        arrays = {name: np.stack(values) for name, values in arrays.items()}
        told = {k: np.stack([p["told"][k] for p in parts]) for k in parts[0]["told"]}
        arrays["told"] = told
        return _Batch(list(pairs), arrays, common, reader.shape[1])

    with ThreadPoolExecutor(1) as executor:
        coming = executor.submit(_OpenBand, tiles[0], reader, tile_shape)
        for index in range(len(tiles)):
            band = coming.result()
            if index + 1 < len(tiles):
                coming = executor.submit(
                    _OpenBand, tiles[index + 1], reader, tile_shape
                )
            for tile in band.tiles:
                pairs.append((band, tile))
                if len(pairs) == batch_size:
                    yield batch()
                    pairs.clear()
        if pairs:
            yield batch()
