"""Layers of settings, from files and single overrides, and what is wrong in them, told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from raretag.errors import UsageError

_TEXT: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"


def read_settings(config: Path) -> dict[str, Any]:
    """The content of a YAML file.

    Raises UsageError where it cannot be read, is no YAML or holds no keys, where a key is there twice (YAML itself
    would keep the last in silence), and with all keys that YAML takes for something else than text.
    """
    try:
        text = config.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "this settings file cannot be read", remedy="Check its path and encoding", file=config
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(
            "this settings file is not YAML",
            remedy="Mend the line, for example its indentation",
            file=config,
            line=None if mark is None else mark.line + 1,
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError("this settings file holds no keys", remedy="Write key: value lines", file=config)
    odd = list(_odd_keys(node, file=config))
    if odd:
        raise UsageError(
            f"YAML takes {', '.join(odd)} for a number, a date, yes or no, or nothing, and not for text",
            remedy="Put such names in quotes",
            file=config,
        )
    return content


def _odd_keys(
    node: yaml.Node | None, *, file: Path, path: tuple[str, ...] = (), above: tuple[int, ...] = ()
) -> Iterator[str]:
    """Keys that are no text, with path and line. Raises UsageError for one that a mapping has twice."""
    # an anchor may stand inside itself
    if node is None or id(node) in above:
        return
    inner = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _odd_keys(value, file=file, path=path, above=inner)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        name, line = str(key.value) if isinstance(key, yaml.ScalarNode) else "?", key.start_mark.line + 1
        here = (*path, name)
        if (key.tag, name) in lines:
            raise UsageError(
                f"{'.'.join(here)} is there twice, first in line {lines[key.tag, name]}",
                remedy="Keep one of the two",
                file=file,
                line=line,
            )
        lines[key.tag, name] = line
        if key.tag not in (_TEXT, _MERGE):
            yield f"{'.'.join(here)} (line {line})"
        yield from _odd_keys(value, file=file, path=here, above=inner)


def override(text: str) -> dict[str, Any]:
    """`key=value` as nested settings; keys are dotted paths, values YAML. Raises UsageError for anything else."""
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise UsageError(f"--set {text!r} is not key=value", remedy="Write for example --set optimiser.epochs=8")
    try:
        content: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        content = value
    if isinstance(content, str):
        # YAML 1.1 takes 3e-4 for a text
        with suppress(ValueError):
            content = float(content)
    for key in reversed(path.strip().split(".")):
        content = {key: content}
    return dict(content)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key; where both have a value, that of `over`."""
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both


def problems_of(error: ValidationError, *, suggestion: Callable[[tuple[int | str, ...]], str]) -> list[str]:
    """All that is wrong, a line each with path and value; `suggestion` says what else an unknown key may mean."""
    lines = []
    for problem in error.errors(include_url=False):
        path = ".".join(str(part) for part in problem["loc"]) or "settings"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{path}: there is no such key{suggestion(problem['loc'])}")
        elif problem["type"] == "value_error":
            lines.append(f"{path}: {problem['ctx']['error']}")
        else:
            lines.append(f"{path}: {problem['msg']}, not {problem['input']!r:.60}")
    return lines


def unusable(problems: Sequence[str], *, file: Path | None) -> UsageError:
    """The one error that tells all `problems`, each a line of `problems_of`; file: where the settings are from."""
    lines = [f"{len(problems)} setting{'s' if len(problems) > 1 else ''} cannot be used:", *problems]
    return UsageError("\n  ".join(lines) + "\n", remedy="Mend the settings above", file=file)
