"""Whether the tonnes at a use side can be handed over from cleaner tags to less clean ones so that every want is met."""

from __future__ import annotations


def unmet_tags(net: dict[int, float]) -> float:
    """Return what no hand-over can mend, given each tag's surplus (> 0) or want (< 0) at one use side, in tonnes.

    A surplus of tag g may serve a want of any tag that holds g. The least unmet want is total want less the largest
    flow from surpluses to wants (Ford and Fulkerson): paths are searched that also take back earlier hand-overs, so
    the answer does not depend on the order of the tags, nested or not.
    """
    left = {tag: size for tag, size in net.items() if size > 0.0}
    want = {tag: -size for tag, size in net.items() if size < 0.0}
    handed: dict[tuple[int, int], float] = {}
    smallest = 1e-15 * max([*left.values(), *want.values()], default=0.0)
    for tag in want:
        while want[tag] > smallest and (path := _path(tag, left, handed, smallest)):
            _hand_over(path, left, want, handed)
    return sum(want.values())


def _path(start: int, left: dict[int, float], handed: dict[tuple[int, int], float], smallest: float) -> list[int]:
    """Find want, surplus, want, ..., surplus: each want served by the next surplus, which is taken from the want after it."""
    paths, seen = [[start]], {start}
    for path in paths:
        for surplus in left:
            if surplus in seen or surplus & ~path[-1]:
                continue
            seen.add(surplus)
            if left[surplus] > smallest:
                return [*path, surplus]
            for (giver, taker), size in handed.items():
                if giver == surplus and size > smallest and taker not in seen:
                    seen.add(taker)
                    paths.append([*path, surplus, taker])
    return []


def _hand_over(path: list[int], left: dict[int, float], want: dict[int, float], handed: dict[tuple[int, int], float]) -> None:
    gives = list(zip(path[1::2], path[0::2], strict=True))
    takes = list(zip(path[1::2], path[2::2], strict=False))
    size = min([left[path[-1]], want[path[0]], *(handed[pair] for pair in takes)])
    for pair in gives:
        handed[pair] = handed.get(pair, 0.0) + size
    for pair in takes:
        handed[pair] -= size
    left[path[-1]] -= size
    want[path[0]] -= size
