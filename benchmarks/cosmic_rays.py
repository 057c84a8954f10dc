"""
Cosmic rays: networks against LA Cosmic, deepCR and Cosmic-CoNN (figure 13).

On simulated exposures with cosmic rays and no other contaminants but saturated
pixels, well sampled (FWHM above 2.5 pixels) and undersampled::

    python benchmarks/cosmic_rays.py --models maximask-1.4.1 \
        --output benchmarks/output/cosmic_rays.txt \
        --figure docs/_static/benchmark_cosmic_rays.png

Needs ``pip install astroscrappy deepCR cosmic-conn``; what is missing is left
out, and the output says so. Exposures whose noise is correlated by resampling
are left out, since LA Cosmic is told the noise and should be told the truth;
so are those that are trailed or out of focus, whose FWHM says little. The true
masks are dilated by 3 by 3 pixels as in the paper, and so are those of the
methods that mark the pixels themselves; the networks judged here were trained
on dilated masks.
"""

import sys
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import shared
from astropy.stats import sigma_clipped_stats
from scipy.ndimage import binary_dilation, maximum_filter, median_filter

from maximask_astro.evaluation import ScoreHistogram, completeness_at
from maximask_astro.flags import ABBREVIATIONS

# As in the paper, section 4.1.3.
FWHM_LIMIT = 2.5
REGIMES = ("well sampled", "undersampled")

# astroscrappy's defaults, and the grid around them.
DEFAULT = (4.5, 5.0)
SIGCLIPS = (2.0, 3.0, DEFAULT[0], 9.0, 20.0)
OBJLIMS = (2.0, DEFAULT[1], 10.0)

# Fraction of the full well from which on LA Cosmic takes a pixel as saturated:
# digitization may round the full well down.
_SATURATED = 0.95

RATES = (1e-3, 1e-4)
_STREAM = 100
_MOST = 2000  # exposures to look through for those wanted


def draw_sets(number):
    """Exposures of both regimes: lists of image, truth, scene."""
    frequencies = tuple(
        1.0 if name in ("SAT", "CR") else 0.0 for name in shared.CONTAMINANTS
    )
    everything = shared.ExposureSet("cosmic rays", _MOST, frequencies, _STREAM)
    found = {regime: [] for regime in REGIMES}
    channel = ABBREVIATIONS.index("CR")
    for image, labels, scene in everything.exposures():
        # Resampled, trailed, out of focus.
        if scene.smoothing > 0 or scene.trailing > 0 or scene.defocus > 0:
            continue
        regime = REGIMES[int(scene.fwhm <= FWHM_LIMIT)]
        if len(found[regime]) < number:
            found[regime].append((image, labels[..., channel], scene))
        if all(len(exposures) == number for exposures in found.values()):
            return found
    raise RuntimeError(f"{_MOST} exposures have too few of one regime.")


def electrons(image, scene):
    """The exposure as LA Cosmic and deepCR want it."""
    return (image * scene.gain).astype(np.float32)


class LaCosmic:
    """Rates of astroscrappy's LA Cosmic on a grid of its parameters."""

    def __init__(self):
        self.counts = {
            (clip, limit): np.zeros(4, int) for clip in SIGCLIPS for limit in OBJLIMS
        }

    def add(self, image, truth, scene):
        """Count true and false positives, and what there is of both."""
        import astroscrappy

        data = electrons(image, scene)
        # Its noise model needs a level that is not negative, and knows nothing
        # of what flat fields leave behind: a read noise that makes it right.
        # Differences of neighbors have the noise without the structure.
        data += max(0.0, -float(median_filter(data, 5).min()))
        level, _, _ = sigma_clipped_stats(data)
        _, _, noise = sigma_clipped_stats(np.diff(data, axis=1))
        variance = max(noise**2 / 2 - level, float(scene.read_noise) ** 2)
        for (clip, limit), counts in self.counts.items():
            found, _ = astroscrappy.detect_cosmics(
                data,
                sigclip=clip,
                objlim=limit,
                gain=1.0,
                readnoise=variance**0.5,
                satlevel=_SATURATED * float(scene.full_well),
            )
            found = binary_dilation(found, np.ones((3, 3)))
            counts += [
                (found & truth).sum(),
                (found & ~truth).sum(),
                truth.sum(),
                (~truth).sum(),
            ]

    def rates(self):
        """Completeness and false positive rate by sigclip and objlim."""
        return {
            key: (hit / yes, false / no)
            for key, (hit, false, yes, no) in self.counts.items()
        }


def dilated_logits(probability):
    """Log odds of a mask of probabilities that is dilated by 3 by 3 pixels."""
    probability = maximum_filter(np.asarray(probability, np.float64), 3)
    tiny = 1e-12
    probability = np.clip(probability, tiny, 1 - tiny)
    return np.log(probability) - np.log1p(-probability)


def deepcr_method(mask):
    """A deepCR model as a function of an exposure."""
    import torch
    from deepCR import deepCR

    model = deepCR(mask=mask, device="CPU")

    def logits(image, scene):
        with torch.no_grad():
            found = model.clean(electrons(image, scene), binary=False, segment=False)
        return dilated_logits(found)

    return logits


def cosmic_conn_method(model):
    """A Cosmic-CoNN model as a function of an exposure."""
    from cosmic_conn import init_model

    # It reads the command line of whoever uses it.
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        network = init_model(model)
    finally:
        sys.argv = arguments

    def logits(image, scene):
        return dilated_logits(network.detect_cr(image.astype(np.float32)))

    return logits


def other_methods():
    """Networks of other packages, by name; says which are not there."""
    wanted = {
        "deepCR ACS-WFC": ("deepCR", deepcr_method, "ACS-WFC"),
        "deepCR WFC3-UVIS": ("deepCR", deepcr_method, "WFC3-UVIS"),
        "deepCR DECam": ("deepCR", deepcr_method, "decam"),
        "Cosmic-CoNN ground": ("cosmic-conn", cosmic_conn_method, "ground_imaging"),
        "Cosmic-CoNN ACS-WFC": ("cosmic-conn", cosmic_conn_method, "HST_ACS_WFC"),
    }
    methods = {}
    for name, (package, make, model) in wanted.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                methods[name] = make(model)
            print(f"  {name}: {package} {version(package)}")
        except (ImportError, PackageNotFoundError, OSError) as error:
            print(f"  {name}: left out ({type(error).__name__}: {error})")
    return methods


def evaluate(exposures, evaluators, methods):
    """Histograms of all methods, and the counts of LA Cosmic."""
    channel = ABBREVIATIONS.index("CR")
    histograms = {name: ScoreHistogram(1) for name in (*evaluators, *methods)}
    la_cosmic = LaCosmic()
    for image, truth, scene in exposures:
        for name, evaluator in evaluators.items():
            logits = evaluator(image)[..., channel]
            histograms[name].add(logits[..., None], truth[..., None])
        for name, method in methods.items():
            logits = method(image, scene)
            histograms[name].add(logits[..., None], truth[..., None])
        la_cosmic.add(image, truth, scene)
    return histograms, la_cosmic.rates()


def best_below(rates, limit):
    """The highest completeness of LA Cosmic with at most this rate."""
    allowed = [key for key, (_, false) in rates.items() if false <= limit]
    if not allowed:
        return "none so low"
    key = max(allowed, key=lambda key: rates[key][0])
    return f"{rates[key][0]:.3f} ({key[0]:g}, {key[1]:g})"


def print_regime(regime, exposures, histograms, rates, ours):
    """All methods in a regime."""
    widths = [float(scene.fwhm) for _, _, scene in exposures]
    pixels = sum(int(truth.sum()) for _, truth, _ in exposures)
    completeness, false = rates[DEFAULT]
    print(f"{regime.capitalize()}: {len(exposures)} exposures of "
          f"{' x '.join(map(str, shared.SHAPE))}, FWHM {min(widths):.1f} to "
          f"{max(widths):.1f} pixels, {pixels} pixels of cosmic rays")  # fmt: skip
    label = f"{false:.2e} (LA Cosmic's)"
    print(f"  {'completeness at FP rates of':<26s}{'AUC':>8s}{label:>24s}"
          + "".join(f"{rate:>18.0e}" for rate in RATES))  # fmt: skip
    for name, histogram in histograms.items():
        columns = "".join(
            f"{completeness_at(histogram, rate)[0]:>{width}.3f}"
            for rate, width in ((false, 24), (RATES[0], 18), (RATES[1], 18))
        )
        print(f"  {name:<26s}{histogram.auc()[0]:>8.4f}{columns}")
    columns = "".join(f"{best_below(rates, rate):>18s}" for rate in RATES)
    print(f"  {'LA Cosmic':<26s}{'':>8s}{completeness:>24.3f}{columns}")
    for name in ours:
        reached = completeness_at(histograms[name], false)[0]
        word = "met" if reached > completeness else "NOT MET"
        print(f"  {name} more complete than LA Cosmic at its FP rate: {word}")
    print()


def draw(results, ours, path):
    """Completeness against false positive rate, a panel a regime."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(15, 5), layout="constrained")
    for ax, (regime, (histograms, rates)) in zip(axes, results.items(), strict=True):
        others = iter((("--", "0.1"), ("-.", "0.45"), (":", "0.3"),
                       ("--", "#f0a500"), (":", "#b8860b")))  # fmt: skip
        main = (("-", color) for color, _ in shared.with_colors(ours))
        for name, histogram in histograms.items():
            completeness, false = histogram.rates()
            mine = name in ours
            style, color = next(main if mine else others)
            # Without the point where nothing is found: many pixels may share
            # the highest probability.
            ax.plot(
                false[0, 1:],
                completeness[0, 1:],
                style,
                label=name,
                color=color,
                lw=2 if mine else 1.2,
            )
        for limit, marker in zip(OBJLIMS, "v^s", strict=True):
            points = np.array([rates[clip, limit] for clip in SIGCLIPS])
            ax.plot(
                points[:, 1],
                points[:, 0],
                marker + ":",
                color="#1565c0",
                ms=5,
                lw=0.8,
                label=f"LA Cosmic, objlim {limit:g}, sigclip "
                f"{SIGCLIPS[0]:g} to {SIGCLIPS[-1]:g}",
            )
        hit, false = rates[DEFAULT]
        ax.plot(false, hit, "*", color="#1565c0", ms=16, label="LA Cosmic, defaults")
        sign = ">" if regime == REGIMES[0] else "<"
        ax.set(
            title=f"{regime.capitalize()} (FWHM {sign} {FWHM_LIMIT} pixels)",
            xscale="log",
            xlim=(1e-5, 1),
            ylim=(0, 1.02),
            xlabel="false positive rate",
            ylabel="completeness (pixels)",
        )
        ax.grid(alpha=0.3)
    figure.legend(
        *axes[0].get_legend_handles_labels(), fontsize=8, loc="outside right center"
    )
    shared.save_figure(figure, path)


def main(args):
    """Print the tables and draw the figure."""
    evaluators = shared.load_evaluators(args.models)
    shared.print_header(
        "Cosmic rays on exposures simulated by this package (LA Cosmic is given the "
        "gain,\nthe measured noise and the saturation level)",
        [evaluator.model for evaluator in evaluators.values()],
    )
    print("Others")
    print(f"  LA Cosmic: astroscrappy {version('astroscrappy')}, defaults (sigclip,")
    print(f"    objlim) = {DEFAULT}; in the last two columns the best of sigclip")
    print(f"    {SIGCLIPS} and objlim {OBJLIMS}")
    methods = other_methods()
    print()
    results = {}
    for regime, exposures in draw_sets(args.number).items():
        histograms, rates = evaluate(exposures, evaluators, methods)
        print_regime(regime, exposures, histograms, rates, evaluators)
        results[regime] = histograms, rates
    if args.figure is not None:
        draw(results, evaluators, args.figure)


if __name__ == "__main__":
    sys.exit(shared.run(main, shared.make_parser(__doc__, number=24).parse_args()))
