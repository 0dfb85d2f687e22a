"""What a comparison came to, in sentences: the best case, how far it is ahead, and which parameter matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ems.studies.comparison_measures import covers_differ, is_sum

if TYPE_CHECKING:
    from ems.studies.comparison_view import ComparisonView

MOST_NUMBERS = 8
"""Numbers of cases that a sentence lists."""


def headline_of(view: ComparisonView) -> list[tuple[str, str]]:
    """Return the answer in a few figures."""
    best, count = view.best, len(view.cases.frame)
    found = [("Best case" if len(view.tied) == 1 else "Best cases", numbers(view.tied, most=3))]
    found.append((_capital(view.measure.words), view.measure.shown(best[view.measure.name])))
    if view.baseline is not None:
        found.append(("Against the baseline", _signed(view, view.ahead())))
    elif len(view.ranked) > len(view.tied):
        found.append(("Worst case", view.measure.shown(view.worst[view.measure.name])))
    found.append(("Cases compared", f"{len(view.ranked):,} of {count:,}"))
    if view.spreads and next(iter(view.spreads.values())) > view.tolerance:
        found.append(("Matters most", next(iter(view.spreads))))
    return found


def conclusion_of(view: ComparisonView) -> str:
    """Return the answer in a few sentences."""
    return " ".join([*_of_cases(view), *_of_parameters(view), *_of_the_rest(view)])


def _of_cases(view: ComparisonView) -> Iterator[str]:
    best, worst, measure = view.best, view.worst, view.measure
    value = f"{measure.words} {measure.shown(best[measure.name])}"
    if len(view.ranked) == 1:
        yield f"{_named(best)} is the only one that has a result: {value}."
        return
    if len(view.tied) == len(view.ranked):
        yield f"The {len(view.ranked):,} cases are equal, {value}: what is swept has no effect."
        return
    if len(view.tied) > 1:
        said = f"Cases {numbers(view.tied)} are best alike, the first of them with {best['label']}: {value}"
    else:
        said = f"{_named(best)} is best: {value}"
    if view.baseline in view.tied:
        said += f"; case {view.baseline} is the baseline"
    elif view.baseline is not None:
        said += f", {_apart(view, view.ahead())} than the baseline, case {view.baseline}"
    yield f"{said}."
    further = measure.shown(abs(worst[measure.name] - best[measure.name]))
    more = f", {further} {'more' if measure.is_least else 'less'}" if worst["number"] != view.baseline else ""
    yield f"At the other end is {_named(worst, small=True)} with {measure.shown(worst[measure.name])}{more}."


def _of_parameters(view: ComparisonView) -> Iterator[str]:
    if len(view.tied) == len(view.ranked):
        return
    effects, measure = view.effects, view.measure
    if not view.parameters:
        yield "They do not differ in what was swept."
    for place, (name, spread) in enumerate(view.spreads.items()):
        if spread <= view.tolerance:
            yield f"{name} makes no difference on average."
            continue
        rows = effects[(effects["parameter"] == name) & effects["mean"].notna()]
        means = dict(zip(rows["value"], rows["mean"], strict=True))
        least, most = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        first, last = (least, most) if measure.is_least else (most, least)
        ends = f"{measure.shown(means[first])} at {first} and {measure.shown(means[last])} at {last}"
        if place == 0 and len(view.spreads) == 1:
            yield f"It is {name} that makes the difference: {ends}."
        elif place == 0 and not _is_shared(view):
            yield f"{name} matters most: over all others the mean is {ends}."
        elif place <= 2:
            yield f"{name} changes the mean by {measure.shown(spread)} at the most, with {ends}."


def _is_shared(view: ComparisonView) -> bool:
    """Return whether the two parameters that do most do equally much."""
    first, second = list(view.spreads.values())[:2]
    return abs(first - second) <= view.tolerance


def _of_the_rest(view: ComparisonView) -> Iterator[str]:
    for one, other in view.confounded[:1]:
        yield f"But {one} and {other} change together: what each does cannot be told apart."
    counts = view.cases.counts()
    total = len(view.cases.frame)
    gone = [f"{counts[status]:,} {status}" for status in ("failed", "cancelled") if status in counts]
    if gone:
        yield f"Of {total:,} cases {' and '.join(gone)}; they are left out."
    left = counts.get("waiting", 0) + counts.get("running", 0)
    if left:
        yield f"{left:,} of {total:,} cases have not ended yet: what is said here may change."
    if not covers_differ(view.cases.completed):
        return
    if is_sum(view.measure, view.currency):
        instead = f"{view.measure.name}_per_h"
        hint = f"; compare by {instead} instead" if instead in view.cases.measures else ""
        yield f"But the cases cover different times, and {view.measure.words} is a sum over them{hint}."
    else:
        yield "But the cases cover different times, and so are not about the same hours."


def _named(case: dict[str, Any], *, small: bool = False) -> str:
    return f"{'case' if small else 'Case'} {case['number']} ({case['label']})"


def _apart(view: ComparisonView, difference: float) -> str:
    return f"{view.measure.shown(abs(difference))} {'less' if difference < 0 else 'more'}"


def _signed(view: ComparisonView, difference: float) -> str:
    if abs(difference) <= view.tolerance:
        return "equal"
    return f"{'-' if difference < 0 else '+'}{view.measure.shown(abs(difference))}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def numbers(cases: Sequence[int], most: int = MOST_NUMBERS) -> str:
    """Return numbers of cases as people list them; of many the first ones.

    >>> numbers([1, 2, 5]), numbers(range(1, 31))
    ('1, 2 and 5', '1, 2, 3, 4, 5, 6, 7, 8 and 22 more')
    """
    listed = [str(number) for number in cases]
    if len(listed) > most:
        return f"{', '.join(listed[:most])} and {len(listed) - most} more"
    return " and ".join([*([", ".join(listed[:-1])] if listed[:-1] else []), listed[-1]])
