"""`raretag compare`: recipes on the same folds and seeds, what each comes to, and what differs by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from raretag.corpus import Corpus
from raretag.corpus.fingerprints import drawn_hash
from raretag.corpus.inventory import mention_counts
from raretag.decision.costs import Costs
from raretag.errors import UsageError
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.comparison.differences import Difference, differences
from raretag.experiments.comparison.rows import Row, row_of
from raretag.experiments.cross_validation import TRAININGS, Cell, check_cut, pool, run_cells, run_cells_on_ray
from raretag.experiments.side_by_side import check_jobs, helped
from raretag.tagging import counted_schema
from raretag.training.run_folder import RunFolder

if TYPE_CHECKING:
    from transformers import TrainerCallback

# steps of recipes that differ by no more are held to be equal
_EQUAL_STEPS: Final = 0.02


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """rows: by recipe, as asked; differences: from the baseline. unequal: recipes with more or fewer steps than it.

    mixed: versions and number formats that not all trainings had, by what they are of. settings: by recipe, of
    training, calibration and policy.
    """

    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    baseline: str
    unequal: tuple[str, ...]
    mixed: Mapping[str, tuple[str, ...]]
    documents: int
    mentions: int
    folds: int
    seeds: tuple[int, ...]
    settings: Mapping[str, Mapping[str, Any]]
    data: str
    currency: str | None

    def to_json(self) -> dict[str, Any]:
        """The file `compare.json`: built-in types only."""
        return {
            "rows": [row.to_json() for row in self.rows],
            "differences": [one.to_json() for one in self.differences],
            "baseline": self.baseline,
            "unequal_steps": list(self.unequal),
            "mixed": {name: list(values) for name, values in self.mixed.items()},
            "documents": self.documents,
            "mentions": self.mentions,
            "folds": self.folds,
            "seeds": list(self.seeds),
            "settings": {name: dict(one) for name, one in self.settings.items()},
            "data_sha256": self.data,
            "currency": self.currency,
        }


def compare(
    corpus: Corpus,
    recipes: Sequence[Contestant],
    *,
    folds: int,
    seeds: Sequence[int],
    out: Path,
    baseline: str | None = None,
    costs: Costs | None = None,
    jobs: int = 1,
    ray: str | None = None,
    resamples: int = 2000,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Train every recipe on every fold with every seed, pool the documents that each did not see, judge and test.

    baseline: whom the others are compared with, by default the first. Trainings lie in `out`/trainings by a hash of
    settings and data: they are trained once, taken up where they were broken off, and shared with any other process
    that runs the same. jobs: how many processes train side by side, >= 1. ray: the cluster that trains instead, as
    `run_cells_on_ray` has its address. Raises UsageError for recipes, seeds or folds that cannot be, DataError as
    training does.
    """
    names = [one.name for one in recipes]
    base = names[0] if baseline is None and names else baseline
    _check(names, baseline=base, seeds=seeds)
    check_jobs(jobs, ray=ray)
    if out.exists() and not out.is_dir():
        raise UsageError("this is a file, not a folder", remedy="Choose another --out", file=out)
    # what cannot be cut or decided afterwards is told before the first training
    check_cut(corpus, folds=folds, seeds=seeds)
    mentions = mention_counts(corpus)
    labels = counted_schema(mentions)
    for one in recipes:
        one.asked(costs, schema=labels)
        if one.unused:
            announce(f"{one.name}: its {' and '.join(one.unused)} will not be looked at: a comparison has its own")
    data = drawn_hash(corpus.documents)
    cells = {
        (one.name, seed): _cells(one, seed=seed, data=data, folds=folds, out=out) for one in recipes for seed in seeds
    }
    distinct = {cell.run_path: cell for some in cells.values() for cell in some}
    if ray is None:
        with helped(run_cells, list(distinct.values()), corpus, helpers=jobs - 1, announce=announce):
            run_cells(list(distinct.values()), corpus, callbacks=callbacks, announce=announce)
    else:
        run_cells_on_ray(list(distinct.values()), corpus, out=out, address=ray, announce=announce)
    rows, runs = [], []
    for one in recipes:
        announce(f"judging {one.name}")
        by_seed = [pool(cells[one.name, seed], corpus) for seed in seeds]
        runs += [run for pooled in by_seed for run in pooled.runs]
        rows.append(row_of(one, by_seed, costs=costs, resamples=resamples))
        schema = by_seed[0].data.schema
    steps = {row.name: row.steps for row in rows}
    return Comparison(
        rows=tuple(rows),
        differences=differences(rows, baseline=str(base), schema=schema, resamples=resamples),
        baseline=str(base),
        unequal=tuple(n for n in names if abs(steps[n] - steps[str(base)]) > _EQUAL_STEPS * steps[str(base)]),
        mixed=_mixed(runs),
        documents=len(corpus.documents),
        mentions=sum(len(document.mentions) for document in corpus.documents),
        folds=folds,
        seeds=tuple(seeds),
        settings={
            one.name: {"training": one.settings.model_dump(mode="json"), **one.after.model_dump(mode="json")}
            for one in recipes
        },
        data=data,
        currency=None if costs is None else costs.currency,
    )


def _mixed(runs: Sequence[RunFolder]) -> dict[str, tuple[str, ...]]:
    """What of the manifests should be one value and is several."""
    named = {"raretag": "versions of raretag", "precision": "number formats"}
    found = {words: tuple(sorted({str(run.manifest.get(key)) for run in runs})) for key, words in named.items()}
    return {words: values for words, values in found.items() if len(values) > 1}


def _cells(one: Contestant, *, seed: int, data: str, folds: int, out: Path) -> list[Cell]:
    trained = one.for_folds()
    folder = out / TRAININGS / trained.key(seed=seed, data=data, folds=folds)
    settings = trained.seeded(seed)
    return [Cell(folder=folder, settings=settings, number=number + 1, folds=folds) for number in range(folds)]


def _check(names: Sequence[str], *, baseline: str | None, seeds: Sequence[int]) -> None:
    if len(names) < 2:
        raise UsageError("a comparison needs at least two recipes", remedy="Give for example plain,inverse-sqrt")
    if len({*names}) < len(names):
        raise UsageError("a recipe is named twice", remedy="Name each once; files need different names")
    if baseline not in names:
        raise UsageError(
            f"the baseline {baseline!r} is not among the recipes", remedy=f"Name one of: {', '.join(names)}"
        )
    if not seeds or len({*seeds}) < len(seeds):
        raise UsageError("seeds must be named, each once", remedy="Give for example --seeds 13,14")
