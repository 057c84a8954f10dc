"""
A U-Net made for CPUs as much as for accelerators.

Its stem folds 2 by 2 pixels into channels (space to depth), so that nearly all
of the work is done on a quarter of the pixels in dense 3 by 3 convolutions; its
head unfolds them again. A few channels at full resolution bypass the fold: they
carry what single pixels show, and let a last convolution mend the blocks that
unfolding alone would leave.
"""

from maximask_astro.background import VIEW_CHANNELS
from maximask_astro.models.first_weights import HE_NORMAL
from maximask_astro.models.graph import KerasGraph
from maximask_astro.networks import FrameContext, folded_unet, frame_functions
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["build_folded_unet"]

keras = import_keras()

# Layers that begin with zeros: what the frame says is learned in addition to what the
# image says.
_SILENT = ("told", "line_logits", "block_logits")


def build_folded_unet(
    *,
    n_classes=14,
    channels=(24, 48, 96, 144, 192),
    fine=8,
    detail=12,
    frame=(),
    features=16,
    lines=(8, 8),
    kernel_initializer=HE_NORMAL,
):
    """
    Build the folded U-Net.

    Parameters
    ----------
    n_classes : int, optional
        Number of output classes.

    channels : tuple of int, optional
        Channels at 1/2, 1/4, ... of the full resolution; one level each.

    fine : int, optional
        Channels at full resolution.

    detail : int, optional
        Channels that the folded part hands to the full resolution.

    frame : tuple of int, optional
        Channels at 1/8, 1/16, ... of the full resolution of the network that sees
        the whole frame, one level each. Without any there is none.

    features : int, optional
        Numbers that it tells about each block of 8 by 8 pixels; about each segment of
        a column or row, a fourth as many are told.

    lines : tuple of int, optional
        Channels of the layers that look along columns and rows.

    kernel_initializer : str or `keras.Initializer`, optional
        First values of the kernels; ``'zeros'`` for a network that is about to
        be given its weights.

    Returns
    -------
    model : `keras.Model`
        From sky-subtracted images in units of the sky noise, shape (batch,
        height, width, 1), float32, to logits, shape (batch, height, width,
        ``n_classes``). Height and width must be multiples of 2 to the power of
        the number of levels. With a view of the whole frame, it takes a dictionary:
        besides the ``image``, ``blocks``, ``columns`` and ``rows`` of the frame's
        view (see `maximask_astro.background.FrameView`) and the ``origin`` of the
        image in the frame, two integers each that are multiples of 8; rows and
        columns of blocks must be multiples of 2 to the power of the number of its
        levels less one. It gives another output for training: logits of the blocks.
    """
    graph = KerasGraph(kernel_initializer)
    image = keras.Input((None, None, 1), name="image")
    options = {
        "n_classes": n_classes,
        "channels": channels,
        "fine": fine,
        "detail": detail,
    }
    if not frame:
        logits = folded_unet(graph, image, **options)
        return keras.Model(image, logits, name="folded_unet")
    options.update(frame=frame, features=features, lines=lines)
    view = {
        "blocks": keras.Input((None, None, VIEW_CHANNELS), name="blocks"),
        "columns": keras.Input((None, None, 3), name="columns"),
        "rows": keras.Input((None, None, 3), name="rows"),
    }
    origin = keras.Input((2,), dtype="int32", name="origin")
    of_blocks, of_lines = frame_functions("folded_unet", options)
    told = of_blocks(graph, view["blocks"])
    # The same layers for columns and rows.
    segments = keras.Input((None, None, 3), name="segments")
    lines_of = keras.Model(segments, of_lines(graph, segments), name="lines")
    context = FrameContext(
        told, lines_of(view["columns"]), lines_of(view["rows"]), origin
    )
    logits = folded_unet(graph, image, context, **options)
    of_blocks = graph.conv(told, "block_logits", n_classes, 1, activation=None)
    inputs = {"image": image, **view, "origin": origin}
    model = keras.Model(inputs, [logits, of_blocks], name="folded_unet")
    for name in _SILENT:
        kernel = model.get_layer(name).kernel
        kernel.assign(keras.ops.zeros(kernel.shape))
    return model
