"""`raretag decide`: a policy by costs, recall floors or a review budget, fixed before test documents are opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, keep, result, status, write_figures
from raretag.cli.targets import check_figures
from raretag.cli.wording import counted, shown
from raretag.errors import DataError, RaretagError, UsageError

if TYPE_CHECKING:
    from raretag.decision.policy_file import PolicyFile
    from raretag.training.run_folder import RunFolder


def decide(
    run: options.Run,
    costs: Annotated[
        Path | None, typer.Option("--costs", help="What a miss, a false alarm and a review cost: costs.yaml.")
    ] = None,
    recall_floor: Annotated[
        list[str] | None,
        typer.Option(
            "--recall-floor",
            metavar="FLOOR or NAME=FLOOR",
            help="Promise this recall, found or reviewed: 0.95 for all labels, tail=0.95 for a group, or a label.",
        ),
    ] = None,
    review_budget: Annotated[
        float | None,
        typer.Option("--review-budget", help="The share of tokens that people may be asked to read, on average."),
    ] = None,
    beta: Annotated[
        list[str] | None,
        typer.Option(
            "--beta",
            metavar="BETA or NAME=BETA",
            help="Of thresholds: how much recall counts beside precision: 1.5, or tail=2 for a group, or a label.",
        ),
    ] = None,
    rule: Annotated[
        Literal["argmax", "thresholds", "costs"] | None,
        typer.Option("--rule", help="By default costs with --costs, else as the run's recipe says: thresholds."),
    ] = None,
    json: options.Json = None,
) -> None:
    """Fix how probabilities become decisions; writes policy.json into the run folder. No text is read."""
    from raretag.decision.after_training import AfterTraining
    from raretag.decision.costs_file import read_costs
    from raretag.decision.policy_fitting import Asked, check_asked
    from raretag.training.run_folder import RunFolder

    check_figures(json)
    folder = RunFolder.open(run)
    told = AfterTraining.of_run(folder).policy
    chosen = rule or (told.rule if costs is None else "costs")
    asked = Asked(
        rule=chosen,
        costs=None if costs is None else read_costs(costs, schema=folder.schema),
        floors=_by_name(recall_floor, what="recall floor", such_as=0.95) if recall_floor else told.recall_floor,
        budget=told.review_budget if review_budget is None else review_budget,
        # a recipe's beta is of its thresholds, and does not stand in the way of another rule
        betas=_by_name(beta, what="beta", such_as=1.5) if beta else told.beta if chosen == "thresholds" else None,
    )
    check_asked(asked, schema=folder.schema)
    console = status()

    from raretag.cli.decision_tables import show_decisions
    from raretag.corpus.fingerprints import gold_hash
    from raretag.decision.deciding import Deciding
    from raretag.decision.openings import Openings
    from raretag.decision.policy_file import CROSS_FITTED, POLICY
    from raretag.evaluation.decision_report import decision_report
    from raretag.probability.calibrated import Calibrated
    from raretag.probability.calibration_data import load_data

    data, openings = load_data(folder), Openings.of(folder)
    calibrated = Calibrated.of(folder)
    if calibrated is None or calibrated.sha256 != gold_hash(data.gold):
        # a calibration that was broken off between its two files, or a file that somebody put there
        raise DataError(
            "the calibration of this run was not fitted on the calibration documents that lie beside it",
            remedy="Calibrate again",
            file=folder.path,
        )
    console.print(f"rule {asked.rule}, on {counted(len(data.gold), 'calibration document')}", style="dim")
    deciding = Deciding(data)
    policy = deciding.policy(asked, calibrated=calibrated, openings=openings)
    if policy.promise is not None and not policy.promise.units:
        reasons = "; ".join(one.why for one in policy.promise.refused)
        raise DataError(
            f"nothing can be promised, and no policy is written: {reasons}",
            remedy="Calibrate on more documents, or ask for less",
        )
    promise, report, content = policy.promise, None, policy.to_json()
    try:
        with console.status("judging by policies fixed on other documents"):
            crossed = deciding.cross_decided({"used": asked, "argmax": Asked(rule="argmax", costs=asked.costs)})
    except RaretagError as error:
        # the policy itself is fixed: a part of the documents may be too few for what all of them allow
        console.print(
            f"what it comes to is not told, for a policy fixed on a part of these documents cannot be: {error.what}",
            style="yellow",
            soft_wrap=True,
        )
    else:
        report = decision_report(
            deciding.gold,
            used=crossed["used"].decisions,
            argmax=crossed["argmax"].decisions,
            schema=data.schema,
            costs=asked.costs,
            promises=() if promise is None else promise.units,
            promised=crossed["used"].promised,
            refused=() if promise is None else promise.refused,
        )
        content[CROSS_FITTED] = report.to_json()
    if report is not None and json != STANDARD_OUTPUT:
        show_decisions(report, result())
        result().print(
            f"{counted(len(data.gold), 'document')}; each is judged by a calibration and a policy fixed on the others"
        )
    _tell_opened(policy, folder, console)
    try:
        write_figures(content, json)
    finally:
        written = keep(folder, POLICY, content)
    console.print(f"fixed: {shown(written)}", style="dim", soft_wrap=True)
    console.print(f"next: raretag evaluate {shown(folder.path)} DATA", soft_wrap=True)


def _by_name(told: Sequence[str], *, what: str, such_as: float) -> float | dict[str, float]:
    """One number for all, or numbers by name. Raises UsageError for anything that is neither."""
    named: dict[str, float] = {}
    for one in told:
        name, equals, value = one.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(
                f"{one!r} is no {what}", remedy=f"Write a number such as {such_as:g}, or NAME={such_as:g}"
            ) from None
        if not equals:
            if len(told) > 1:
                raise UsageError(
                    f"one {what} for all labels stands beside others",
                    remedy=f"Give one number, or NAME={such_as:g} for each label or tail group",
                )
            return number
        if name in named:
            raise UsageError(f"{name!r} has two {what}s", remedy="Give each label or group one")
        named[name] = number
    return named


def _tell_opened(policy: PolicyFile, folder: RunFolder, console: Console) -> None:
    from raretag.cli.evaluate import EVALUATION
    from raretag.decision.openings import OPENINGS

    if policy.opened_before:
        console.print(
            f"test documents were opened before, first at {policy.opened_before[0].at}: what is chosen by what they "
            "showed flatters on them, and policy.json says so",
            style="yellow",
            soft_wrap=True,
        )
    elif (folder.path / EVALUATION).is_file() and not (folder.path / OPENINGS).is_file():
        console.print(
            "evaluation.json is there, but no record of which test documents were opened: what was fixed when, nobody "
            "can vouch for",
            style="yellow",
            soft_wrap=True,
        )
