"""A network's tensors in a few words: whole modules instead of hundreds of names."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

NOT_LEARNED = ".num_batches_tracked"  # a counter beside each batch norm, of no meaning here


def grouped(reasons: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """The largest modules whose tensors all have one reason; a text for each reason.

    Neighbours in a list of modules are put together: `head.predict.0-3, agm_head (not in the file)`.

    Args:
        reasons: tensor name to reason, for the tensors that are to be named.
        names: all tensors of the network.
    """
    counted = [name for name in names if not name.endswith(NOT_LEARNED)]
    found = list(_largest_modules("", counted, reasons))
    texts: dict[str, list[str]] = defaultdict(list)
    for (_, reason), entries in itertools.groupby(found, key=lambda entry: (_parent(entry[0]), entry[1])):
        for first, last in _runs([place for place, _ in entries]):
            texts[reason].append(first if last == first else f"{first}-{last.rpartition('.')[2]}")
    return [f"{', '.join(modules)} ({reason})" for reason, modules in texts.items()]


def _largest_modules(place: str, names: list[str], reasons: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    found = {reasons.get(name) for name in names}
    if found == {None}:
        return
    children: dict[str, list[str]] = defaultdict(list)
    for name in names:
        child = name[len(place) + bool(place) :].partition(".")[0]
        children[f"{place}.{child}" if place else child].append(name)
    (only, *others) = found
    if only is not None and not others and place:
        inside_list = place.rpartition(".")[2].isdigit()
        is_list = not inside_list and all(child.rpartition(".")[2].isdigit() for child in children)
        yield from ((part, only) for part in (children if is_list else [place]))
        return
    for child, own in children.items():
        yield from _largest_modules(child, own, reasons)


def _parent(place: str) -> str:
    return place.rpartition(".")[0]


def _runs(places: list[str]) -> Iterator[tuple[str, str]]:
    """First and last of neighbours that are numbered one after the other."""
    start = previous = places[0]
    for place in places[1:]:
        last_words = previous.rpartition(".")[2], place.rpartition(".")[2]
        if not (all(word.isdigit() for word in last_words) and int(last_words[1]) == int(last_words[0]) + 1):
            yield start, previous
            start = place
        previous = place
    yield start, previous
