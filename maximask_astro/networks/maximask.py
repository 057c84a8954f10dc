"""
The MaxiMask network (Paillassa, Bertin & Bouy 2020, A&A 634, A48).

An encoder and decoder of 3 by 3 convolutions whose pooling positions are
shared, with four extra decoding paths that start from coarser levels
(their section 3.1.1 and figure 10; layer sizes as in the network published
with MaxiMask 1.4.1).
"""

__all__ = ["maximask"]


def maximask(
    graph,
    image,
    *,
    n_classes=14,
    channels=(32, 64, 128, 256, 256, 256),
):
    """
    Apply the MaxiMask network.

    Parameters
    ----------
    graph : object
        How to compute: a ``KerasGraph``, or another with the same operations.

    image : object
        What the graph takes for maps: the image, one channel.

    n_classes : int
        As of `~maximask_astro.models.build_maximask`.

    channels : tuple of 6 int
        As of `~maximask_astro.models.build_maximask`.

    Returns
    -------
    logits : object
        Another, with ``n_classes`` channels.
    """
    x = graph.arcsinh(image)

    # Each encoder level keeps its map, for the skips, and its pooling positions.
    names = (("1",), ("2",), ("3_1", "3_2"), ("4_1", "4_2"), ("5_1", "5_2"))
    maps, positions = [], []
    for level_channels, level_names in zip(channels, names, strict=False):
        for name in level_names:
            x = graph.conv(x, f"conv{name}", level_channels)
        maps.append(x)
        x, level_positions = graph.pool_with_positions(x)
        positions.append(level_positions)
    x = graph.conv(x, "convmid", channels[5])

    # Each decoder level ends with the channels of the level above it.
    ends = (n_classes, *channels[:4])
    decoded = []
    for level in range(4, -1, -1):
        x = graph.add(graph.unpool(x, positions[level], maps[level]), maps[level])
        for name in names[level][:0:-1]:
            x = graph.conv(x, f"upconv{name}", channels[level])
        x = graph.conv(x, f"upconv{names[level][0]}", ends[level])
        decoded.append(x)

    # The extra paths start where the decoder's levels 5 to 2 end.
    outputs = [x]
    for path, start in zip((4, 3, 2, 1), decoded[:4], strict=True):
        x = start
        for level in range(path - 1, -1, -1):
            x = graph.unpool(x, positions[level], maps[level])
            x = graph.conv(x, f"ucp{path}_conv{level + 1}", ends[level])
        outputs.append(x)
    return graph.conv(
        graph.concatenate(outputs), "final_conv", n_classes, activation=None
    )
