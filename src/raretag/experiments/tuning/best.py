"""The best trial as a recipe of your own: a file for `raretag train --config` and `raretag compare --recipes`."""

from __future__ import annotations

from typing import Any, Final

import yaml

from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.tuning.result import Row, Tuned

BEST: Final = "best.yaml"


def best_text(tuned: Tuned, row: Row, who: Contestant, *, command: str) -> str:
    """The file with a header that says where it is from. who: the settings of `row`. command: what was typed."""
    value, beside = tuned.value(row), tuned.goal.words[1:]
    interval = "" if value.interval is None else " (95 % interval {:.4f} to {:.4f})".format(*value.interval)
    lines = [
        "raretag train DATA --out RUN --config THIS-FILE",
        f"the best of {len(tuned.rows)} trials of: {command}",
        f"data: {tuned.documents} documents, sha256 {tuned.data}; {tuned.folds} folds; "
        + (
            f"{tuned.left} test documents ({tuned.origin}) were not opened, and training with this file leaves them out"
            if tuned.left
            else "no test documents were set aside"
        ),
        f"{tuned.goal.words[0]}: {value.value:.4f}{interval}; the best of many flatters itself: judge it on the test "
        "documents",
        *(f"constraint: {one}" for one in beside),
        f"trial {row.number}" + (", the baseline: nothing was better" if row.number == 0 else ""),
    ]
    header = "".join(f"# {_line(one)}\n" for one in lines)
    content = _content(who)
    return header + (yaml.safe_dump(content, sort_keys=False, allow_unicode=True) if content else "")


def _content(who: Contestant) -> dict[str, Any]:
    """Whatever is not the default."""
    settings = who.settings.model_dump(mode="json", exclude_defaults=True)
    return {**settings, **who.after.model_dump(mode="json", exclude_defaults=True)}


def _line(text: str) -> str:
    """Users' words cannot end a comment."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
