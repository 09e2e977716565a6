"""`raretag calibrate`: probabilities that come true, learned from documents that training did not see."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, status, tell_findings, write_figures
from raretag.cli.targets import check_figures
from raretag.cli.wording import counted, shown
from raretag.errors import UsageError


def calibrate(
    run: options.Run,
    data: options.Data,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="How tokens are calibrated (mentions have one way); by default as the run's recipe says.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the method, e.g. ridge=1.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            min=2,
            help="Judge the training documents out of fold, by as many trainings. "
            "Without: documents that the run has not seen.",
        ),
    ] = None,
    json: options.Json = None,
    format: options.Format = None,
) -> None:
    """Learn calibrated probabilities; writes calibration.json into the run folder."""
    from raretag.corpus.formats import read_corpus
    from raretag.training.run_folder import RunFolder
    from raretag.training.settings_layers import merged, override

    check_figures(json, source=data)
    chosen: dict[str, Any] = {}
    for one in set_ or ():
        chosen = merged(chosen, override(one))
    folder = RunFolder.open(run)

    from raretag.decision.after_training import AfterTraining
    from raretag.probability.calibrators import calibrator

    told = AfterTraining.of_run(folder).calibration
    if method is None or method == told.name:
        method, chosen = told.name, merged(told.options, chosen)

    # a mistyped method, or one that does not fit the run, is told before anything is trained
    asked = calibrator(method, chosen)
    if asked.needs_hidden:
        raise UsageError(
            f"{method} needs hidden states, which a run folder does not keep",
            remedy="Choose another --method, or train with second_stage.name=tau-norm",
        )
    from raretag.probability.run_context import context_of

    context = context_of(folder)
    asked.check(unique=context.unique)
    corpus = read_corpus(data, format=format)
    console = status()
    tell_findings(corpus.findings, console)

    from raretag.cli.progress import TrainingProgress, counting
    from raretag.cli.tables import show_calibration
    from raretag.decision.openings import Openings
    from raretag.decision.policy_file import POLICY
    from raretag.evaluation.calibration_report import calibration_report
    from raretag.probability.calibrated import CALIBRATION
    from raretag.probability.calibrating import calibrate as fit
    from raretag.probability.calibrating import cross_calibrated
    from raretag.probability.calibration_data import GOLD, held_out_data, out_of_fold_data, save_data

    if folds is None:
        with counting(console, "judging") as advance:
            known = held_out_data(folder, corpus, advance=advance)
    else:
        with TrainingProgress.shown(console) as progress:
            known = out_of_fold_data(
                folder,
                corpus,
                folds=folds,
                callbacks=lambda: [progress],
                announce=lambda stage: console.print(shown(stage), style="dim"),
            )
    console.print(f"fitting {method} on {counted(len(known.gold), 'document')}", style="dim")
    if not known.has_gold and (folder.path / POLICY).is_file():
        raise UsageError(
            "these documents have no gold mention, and the policy of this run needs probabilities that gold made true",
            remedy="Give annotated notes, or remove policy.json first",
            file=folder.path,
        )
    fitted = fit(known, method=method, options=chosen, context=context)
    report = None
    if known.has_gold:
        crossed = cross_calibrated(known, method=method, options=chosen, context=context)
        report = calibration_report(known, crossed)
    else:
        console.print(
            "no document has a mention, so they are taken for notes that nobody has annotated: tokens are mapped, "
            "mentions keep the model's own probabilities, and nothing can be judged or decided by these notes",
            style="yellow",
            soft_wrap=True,
        )
    opened = len(Openings.of(folder).openings)
    if opened:
        console.print(
            f"test documents were opened {counted(opened, 'time')} before: choices made by what they showed flatter",
            style="yellow",
            soft_wrap=True,
        )
    content = {**fitted.to_json(), "opened_before": opened}
    if report is not None:
        content["cross_fitted"] = report.to_json()
    if report is not None and json != STANDARD_OUTPUT:
        show_calibration(report, result(), documents=len(known.gold))
    try:
        write_figures(content, json)
    finally:
        if known.has_gold:
            save_data(folder, known)
        else:
            (folder.path / GOLD).unlink(missing_ok=True)
        written = folder.write(CALIBRATION, content)
    console.print(f"all figures: {shown(written)}", style="dim", soft_wrap=True)
    run_path = shown(folder.path)
    decide = f"raretag decide {run_path} [--costs costs.yaml], then " if known.has_gold else ""
    console.print(f"next: {decide}raretag evaluate {run_path} DATA", soft_wrap=True)
