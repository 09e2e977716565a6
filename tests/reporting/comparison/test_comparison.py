"""The comparison's table and picture: every recipe is there, and names break nothing."""

from __future__ import annotations

from pathlib import Path
from xml.dom import minidom

import numpy as np
import pytest

from raretag.evaluation import Counts
from raretag.experiments.comparison.compare import Comparison
from raretag.experiments.comparison.differences import COST, TESTED, Difference
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.comparison.rows import FIGURES, Row
from raretag.reporting.comparison import PICTURE, TABLE, write_comparison

NAMES = ("plain", "rare <b>&| `x`", "長い名前" * 9)


def row(name: str, value: float | None) -> Row:
    counts = Counts(documents=("a",), groups=(("document", "a"),), labels=("X",), values=np.ones((1, 1, 3), np.int64))
    return Row(
        name=name,
        figures={figure: Estimate(value=value, interval=(0.1, 0.9)) for figure in FIGURES},
        mention_ece=None,
        variation=0.01,
        cost=Estimate(value=1234.5),
        reviewed_share=0.0 if name == "plain" else 0.125,
        unpromised=() if name == "plain" else tuple("ABCDEFG"),
        steps=100,
        seconds=12.3,
        peak_mib=900,
        counts=counts,
        costs=None,
    )


@pytest.fixture
def compared() -> Comparison:
    differences = tuple(
        Difference(
            recipe=name,
            figure=figure,
            difference=Estimate(value=None if figure == "macro10" else 0.02, interval=(-0.01, 0.05)),
            p=0.01,
            adjusted=0.02,
        )
        for name in NAMES[1:]
        for figure in (*TESTED, COST)
    )
    return Comparison(
        rows=tuple(row(name, 0.5 if name == "plain" else None) for name in NAMES),
        differences=differences,
        baseline="plain",
        unequal=(NAMES[1],),
        mixed={"number formats": ("bfloat16", "float32")},
        documents=1,
        mentions=1,
        folds=2,
        seeds=(13,),
        settings={},
        data="d",
        currency="EUR",
    )


def test_table_and_picture(compared: Comparison, tmp_path: Path) -> None:
    written = write_comparison(compared, tmp_path / "new" / "folder")
    assert all(path.is_file() for path in written)
    lines = (tmp_path / "new" / "folder" / TABLE).read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table[: 2 + len(NAMES)]} == {table[0].count("|")}
    assert "EUR per 1,000 notes" in table[0]
    assert f"| `{NAMES[2]}` | EUR per 1,000 notes | +0 (-0 to +0) | 0.0100 | 0.0200 |" in table
    said = "\n".join(lines)
    assert "Not trained for as many steps as plain: rare <b>&/ 'x'." in said
    assert "Trained with several number formats (bfloat16, float32), and figures may differ for that alone." in said
    assert "What is sent to review counts as missed; of all tokens: rare <b>&/ 'x' 12.5%" in said
    assert f"The recall floor of {NAMES[2]} was not in force throughout for A, B, C, D, E and 2 more labels" in said
    picture = minidom.parse(str(tmp_path / "new" / "folder" / PICTURE))
    words = "".join(node.toxml() for node in picture.getElementsByTagName("text"))
    assert "macro F1" in words
    assert "&lt;b&gt;" in words
