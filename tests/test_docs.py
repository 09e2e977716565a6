"""Every Python block of README and docs runs, in order of its page, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_settings_page_names_every_setting() -> None:
    from pydantic import BaseModel

    from raretag.training.settings import TrainSettings

    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    def check(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                check(inner, f"{prefix}{name}.")
            else:
                default = field.default
                shown = f"`{default}`" if not isinstance(default, float) else f"`{default:g}`"
                assert f"| `{prefix}{name}` | {shown} |" in page, f"{prefix}{name} {shown}"

    check(TrainSettings, "")


def test_every_method_has_a_page_that_names_its_options() -> None:
    from raretag.objectives import OBJECTIVES, REGULARISERS
    from raretag.sampling import SAMPLERS

    roles = {
        "objectives": {name: entry.options for name, entry in {**OBJECTIVES, **REGULARISERS}.items()},
        "samplers": {name: entry.options for name, entry in SAMPLERS.items()},
    }
    for role, registry in roles.items():
        folder = [
            path for path in PAGES if path.parent == ROOT / "docs" / role and path.stem not in {"README", "index"}
        ]
        single = [path for path in PAGES if path == ROOT / "docs" / f"{role}.md"]
        pages = [path.read_text(encoding="utf-8") for path in (*folder, *single)]
        for name, model in registry.items():
            options = {option: field.default for option, field in model.model_fields.items()}
            own = [page for page in pages if f"`{name}`" in page]
            assert own, f"no page of docs/{role} names {name}"
            lacking = [[o for o, default in options.items() if not tells(page, o, default)] for page in own]
            assert [] in lacking, f"docs/{role}: {name} lacks {min(lacking, key=len)}"


def tells(page: str, option: str, default: object) -> bool:
    """Whether some line of `page` names `option` in code and, after it, its default."""
    shown = f"{default:g}" if isinstance(default, float) else re.escape(str(default))
    shown = "none|null" if default is None else shown
    return bool(re.search(rf"(?i)`{option}`[^\n]*?(?<![\w.-])({shown})(?![\w-]|\.\d)", page))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("| `beta` | 0.5 | 0 to 1 |", True),
        ("`beta` 0 to 1 (0.5), `tie` (true)", True),
        ("| `beta` | `0.5` |", True),
        ("| `beta` | 0.55 |", False),
        ("| `beta` | -0.5 |", False),
        ("| `alpha` | 0.5 |", False),
        ("0.5 is what `beta` is", False),
    ],
)
def test_the_check_of_defaults_sees_them(line: str, told: bool) -> None:
    assert tells(line, "beta", 0.5) is told


def test_the_readme_counts_what_is_registered() -> None:
    from raretag.objectives import OBJECTIVES
    from raretag.sampling import SAMPLERS
    from raretag.training.heads import HEADS

    words = {3: "three", 12: "twelve", 23: "Twenty-three"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = f"{words[len(OBJECTIVES)]} objectives, {words[len(SAMPLERS)]} samplers, {words[len(HEADS)]} heads"
    assert told in readme


def test_the_bias_labs_page_names_every_setting_and_mechanism() -> None:
    from raretag.experiments.biaslab.mechanisms import PRESETS
    from raretag.experiments.biaslab.settings import LabSettings

    page = (ROOT / "docs" / "bias-lab.md").read_text(encoding="utf-8")
    told = {"marginals": "60/25/10/4/1, 99/1", "mechanisms": "by model", "seeds": "13", "held_out": "1/3"}
    for name, field in LabSettings.model_fields.items():
        default = "" if name == "windows" else f" `{told.get(name, f'{field.default}')}` |"
        assert f"| `{name}` |{default}" in page, name
    assert [name for name in PRESETS if f"`{name}`" not in page] == []
