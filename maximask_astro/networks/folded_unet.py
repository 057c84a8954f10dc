"""
A U-Net made for CPUs as much as for accelerators.

Its stem folds 2 by 2 pixels into channels (space to depth), so that nearly all
of the work is done on a quarter of the pixels in dense 3 by 3 convolutions; its
head unfolds them again. A few channels at full resolution bypass the fold: they
carry what single pixels show, and let a last convolution mend the blocks that
unfolding alone would leave.
"""

__all__ = ["folded_unet"]


def folded_unet(
    graph,
    image,
    *,
    n_classes=14,
    channels=(24, 48, 96, 144, 192),
    fine=8,
    detail=12,
):
    """
    Apply the folded U-Net.

    Parameters
    ----------
    graph : object
        How to compute: a ``KerasGraph``, or another with the same operations.

    image : object
        What the graph takes for maps: the image, one channel.

    n_classes : int
        As of `~maximask_astro.models.build_folded_unet`.

    channels : tuple of int
        As of `~maximask_astro.models.build_folded_unet`.

    fine, detail : int
        As of `~maximask_astro.models.build_folded_unet`.

    Returns
    -------
    logits : object
        Another, with ``n_classes`` channels.
    """
    conv = graph.conv
    x = graph.arcsinh(image)
    full = conv(x, "fine", fine)
    x = graph.concatenate([graph.fold(x), graph.fold(full)])

    skips = []
    for level, filters in enumerate(channels, start=1):
        if level > 1:
            x = graph.pool(x)
        x = conv(x, f"down{level}a", filters)
        if level > 1:
            x = conv(x, f"down{level}b", filters)
        if level == len(channels):  # for the widest view
            x = graph.add(x, conv(x, "bottom", filters))
        skips.append(x)
    for level in range(len(channels) - 1, 0, -1):
        # A 1 by 1 convolution before upsampling, where there are fewer pixels.
        x = conv(x, f"narrow{level}", channels[level - 1], 1)
        x = graph.upsample(x, f"up{level}")
        x = graph.add(x, skips[level - 1])
        x = conv(x, f"up{level}a", channels[level - 1])
    x = conv(x, "detail", 4 * detail, 1)
    x = graph.concatenate([graph.unfold(x), full])
    return conv(x, "logits", n_classes, activation=None)
