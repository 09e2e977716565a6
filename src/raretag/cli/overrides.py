"""`--set` of commands that have some settings of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raretag.errors import UsageError
from raretag.training.setting_names import covers, leaves


def check_used(overrides: Sequence[str], *, own: Mapping[str, str], by: str) -> None:
    """Raises UsageError for an override that would have no effect. own: such settings, and what to do instead."""
    from raretag.training.settings_layers import override

    for one in overrides:
        for key in leaves(override(one)):
            for name, remedy in own.items():
                if covers(name, key):
                    raise UsageError(f"--set {key} would have no effect in {by}", remedy=remedy)
