"""A registered method, and how it is found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from raretag.errors import UsageError
from raretag.options import Options, check_options


class _Method(Protocol):
    options_type: ClassVar[type[Options]]


MethodT = TypeVar("MethodT", bound=_Method)


@dataclass(frozen=True)
class Entry(Generic[MethodT]):
    """What a registry holds under a name: the method's class, one line about it, and its source."""

    method: type[MethodT]
    about: str
    source: str

    @property
    def options(self) -> type[Options]:
        """What it can be told."""
        return self.method.options_type


def choose(
    registry: Mapping[str, Entry[MethodT]], role: str, name: str, options: Mapping[str, object]
) -> tuple[type[MethodT], Options]:
    """The class registered as `name`, and `options` as its own. role: what an error calls the method.

    Raises UsageError for a name or an option that does not exist or is out of range.
    """
    entry = registry.get(name)
    if entry is None:
        raise UsageError(f"there is no {role} {name!r}", remedy=f"Choose one of: {', '.join(registry)}")
    return entry.method, check_options(f"{role} {name!r}", entry.options, options)
