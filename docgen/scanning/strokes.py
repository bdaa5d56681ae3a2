"""Ink on paper, piece by piece: what a hand writes, told from specks and from straight lines."""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

SPECK = 3.0  # mm: what is smaller is a speck
LINE = 8.0  # mm: what is shorter is no line
STRAIGHT = 0.5  # mm left, in the mean, around a bent line
LEAST = 12  # pixels of ink, half a mm2, that a piece must have
OWN = 0.3  # of a piece must be inside a zone, to be of that zone


def grown(mask: Mask, by: int) -> Mask:
    """Grow ink by so many pixels on every side."""
    for _ in range(2):
        mask, reach = np.pad(mask, ((by, by), (0, 0))), 1
        while reach <= 2 * by:  # each row with those below it, twice as many every time
            step = min(reach, 2 * by + 1 - reach)
            mask, reach = mask[:-step] | mask[step:], reach + step
        mask = mask.T
    return np.ascontiguousarray(mask)


def of_a_hand(ink: Mask, inside: Mask, scale: float) -> float:
    """Count the pixels inside of what is neither a speck, nor a line, nor somebody else's.

    `scale` is how many pixels a millimetre is.
    """
    total = 0.0
    if np.count_nonzero(ink & inside) < OWN * LEAST:
        return total
    rows, columns, labels = _pieces(ink)
    counts = np.bincount(labels, minlength=1)
    order = np.argsort(labels, kind="stable")
    for own in np.split(order, np.cumsum(counts)[:-1]):
        mine = float(inside[rows[own], columns[own]].sum())
        if len(own) < LEAST or mine < OWN * len(own):
            continue
        points = np.stack((columns[own], rows[own])).astype(np.float64)
        if np.hypot(*np.ptp(points, axis=1)) >= SPECK * scale and not _is_line(points, scale):
            total += mine
    return total


def _is_line(points: NDArray[np.float64], scale: float) -> bool:
    """Tell a long straight stroke, bent at most as a ruled line or a fold is."""
    middle = points - points.mean(axis=1, keepdims=True)
    axes, _, _ = np.linalg.svd(middle @ middle.T)
    along, off = axes.T @ middle
    if np.ptp(along) < LINE * scale:
        return False
    left = off - np.polyval(np.polyfit(along, off, 2), along)
    return float(np.sqrt((left**2).mean())) < STRAIGHT * scale


def _pieces(ink: Mask) -> tuple[Places, Places, Places]:
    """Give the pixels of ink and the piece that each is of; nearly touching, pieces are one."""
    joined = grown(ink, 1)
    edges = np.diff(np.pad(joined, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    runs = [(np.nonzero(row > 0)[0], np.nonzero(row < 0)[0]) for row in edges]
    starts = np.cumsum([0, *(len(first) for first, _ in runs)])
    parent = list(range(int(starts[-1])))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    for row, ((above, above_end), (first, end)) in enumerate(pairwise(runs)):
        low = np.searchsorted(above_end, first)
        high = np.searchsorted(above, end)
        for run, (start, stop) in enumerate(zip(low, high, strict=True)):
            for other in range(start, stop):
                parent[root(int(starts[row + 1]) + run)] = root(int(starts[row]) + other)
    rows, columns = np.nonzero(ink)
    ordinal = np.cumsum(edges[:, :-1] > 0, axis=1) - 1
    roots = np.array([root(run) for run in range(len(parent))], np.intp)
    _, labels = np.unique(roots[starts[rows] + ordinal[rows, columns]], return_inverse=True)
    return rows, columns, labels
