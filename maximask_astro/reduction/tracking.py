"""A reduction step that judges how the telescope tracked."""

from copy import deepcopy
from functools import lru_cache

from maximask_astro.reduction.inputs import require_ccd
from maximask_astro.reduction.log import log_step
from maximask_astro.tracking import TrackingClassifier
from maximask_astro.utils.headers import card_text, set_card

__all__ = ["tracking_quality"]


@lru_cache(maxsize=1)
def _default_classifier():
    return TrackingClassifier()


def _cards(result):
    """Keyword, value and comment; None where something is not known."""
    found = result.summary()
    sha = found.get("weights_sha256", "")[:32]
    cards = [
        ("TRKVERD", found["verdict"], "verdict on the tracking of the telescope"),
        ("TRKPROB", found["probability"], "probability of a tracking error"),
        ("TRKSIG", found["uncertainty"], "standard deviation of TRKPROB"),
        ("TRKPRIOR", found["prior"], "probability of a tracking error before looking"),
        ("TRKTHRSH", found["threshold"], "affected if TRKPROB is above this"),
        ("TRKDEFOC", found["defocus_probability"], "probability of a defocus"),
        ("TRKLEN", found["blur_length_pix"], "[pix] length of the blur"),
        ("TRKANG", found["blur_angle_deg"], "[deg] angle of the blur from x to y"),
        ("TRKTILES", found["tiles_judged"], "tiles with enough stars to judge"),
        ("TRKMODEL", found.get("model", ""), "model that judged the tracking"),
        ("TRKSHA", sha, "start of its SHA-256"),
        ("TRKVERS", found.get("version", ""), "version of maximask_astro"),
    ]
    for keyword, value, comment in cards:
        if isinstance(value, str):
            value = card_text(value, comment)
        yield keyword, value, comment


def tracking_quality(ccd, classifier=None, *, add_keyword=True):
    """
    Judge from the stars whether the telescope tracked, and note it in the header.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The exposure, raw or at any stage of its reduction.

    classifier : `~maximask_astro.tracking.TrackingClassifier`, optional
        The classifier to use; one with all defaults if left out.

    add_keyword : bool, None, str, `~ccdproc.Keyword` or dict, optional
        What to add to the header about this step: True for its name and
        arguments, False or None for nothing, or keywords of your own.

    Returns
    -------
    judged : `~astropy.nddata.CCDData`
        A copy with these keywords in its ``meta``; those about what is not
        known are not there. All else is that of ``ccd``.

        * ``TRKVERD``: ``'affected'``, ``'tracked'`` or ``'undecided'``
        * ``TRKPROB``, ``TRKSIG``: probability of a tracking error, in [0, 1],
          and its standard deviation
        * ``TRKPRIOR``, ``TRKTHRSH``: prior, and threshold of the verdict
        * ``TRKDEFOC``: probability that the telescope was out of focus
        * ``TRKLEN``, ``TRKANG``: length of the blur in pixels, and its angle in
          degrees from the columns' axis (x) towards the rows' (y)
        * ``TRKTILES``: number of tiles with enough stars to judge
        * ``TRKMODEL``, ``TRKSHA``, ``TRKVERS``: the model, the start of the
          SHA-256 of its weights, and the version of this package

    Raises
    ------
    TypeError
        ``ccd`` is not CCDData.

    Warns
    -----
    MaximaskWarning
        Nothing of the exposure can be judged; the verdict is ``'undecided'``.
    """
    require_ccd(ccd)
    classifier = _default_classifier() if classifier is None else classifier
    result = classifier(ccd)
    judged = ccd.copy()
    if ccd.flags is not None:  # they are not copied
        judged.flags = deepcopy(ccd.flags)
    for keyword, value, comment in _cards(result):
        if value is not None:
            set_card(judged.meta, keyword, value, comment)
        elif keyword in judged.meta:  # of an earlier verdict
            del judged.meta[keyword]
    log_step(
        judged, "tracking_quality", "trackqua", {"classifier": classifier}, add_keyword
    )
    return judged
