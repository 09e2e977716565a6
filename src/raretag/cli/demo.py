"""`raretag demo`: everything on the embedded corpus and encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from raretag.cli.output import result, status
from raretag.cli.targets import check_target
from raretag.cli.wording import shown
from raretag.errors import UsageError

# notes to calibrate on, which training does not see
_MORE: Final = 100
_SEED: Final = 2
_COSTS: Final = """\
currency: EUR
default: {miss: 20, false_alarm: 2}
review: 1
"""


def demo(
    out: Annotated[Path, typer.Option("--out", help="Where to write the notes and the run.")] = Path("demo"),
    recipe: Annotated[str, typer.Option("--recipe", help="Named settings, see raretag recipes.")] = "inverse-sqrt",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training windows.")] = 5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted demo.")] = False,
) -> None:
    """Inspect, train, calibrate, decide by costs and evaluate on synthetic notes: a few minutes on two cores."""
    from raretag.cli.calibrate import calibrate
    from raretag.cli.decide import decide
    from raretag.cli.evaluate import evaluate
    from raretag.cli.inspect import inspect
    from raretag.cli.train import train
    from raretag.corpus import Corpus
    from raretag.corpus.demo import demo_corpus
    from raretag.corpus.formats import write_corpus

    check_target(out, name="--out")
    console = status()
    notes, more, costs, run = out / "notes", out / "more-notes", out / "costs.yaml", out / "run"
    if notes.exists() and not resume:
        raise UsageError(
            "there are notes already",
            remedy="Add --resume if an earlier demo wrote them, or choose another --out",
            file=notes,
        )
    if not notes.exists():
        write_corpus(demo_corpus(), notes, format="brat")
    if not more.exists():
        known = {document.fingerprint for document in demo_corpus().documents}
        fresh = (one for one in demo_corpus(documents=_MORE, seed=_SEED).documents if one.fingerprint not in known)
        write_corpus(Corpus(documents=tuple(fresh)), more, format="brat")
    costs.write_text(_COSTS, encoding="utf-8")
    _head(console, "1. the notes", f", synthetic, in {notes} (brat): raretag inspect {notes}")
    inspect(notes)
    _head(console, "\n2. training", f": raretag train {notes} --out {run} --recipe {recipe}")
    train(notes, out=run, recipe=recipe, set_=[f"optimiser.epochs={epochs}"], resume=resume)
    _head(console, "\n3. calibration", f", on other notes: raretag calibrate {run} {more}")
    calibrate(run, more)
    _head(console, "\n4. decisions", f": raretag decide {run} --costs {costs}")
    decide(run, costs=costs)
    _head(console, "\n5. evaluation", f": raretag evaluate {run} {notes}")
    evaluate(run, notes)
    result().print(
        f"\nThe results lie in {shown(out)}: the notes, the model (a Hugging Face folder) in {shown(run / 'model')},\n"
        f"the figures in {shown(run / 'evaluation.json')}. On your own notes: raretag train NOTES --out RUN",
        soft_wrap=True,
    )


def _head(console: Console, title: str, rest: str) -> None:
    console.print(Text.assemble((title, "bold"), shown(rest)), soft_wrap=True)
