"""Put together what is found out about the planes of an exposure, band by band."""

import numpy as np

__all__ = ["CubeArrays", "arrays_of"]


def arrays_of(band):
    """
    Take the arrays of a map out of a band.

    Parameters
    ----------
    band : `~maximask_astro.inference.Band`
        Some rows of an image.

    Returns
    -------
    arrays : tuple of `~numpy.ndarray` or None
        Verdicts, invalid pixels, probabilities and uncertainties.
    """
    invalid = band.invalid
    if invalid is None:
        invalid = np.zeros(band.codes.shape, bool)
    return band.codes, invalid, band.probabilities, band.uncertainties


class CubeArrays:
    """
    Verdicts, invalid pixels, and probabilities and uncertainties if there are any.

    Parameters
    ----------
    shape : tuple of three int
        Of the exposure: planes, height and width.

    n_classes : int
        Number of classes.
    """

    def __init__(self, shape, n_classes):
        self._codes = np.zeros(shape, np.uint32)
        self._invalid = np.zeros(shape, bool)
        self._cube = n_classes, *shape
        self._planes = [None, None]

    def add(self, index, band):
        """
        Take some rows of a plane.

        Parameters
        ----------
        index : int
            Which plane.

        band : `~maximask_astro.inference.Band`
            Its rows.
        """
        codes, invalid, *planes = arrays_of(band)
        self._codes[index, band.rows] = codes
        self._invalid[index, band.rows] = invalid
        for number, part in enumerate(planes):
            if part is not None:
                if self._planes[number] is None:
                    self._planes[number] = np.empty(self._cube, np.float32)
                self._planes[number][:, index, band.rows] = part

    def reshaped(self, shape):
        """
        Give the arrays.

        Parameters
        ----------
        shape : tuple of int
            Of the exposure, which may have two dimensions.

        Returns
        -------
        arrays : list of `~numpy.ndarray` or None
            uint32 verdicts and boolean invalid pixels, of this shape; float32
            probabilities and uncertainties, with the classes in front.
        """
        planes = [
            part if part is None else part.reshape(len(part), *shape)
            for part in self._planes
        ]
        return [self._codes.reshape(shape), self._invalid.reshape(shape), *planes]
