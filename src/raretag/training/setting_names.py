"""Settings by name: keys with dots, such as optimiser.epochs; a part, such as optimiser, is all that lies under it."""

from __future__ import annotations


def override_key(override: str) -> str:
    """The setting that `key=value` is about."""
    return override.partition("=")[0].strip()


def covers(name: str, key: str) -> bool:
    """Whether the setting or part called `name` holds the setting `key`."""
    return key == name or key.startswith(f"{name}.")
