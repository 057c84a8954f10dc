"""What several tests share: a stand-in for the published network, and exposures."""

from dataclasses import replace

import numpy as np

from maximask_astro.utils.compiling import compiled
from maximask_astro.weights import (
    LoadedModel,
    make_test_block,
    packaged_card,
    save_model,
    weights_digest,
)

# Frequencies in simulated exposures, for tests: what is there always or never.
SIMULATED_OFTEN = {"CR": 1.0, "OV": 1.0, "FR": 0.0, "HCL": 0.0}

TINY_CHANNELS = (4, 6, 8, 10, 12, 12)


# Of XLA: what is compiled fastest, and runs a few times slower.
_IN_A_HURRY = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


def quick_jit(function, **options):
    """As `jax.jit`, for functions that run a few times only."""
    return compiled(function, on_cpu=_IN_A_HURRY, **options)


def make_exposure(shape=(100, 120)):
    """An exposure with a sky of 1000, noise of 10, stars, a trail and a bad column."""
    height, width = shape
    return 1000 + 10 * make_test_block(max(shape))[:height, :width]


def random_weights(shapes, seed=1):
    """Seeded weights that keep the signal's strength from layer to layer."""
    random = np.random.RandomState(seed)
    weights = {}
    for path, shape in shapes.items():
        scale = 0.1 if len(shape) == 1 else np.sqrt(2 / np.prod(shape[:-1]))
        if path.startswith("final"):
            scale *= 4  # logits far from 0: every verdict occurs
        weights[path] = (scale * random.standard_normal(shape)).astype(np.float32)
    return weights


def tiny_weights():
    """Random weights for a MaxiMask network with few channels, by path."""
    from maximask_astro.models import build_maximask

    network = build_maximask(channels=TINY_CHANNELS, kernel_initializer="zeros")
    return random_weights({v.path: tuple(v.shape) for v in network.weights})


def tiny_card(weights):
    """The card of the stand-in: the published network's, but for its blocks."""
    return replace(
        packaged_card("maximask-1.4.1"),
        name="tiny",
        description="Random weights, for tests.",
        source={},
        license="none",
        citation="none",
        options={"channels": list(TINY_CHANNELS)},
        input={"block": 64, "stride": 32, "halo": 192},
        weights_sha256=weights_digest(weights),
        known_limits=(),
    )


def save_tiny_model(directory):
    """Write the stand-in's directory, with test tensors that it passes."""
    import jax

    weights = tiny_weights()
    card = tiny_card(weights)
    network = LoadedModel(card, weights, directory).network
    values = [variable.value for variable in network.trainable_variables]
    image = make_test_block(card.input["block"])[None, :, :, None]
    logits, _ = jax.jit(network.stateless_call)(values, [], image)
    rows = columns = np.arange(0, 64, 3)
    probabilities = np.asarray(jax.nn.sigmoid(logits))[0][rows, columns]
    test = {"rows": rows, "columns": columns, "probabilities": probabilities}
    save_model(directory, card, weights, test)
    return directory


def likeness_weights():
    """Weights that find patches in which some pixels are far above the others."""
    from maximask_astro.networks import likeness_shapes

    values = {k: np.zeros(s, np.float32) for k, s in likeness_shapes().items()}
    for number in range(4):
        values[f"conv_{number}/kernel"][1, 1, 0, 0] = 1.0
    n = values["hidden/kernel"].shape[0] // 2
    values["hidden/kernel"][n, 0] = 1.0  # the largest value
    values["out/kernel"][0, 0] = 1.0
    values["out/bias"][0] = -2.0
    # The mean of the patches, as it is.
    values["image_scale"][:] = 1.0
    values["image/kernel"][0, 0] = 1.0
    return values


def with_bright_pixels(image):
    """An image that `likeness_weights` find unlike noise: where its kernels look."""
    image = image.copy()
    image[15::16, 15::16] += 1e5
    return image


def knows_noise(model, directory):
    """A model that knows noise, and nothing else, saved."""
    from maximask_astro.inference import PatchReader, image_score

    weights, scores = likeness_weights(), []
    for seed in range(20):
        image = np.random.RandomState(seed).normal(500, 20, (256, 256))
        patches = PatchReader(lambda a, b, i=image: (i[a:b], None), image.shape)
        scores.append(image_score(weights, patches.patches()))
    likeness = {**weights, "scores": np.sort(scores).astype(np.float32)}
    card = replace(model.card, likeness_sha256=weights_digest(likeness))
    save_model(directory, card, model.weights, {"rows": np.arange(3)}, likeness)
    return directory
