"""Model cards: what is known about a model, stored beside its weights."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from maximask_astro.flags import get_class
from maximask_astro.utils.errors import ModelIntegrityError

__all__ = ["ModelCard"]

_NUMBERS = re.compile(r"\[[-+.,\deE\s]+\]")


@dataclass(frozen=True)
class ModelCard:
    """
    What is known about a model.

    Parameters
    ----------
    name : str
        Name by which the model is asked for.

    task : {'contaminants', 'tracking'}
        What the model is for.

    description : str
        What the model is, in a sentence or two.

    architecture : str
        Key of `maximask_astro.models.ARCHITECTURES`.

    options : dict
        Arguments of the architecture's builder.

    source : dict
        Where the weights come from. For published networks: the ``package``
        to ask pip for, the ``wheel`` and its ``wheel_sha256``, the
        ``checkpoint`` directory in it and its ``data_sha256``.

    license, citation : str
        Of the weights.

    classes : tuple of str
        What the outputs are, in order.

    training_priors : dict of str to float
        Fraction of each class in the training set.

    priors : dict of str to float
        Default prior of each class; those of the table of classes where left out.

    thresholds : dict of str to float
        Default threshold of each class.

    input : dict
        ``block``: size in pixels that the network was trained on; ``stride``:
        its output shifts with the input only in multiples of this; ``halo``:
        how far in pixels a pixel's value can matter, rounded up to a multiple
        of the stride. For tracking: ``smallest``, the side of the smallest
        tile; ``temperature``, by which evidence is divided; ``correlation`` of
        tiles, see `maximask_astro.inference.combine_evidence`.

    normalization : str
        Key of `maximask_astro.background.NORMALIZATIONS`.

    weights_sha256 : str
        Digest of the weights, see `maximask_astro.weights.weights_digest`.

    likeness_sha256 : str
        Digest of what tells images that are unlike the exposures that the model was
        trained on; empty if the model does not know.

    known_limits : tuple of str
        Where the model fails, in sentences.

    roc : dict of str to dict
        Points of the ROC curve of each class, see
        `maximask_astro.weights.logit_at_rate`: lists ``fpr``, ``tpr`` and
        ``logit`` (the network's log odds above which a pixel counts), from the
        lowest false-positive rate to the highest.

    spread : dict of str to dict
        How uncertain probabilities of each class are, see
        `maximask_astro.weights.look_up_uncertainty`: lists ``logit`` (the
        network's log odds, at its training priors, in ascending order) and
        ``sigma``, the standard deviation over skies of the logit of the fraction of
        pixels that are of the class where the network gives that; perhaps also
        ``simulated`` and ``real``, the same over simulated and over real skies, None
        where these were too few.

    figures : dict of str to dict
        What was measured with the model: by test set, numbers by name.

    training : dict
        How the model was made: ``recipe``, ``seed``, ``steps``, ``exposures``,
        ``minutes``, ``device``, ``version`` and ``commit`` of this package.
    """

    name: str
    task: str
    description: str
    architecture: str
    source: dict
    license: str
    citation: str
    classes: tuple
    input: dict
    normalization: str
    weights_sha256: str
    options: dict = field(default_factory=dict)
    training_priors: dict = field(default_factory=dict)
    priors: dict = field(default_factory=dict)
    thresholds: dict = field(default_factory=dict)
    likeness_sha256: str = ""
    known_limits: tuple = ()
    roc: dict = field(default_factory=dict)
    spread: dict = field(default_factory=dict)
    figures: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)

    @classmethod
    def read(cls, path):
        """
        Read a card from a JSON file.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        card : `ModelCard`
            The card.

        Raises
        ------
        ModelIntegrityError
            The file is missing, or is not a model card.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            for name in ("classes", "known_limits"):
                content[name] = tuple(content.get(name, ()))
            return cls(**content)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelIntegrityError(
                f"{path} is not a readable model card: {error}."
            ) from error

    def prior(self, name):
        """
        Give the default prior of a class.

        Parameters
        ----------
        name : str
            Abbreviation of the class.

        Returns
        -------
        prior : float
            The fraction of the pixels that is expected to be of it.
        """
        return self.priors.get(name, get_class(name).prior)

    def write(self, path):
        """
        Write the card to a JSON file.

        Parameters
        ----------
        path : path-like
            The file.
        """
        text = json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"
        # Numbers of a list share a line.
        text = _NUMBERS.sub(lambda found: " ".join(found[0].split()), text)
        Path(path).write_text(text, encoding="utf-8")
