"""Options of registered methods: checked once, by name, with an error that says what is allowed."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from raretag.errors import UsageError


class Options(BaseModel):
    """Options of one method: frozen, finite, and nothing but what is named. By itself: no options at all."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def check_options(method: str, options: type[Options], given: Mapping[str, object]) -> Options:
    """`given` as the method's options. Raises UsageError with everything that is wrong, and what there is."""
    try:
        return options.model_validate(dict(given))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}, not {e['input']!r:.40}" for e in error.errors())
        allowed = ", ".join(options.model_fields) or "none"
        raise UsageError(f"{method}: {wrong}", remedy=f"Its options are: {allowed}") from error
