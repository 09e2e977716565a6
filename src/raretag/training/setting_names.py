"""Settings by name: keys with dots, such as optimiser.epochs; a part, such as optimiser, is all that lies under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def override_key(override: str) -> str:
    """The setting that `key=value` is about."""
    return override.partition("=")[0].strip()


def covers(name: str, key: str) -> bool:
    """Whether the setting or part called `name` holds the setting `key`."""
    return key == name or key.startswith(f"{name}.")


def leaves(content: Mapping[str, Any], *, under: str = "") -> Iterator[str]:
    """The names of all settings in nested content; an empty part is told by its own name."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, under=f"{under}{key}.")
        else:
            yield f"{under}{key}"
