"""`raretag demo`: everything on the embedded corpus and encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raretag.cli.output import result, status


def demo(
    out: Annotated[Path, typer.Option("--out", help="Where to write the notes and the run.")] = Path("demo"),
    recipe: Annotated[str, typer.Option("--recipe", help="Named settings, see raretag recipes.")] = "inverse-sqrt",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training windows.")] = 5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted demo.")] = False,
) -> None:
    """Inspect, train and evaluate on synthetic notes that raretag writes itself: under four minutes on two cores."""
    from raretag.cli.evaluate import evaluate
    from raretag.cli.inspect import inspect
    from raretag.cli.train import train
    from raretag.corpus.demo import demo_corpus
    from raretag.corpus.formats import write_corpus

    console = status()
    notes, run = out / "notes", out / "run"
    if not notes.exists():
        write_corpus(demo_corpus(), notes, format="brat")
    console.print(f"[bold]1. the notes[/], synthetic, in {notes} (brat): raretag inspect {notes}")
    inspect(notes)
    console.print(f"\n[bold]2. training[/]: raretag train {notes} --out {run} --recipe {recipe}")
    train(notes, out=run, recipe=recipe, set_=[f"optimiser.epochs={epochs}"], resume=resume)
    console.print(f"\n[bold]3. evaluation[/]: raretag evaluate {run} {notes}")
    evaluate(run, notes)
    result().print(f"\nThe results lie in {out}: the notes, the model (a Hugging Face folder) in {run / 'model'},")
    result().print(f"the figures in {run / 'evaluation.json'}. On your own notes: raretag train NOTES --out RUN")
