"""Arguments of a template, as MediaWiki reads them.

In: the parts between the bars of `{{...}}`. Out: `Given`, values by name; an argument without a name has its number for
one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Given = Mapping[str, str]


def parsed(arguments: Sequence[str]) -> dict[str, str]:
    """Values by name, without blanks around them; the last of several counts."""
    given: dict[str, str] = {}
    number = 0
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            given[name.strip().lower()] = value.strip()
        else:
            number += 1
            given[str(number)] = argument.strip()
    return given


def positional(given: Given) -> list[str]:
    """The arguments 1, 2, 3 and so on, up to the first that is not given."""
    values: list[str] = []
    while (value := given.get(str(len(values) + 1))) is not None:
        values.append(value)
    return values


def filled(given: Given) -> list[str]:
    """The same without the empty ones."""
    return [value for value in positional(given) if value]


def first_of(given: Given, *names: str) -> str | None:
    """The first value of these names that is not empty."""
    return next((given[name] for name in names if given.get(name)), None)
