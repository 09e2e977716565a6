"""A search space as data: which settings are tuned, within what, and beside which choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from raretag.training.setting_names import covers

# what a setting can be
Value = None | bool | int | float | str


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class Range(_Values):
    """Numbers from `low` to `high`, both among them: whole ones if both are, then in steps of `step`.

    log: proposed by order of magnitude.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int = Field(default=1, ge=1)

    @field_validator("low", "high", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        if isinstance(value, str):
            # YAML 1.1 takes 1e-4 for a text
            try:
                return float(value)
            except ValueError:
                raise ValueError("is no number") from None
        if isinstance(value, bool):
            raise ValueError("is no number")
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("with log, low must be above 0")
        if self.step != 1 and (self.log or not self.whole):
            raise ValueError("step is for whole numbers without log")
        if self.whole and (self.high - self.low) % self.step:
            raise ValueError("high is not reached from low in such steps")
        return self

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are proposed."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def edges(self) -> tuple[Value, ...]:
        """What is most likely to be refused."""
        return (self.low, self.high)

    def holds(self, value: object) -> bool:
        """Whether `value` could be proposed."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        inside = self.low <= value <= self.high
        return inside and (not self.whole or (float(value).is_integer() and (int(value) - self.low) % self.step == 0))


@final
class Choice(_Values):
    """One of some values, in no order."""

    choices: tuple[Value, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len({repr(one) for one in self.choices}) < len(self.choices):
            raise ValueError("a choice is there twice")
        return self

    @property
    def edges(self) -> tuple[Value, ...]:
        """All of them."""
        return self.choices

    def holds(self, value: object) -> bool:
        """Whether `value` could be proposed."""
        return any(type(value) is type(one) and value == one for one in self.choices)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A setting to tune.

    key: the setting, with dots. name: as the study knows it, of its own where a setting means different things beside
    different choices. when: only where each of these settings has one of these values; empty is always.
    """

    name: str
    key: str
    values: Range | Choice
    when: Mapping[str, tuple[Value, ...]]

    def is_open(self, told: Mapping[str, Value]) -> bool:
        """Whether it is to be proposed beside the settings proposed so far."""
        return all(key in told and told[key] in allowed for key, allowed in self.when.items())

    def excludes(self, other: Parameter) -> bool:
        """Whether the two are never open at once."""
        return any(not {*allowed} & {*other.when[key]} for key, allowed in self.when.items() if key in other.when)


@final
@dataclass(frozen=True, slots=True)
class Space:
    """Parameters in the order in which they are proposed: what one depends on stands above it."""

    parameters: tuple[Parameter, ...]

    def filled(self, choose: Callable[[Parameter], Value]) -> dict[str, Value]:
        """A value for each setting that is open, by key. choose: what proposes one."""
        told: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.is_open(told):
                told[parameter.key] = choose(parameter)
        return told

    @property
    def keys(self) -> frozenset[str]:
        """The settings that are tuned."""
        return frozenset(one.key for one in self.parameters)

    def without(self, names: Iterable[str]) -> Space:
        """The same but for these settings, or all of a part such as calibration, and for what is open beside them."""
        gone, kept = [*names], list[Parameter]()
        for one in self.parameters:
            if any(covers(name, one.key) for name in gone):
                continue
            if all(any(other.key == key for other in kept) for key in one.when):
                kept.append(one)
        return Space(tuple(kept))

    def to_json(self) -> list[dict[str, Any]]:
        """Built-in types only: the same for the same space."""
        return [
            {
                "name": one.name,
                "key": one.key,
                "values": one.values.model_dump(mode="json"),
                "when": {key: list(allowed) for key, allowed in one.when.items()},
            }
            for one in self.parameters
        ]
