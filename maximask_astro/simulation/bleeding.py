"""Charge that bleeds from saturated pixels, and the trails that it leaves."""

import jax
import jax.numpy as jnp

from maximask_astro.simulation.draws import log_between, uniforms

__all__ = ["bleed"]

# Most detectors let as much charge flow up as down, a few let it flow unevenly,
# and in some a barrier stops one of the two directions.
_EVEN, _ONE_WAY = 0.6, 0.15
_UNEVEN_SHARES = (0.2, 0.8)

# Tails: charge that traps took from a trail and release later, so that its end
# fades in the sky. How often there are any, over how many pixels they fade, and
# how bright a tail after a long trail starts, in units of the full well. Seen
# in raw frames of deep-depleted detectors.
_WITH_TAILS = 0.5
_TAIL_SCALES = (2.0, 100.0)
_TAIL_STRENGTHS = (0.01, 1.0)
# Columns differ by up to this.
_TAIL_SCATTER = 0.7
# Tails are labeled where they exceed the noise by this.
_SHOWING = 3.0

# Trails from stars outside of the frame: how often, breadth (half of it, in
# pixels) and length (in units of the frame's).
INTRUDING = 0.1
_BREADTHS = (0.5, 6.0)
_LENGTHS = (0.03, 1.5)

# How often charge that reaches an edge piles up along it, from how many full
# pixels on, how deep in pixels and how far, at most, on either side; and how
# often those pixels are as full as can be rather than drained in part.
_PILES_UP = 0.25
_FEWEST_LOST = 5.0
_DEPTHS = (1.0, 24.0)
_FARTHEST = 80.0
_FULL_ALONG_EDGE = 0.6


def _flow(image, full_well, share, strength=0.0, decay=0.0):
    """
    Let a part of the excess flow up and the rest down, until it fills pixels.

    Returns the image without tails, and the tails.
    """
    excess = jnp.maximum(image - full_well, 0.0)
    filled = jnp.minimum(image, full_well)
    captured = (1 - decay) * strength * full_well
    nothing = jnp.zeros(image.shape[1])

    def flow(start, excess):
        def step(carry, row):
            (charge, trapped), (here, extra) = carry, row
            total = here + charge + extra
            kept = jnp.minimum(total, full_well)
            passing = total > kept
            trapped = decay * trapped + jnp.where(passing, captured, 0.0)
            return (total - kept, trapped), (kept, jnp.where(passing, 0.0, trapped))

        lines = (start, excess)
        return jax.lax.scan(step, (nothing, nothing), lines)[1]

    down, tail_down = flow(filled, excess * share)
    up, tail_up = flow(down[::-1], (excess * (1 - share))[::-1])
    return up[::-1], tail_down + tail_up[::-1]


def _turn(turned, square):
    """A square image, transposed or as it is."""
    return jax.lax.cond(turned, jnp.transpose, lambda same: same, square)


def _share(draw):
    """Part of the excess that flows down."""
    low, high = _UNEVEN_SHARES
    one_way = jnp.where(draw.uneven < 0.5, 0.0, 1.0)
    share = jnp.where(draw.ways < 1 - _ONE_WAY, low + (high - low) * draw.uneven, 0.0)
    share = jnp.where(draw.ways < 1 - _ONE_WAY, share, one_way)
    return jnp.where(draw.ways < _EVEN, 0.5, share)


def _intrude(draw, side, height, width, tail, scale):
    """How full, from 0 to 1, a trail from a star outside of the frame makes pixels."""
    rows, columns = jnp.arange(side)[:, None], jnp.arange(side)
    rows = jnp.where(draw.from_end < 0.5, rows, height - 1 - rows)
    from_middle = jnp.abs(columns - jnp.floor(width * draw.place))
    from_middle = from_middle / log_between(draw.breadth, *_BREADTHS)
    # Longest in the middle of the trail.
    length = height * log_between(draw.far, *_LENGTHS)
    length = jnp.minimum(length * (1 - draw.taper * from_middle), height)
    within = (from_middle < 1) & (rows >= 0) & (rows < height) & (columns < width)
    fading = tail * jnp.exp(-jnp.maximum(rows - length, 0.0) / scale)
    return jnp.where(within, jnp.where(rows < length, 1.0, fading), 0.0)


def _run_along_edge(draw, lost, height, width):
    """Where charge that left the frame piles up along its edge, and how much."""
    columns = jnp.arange(len(lost))
    rows = columns[:, None]
    rows = jnp.where(draw.edge_end < 0.5, rows, height - 1 - rows)
    total = lost.sum()
    middle = (lost * columns).sum() / jnp.maximum(total, 1.0)
    deep = log_between(draw.deep, *_DEPTHS)
    reach = jnp.clip(total / (2 * deep), 1.0, _FARTHEST)
    along = (columns - middle) / reach
    inside = (rows >= 0) & (rows < deep * (1 - along**2)) & (columns < width)
    level = jnp.where(draw.edge_level < _FULL_ALONG_EDGE, 1.0, draw.edge_level)
    there = (total > _FEWEST_LOST) & (draw.piles_up < _PILES_UP)
    return inside & there, level


def bleed(key, image, scene, full_well, least, intrudes, along_rows):
    """
    Let the charge that pixels cannot hold bleed along columns or rows.

    Parameters
    ----------
    key : array
        PRNG key.

    image : array
        Electrons, shape (height, width), sky included.

    scene : `Scene`
        The exposure.

    full_well, least : float
        Electrons that a pixel can hold, and from how many on it is called
        saturated.

    intrudes : bool
        Whether a trail enters from a star outside of the frame.

    along_rows : bool
        Whether charge moves along rows instead of columns.

    Returns
    -------
    image : array
        Electrons, at most ``full_well``. The excess fills the neighbors along
        the column; in some exposures the trails end in tails that fade, and
        what leaves the frame piles up along its edge.

    full : array
        Boolean: trails, and tails while they exceed 3 times the local noise.
    """
    first, second = jax.random.split(key)
    draw = uniforms(
        first,
        *("ways", "uneven", "tails", "tail_scale", "tail_strength"),
        *("place", "breadth", "far", "taper", "from_end"),
        *("piles_up", "deep", "edge_level", "edge_end"),
    )
    height, width = image.shape
    side = max(height, width)
    rows = jnp.where(along_rows, width, height)
    columns = jnp.where(along_rows, height, width)
    # Made square, so that one flow serves both directions.
    square = jnp.pad(image, ((0, side - height), (0, side - width)))
    turned = _turn(along_rows, square)

    scale = log_between(draw.tail_scale, *_TAIL_SCALES)
    strength = log_between(draw.tail_strength, *_TAIL_STRENGTHS)
    strength = jnp.where(draw.tails < _WITH_TAILS, strength, 0.0)
    scatter = 1 - _TAIL_SCATTER * jax.random.uniform(second, (side,))
    decay = jnp.exp(-1 / scale)
    bled, tails = _flow(turned, full_well, _share(draw), strength * scatter, decay)
    lost = jnp.maximum((turned - bled).sum(0), 0.0)

    entered = jax.lax.cond(
        intrudes,
        lambda: _intrude(draw, side, rows, columns, strength, scale),
        lambda: jnp.zeros((side, side)),
    )
    tails = jnp.maximum(tails, jnp.where(entered < 1, entered * full_well, 0.0))
    noise = jnp.sqrt(scene.sigma**2 + jnp.maximum(bled - scene.sky, 0.0))
    showing = tails > _SHOWING * noise

    # Their shot noise is the sky's, enlarged: that needs no random numbers.
    of_sky = jnp.clip(bled - scene.sky, -3 * scene.sigma, 3 * scene.sigma)
    more = jnp.sqrt(1 + tails / scene.sigma**2) - 1
    bled = jnp.minimum(bled + tails + more * of_sky, full_well)
    bled = jnp.where(entered >= 1, full_well, bled)
    ran, level = _run_along_edge(draw, lost / full_well, rows, columns)
    ran = ran & (entered < 1)
    done = jnp.where(ran, full_well * level, bled)
    full = (done >= least) | ran | showing
    return tuple(_turn(along_rows, values)[:height, :width] for values in (done, full))
