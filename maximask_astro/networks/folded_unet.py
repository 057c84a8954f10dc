"""
A U-Net made for CPUs as much as for accelerators.

Its stem folds 2 by 2 pixels into channels (space to depth), so that nearly all
of the work is done on a quarter of the pixels in dense 3 by 3 convolutions; its
head unfolds them again. A few channels at full resolution bypass the fold: they
carry what single pixels show, and let a last convolution mend the blocks that
unfolding alone would leave.

It may have a view of the whole frame, too, see `maximask_astro.networks.frame`.
"""

from maximask_astro.networks.frame import frame_features, line_features

__all__ = ["folded_unet", "frame_networks"]

# Level at which pixels are as large as the blocks of the view.
_BLOCK_LEVEL = 3


def folded_unet(
    graph,
    image,
    context=None,
    *,
    n_classes=14,
    channels=(24, 48, 96, 144, 192),
    fine=8,
    detail=12,
    frame=(),
    features=16,
    lines=(8, 8),
):
    """
    Apply the folded U-Net.

    Parameters
    ----------
    graph : object
        How to compute: a ``KerasGraph``, or another with the same operations.

    image : object
        What the graph takes for maps: the image, one channel.

    context : `~maximask_astro.networks.frame.FrameContext`, optional
        What the frame has around it, for a network with a whole-frame view.

    n_classes : int
        As of `~maximask_astro.models.build_folded_unet`.

    channels : tuple of int
        As of `~maximask_astro.models.build_folded_unet`.

    fine, detail : int
        As of `~maximask_astro.models.build_folded_unet`.

    frame : tuple of int
        As of `~maximask_astro.models.build_folded_unet`.

    features : int
        As of `~maximask_astro.models.build_folded_unet`.

    lines : tuple of int
        As of `~maximask_astro.models.build_folded_unet`.

    Returns
    -------
    logits : object
        Another, with ``n_classes`` channels.

    Raises
    ------
    ValueError
        There are too few levels for a whole-frame view.
    """
    if frame and len(channels) < _BLOCK_LEVEL:
        raise ValueError(
            f"A network with a whole-frame view needs {_BLOCK_LEVEL} levels, not "
            f"{len(channels)}"
        )
    conv = graph.conv

    def tell(x):
        """Add what is known of the frame to a map with pixels as large as blocks."""
        if not frame:
            return x
        told = graph.features_of(context, x)
        told = conv(told, "told", channels[_BLOCK_LEVEL - 1], 1, activation=None)
        return graph.add(x, told)

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
    if len(channels) == _BLOCK_LEVEL:
        x = tell(x)
    for level in range(len(channels) - 1, 0, -1):
        # A 1 by 1 convolution before upsampling, where there are fewer pixels.
        x = conv(x, f"narrow{level}", channels[level - 1], 1)
        x = graph.upsample(x, f"up{level}")
        x = graph.add(x, skips[level - 1])
        if level == _BLOCK_LEVEL:
            x = tell(x)
        x = conv(x, f"up{level}a", channels[level - 1])
    x = conv(x, "detail", 4 * detail, 1)
    x = graph.concatenate([graph.unfold(x), full])
    logits = conv(x, "logits", n_classes, activation=None)
    return graph.add_lines(logits, context, "line_logits") if frame else logits


def frame_networks(*, frame=(), features=16, lines=(8, 8), **options):
    """
    Give the networks of the whole-frame view.

    Parameters
    ----------
    frame, features, lines : tuple of int, int, tuple of int
        As of `~maximask_astro.models.build_folded_unet`.

    **options
        Other options of it, which do not matter here.

    Returns
    -------
    networks : tuple of two callable or None
        From a graph and the view's blocks, or columns or rows, to their features;
        None for a network without such a view.
    """
    if not frame:
        return None

    def of_blocks(graph, blocks):
        return frame_features(graph, blocks, channels=frame, features=features)

    def of_lines(graph, segments):
        return line_features(
            graph, segments, channels=lines, features=max(features // 4, 1)
        )

    return of_blocks, of_lines
