"""The study: the better setting wins, constraints hold, it goes on as if nothing had happened, and is shared."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path

import optuna
import pytest

from raretag.corpus.demo import demo_corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.tuning.goal import MICRO, goal_of
from raretag.experiments.tuning.result import Tuned, best_trial
from raretag.experiments.tuning.task import Task
from raretag.experiments.tuning.tune import contestant_of, tune
from raretag.experiments.tuning.verdict import Verdict

from .conftest import SPACE, TaskOf, by_epochs, told

ONLY_EPOCHS = "optimiser.epochs: {low: 1, high: 20}"


def trials(tuned: Tuned) -> list[object]:
    return [(one.number, one.outcome, one.settings, one.figures, one.missed) for one in tuned.rows]


def test_a_planted_setting_wins(task: TaskOf) -> None:
    tuned = tune(task(recipe="plain", text=ONLY_EPOCHS, overrides=()), trials=25, judge=by_epochs)
    assert tuned.best is not None
    assert abs(int(str(tuned.row(tuned.best).settings.get("optimiser.epochs", 12))) - 12) <= 1
    assert tuned.rows[0].settings == {}
    assert sum(tuned.importance.values()) == pytest.approx(1)


def test_macro_f1_is_made_large(task: TaskOf) -> None:
    tuned = tune(task(goal=goal_of("macro10-f1"), text=ONLY_EPOCHS), trials=25, judge=by_epochs)
    assert int(str(best_trial(tuned).settings["optimiser.epochs"])) >= 18


def test_constraints_are_respected(task: TaskOf) -> None:
    goal = goal_of("brier", at_least=["tail=0.75"])
    tuned = tune(task(goal=goal, text=ONLY_EPOCHS), trials=25, judge=by_epochs)
    best = best_trial(tuned)
    # twelve epochs would be best, and are there: the baseline
    assert tuned.rows[0].missed == {"recall of tail": pytest.approx(0.15)}
    assert int(str(best.settings["optimiser.epochs"])) in (15, 16)
    assert all(one.holds for one in tuned.ranked[: sum(one.holds for one in tuned.rows)])


def test_micro_not_below_the_baseline(task: TaskOf) -> None:
    goal = goal_of("macro10-f1", micro_not_below=True)
    best = best_trial(tune(task(goal=goal, text=ONLY_EPOCHS), trials=15, judge=by_epochs))
    # every epoch beyond the baseline's twelve costs micro-F1
    assert int(str(best.settings.get("optimiser.epochs", 12))) <= 12
    assert best.missed.get(MICRO, 0) <= 0


def test_no_trial_holds(task: TaskOf) -> None:
    goal = goal_of("brier", at_least=["tail=1"])
    tuned = tune(task(goal=goal, text="optimiser.epochs: {low: 1, high: 10}"), trials=4, judge=by_epochs)
    assert tuned.best is None
    with pytest.raises(DataError, match=r"none of 4 trials .* comes nearest and misses recall of tail by 0\."):
        best_trial(tuned)


@pytest.mark.parametrize(("breaks", "after"), [(0, 1), (4, 1), (12, 0)])
def test_broken_off_it_goes_on_as_if_nothing_had_happened(task: TaskOf, breaks: int, after: int) -> None:
    whole = tune(task(out="whole"), trials=14, judge=by_epochs)
    calls = iter(range(100))

    def broken(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        breaks_now = next(calls) == breaks
        for number, said in enumerate(by_epochs(who)):
            if breaks_now and number == after:
                raise KeyboardInterrupt
            yield said

    with pytest.raises(KeyboardInterrupt):
        tune(task(), trials=14, judge=broken)
    away = 2.0
    time.sleep(away)
    again = tune(task(), trials=14, judge=by_epochs)
    assert trials(again) == trials(whole)
    # how long it lay broken off is nobody's work
    assert all(one.seconds is not None and one.seconds < away for one in again.rows)


def test_given_up_after_a_break_it_has_the_figures_of_its_last_fold(
    task: TaskOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off when fold 2 was reported, before it was given up for it."""

    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        calls.append(1)
        worse = 0.1 if len(calls) >= 8 else 0.0
        for brier, tail in ((0.1, 0.2), (0.2 + worse, 0.5), (0.2 + worse, 0.5)):
            yield told(brier, tail=tail)

    calls: list[int] = []
    parts = {"text": ONLY_EPOCHS, "goal": goal_of("brier", at_least=["tail=0.3"]), "folds": 3}
    whole = tune(task(out="whole", **parts), trials=8, judge=judge)
    assert (whole.rows[7].outcome, whole.rows[7].folds) == ("given up", 2)
    calls.clear()
    asked = optuna.trial.Trial.should_prune

    def killed(trial: optuna.trial.Trial) -> bool:
        if len(calls) == 8 and trial.study.get_trials(deepcopy=False)[trial.number].last_step == 2:
            raise KeyboardInterrupt
        return asked(trial)

    with monkeypatch.context() as patched:
        patched.setattr(optuna.trial.Trial, "should_prune", killed)
        with pytest.raises(KeyboardInterrupt):
            tune(task(**parts), trials=8, judge=judge)
    assert trials(tune(task(**parts), trials=8, judge=judge)) == trials(whole)


def test_more_trials_are_added(task: TaskOf) -> None:
    few = tune(task(), trials=3, judge=by_epochs)
    more = tune(task(), trials=6, judge=by_epochs)
    assert len(few.rows) == 3
    assert trials(more)[:3] == trials(few)
    assert len(more.rows) == 6

    def never(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        raise AssertionError

    assert trials(tune(task(), trials=2, judge=never)) == trials(more)


def test_another_seed_proposes_others(task: TaskOf) -> None:
    one = tune(task(), trials=3, judge=by_epochs)
    other = tune(task(out="other", overrides=("seed=14",)), trials=3, judge=by_epochs)
    assert one.rows[1].settings != other.rows[1].settings


def test_what_is_worse_than_the_median_is_given_up(task: TaskOf) -> None:
    seen: list[int] = []

    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        for number, said in enumerate(by_epochs(who), start=1):
            seen.append(number)
            yield said

    tuned = tune(task(text=ONLY_EPOCHS), trials=20, judge=judge)
    given_up = [one for one in tuned.rows if one.outcome == "given up"]
    assert given_up
    assert all(one.number > 4 and one.folds == 1 for one in given_up)
    assert seen.count(1) - seen.count(2) == len(given_up)
    assert tuned.best not in {one.number for one in given_up}


def test_nothing_that_holds_is_given_up_for_what_does_not(task: TaskOf) -> None:
    """All that is better misses the constraint."""
    goal = goal_of("brier", at_least=["tail=0.9"])
    tuned = tune(task(goal=goal, text=ONLY_EPOCHS), trials=12, judge=by_epochs)
    first = next(one for one in tuned.rows if one.settings.get("optimiser.epochs", 0) in (18, 19, 20))
    assert first.outcome == "finished"


def test_a_training_that_fails_is_told(task: TaskOf) -> None:
    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        if who.settings.optimiser.epochs != 12:
            raise DataError("weights are no finite numbers", remedy="Lower the rate")
        yield from by_epochs(who)

    tuned = tune(task(text="optimiser.epochs: {low: 1, high: 5}"), trials=3, judge=judge)
    assert [one.outcome for one in tuned.rows] == ["finished", "failed", "failed"]
    assert tuned.rows[1].failed == "weights are no finite numbers"
    assert tuned.best == 0


def test_an_unforeseen_error_is_met_twice_and_then_the_study_goes_on(task: TaskOf) -> None:
    met: list[int] = []

    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        if who.settings.optimiser.epochs != 12:
            met.append(who.settings.optimiser.epochs)
            raise MemoryError
        yield from by_epochs(who)

    asked = task(text="optimiser.epochs: {low: 1, high: 5}")
    for _ in range(2):
        with pytest.raises(MemoryError):
            tune(asked, trials=3, judge=judge)
    tuned = tune(asked, trials=3, judge=judge)
    assert [one.outcome for one in tuned.rows] == ["finished", "failed", "failed"]
    assert tuned.rows[1].failed == "MemoryError, twice"
    assert met[::2] == met[1::2]


def test_a_judge_is_for_one_process(task: TaskOf) -> None:
    with pytest.raises(UsageError, match="Leave out jobs and ray"):
        tune(task(), trials=3, jobs=2, judge=by_epochs)


def test_a_baseline_that_fails_ends_it_and_is_tried_again(task: TaskOf) -> None:
    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        raise DataError("weights are no finite numbers", remedy="Lower the rate")
        yield

    with pytest.raises(DataError, match="finite"):
        tune(task(), trials=3, judge=judge)
    assert len(tune(task(), trials=3, judge=by_epochs).rows) == 3


def test_few_documents_that_tell_nothing_yet(task: TaskOf) -> None:
    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        yield None
        yield told(0.3)

    tuned = tune(task(), trials=2, judge=judge)
    assert [one.folds for one in tuned.rows] == [1, 1]


def _share(make: Callable[[], Task], gate: str) -> None:
    while not Path(gate).exists():
        pass
    tune(make(), trials=12, judge=_slow)


def _slow(who: Contestant, /) -> Generator[Verdict | None, None, None]:
    time.sleep(0.05)
    yield from by_epochs(who)


def test_two_processes_share_a_study(task: TaskOf, tmp_path: Path) -> None:
    forking = multiprocessing.get_context("fork")
    gate = tmp_path / "gate"
    goal = goal_of("brier", at_least=["tail=0.2"], micro_not_below=True)
    both = [forking.Process(target=_share, args=(lambda: task(goal=goal), str(gate))) for _ in range(2)]
    for one in both:
        one.start()
    gate.touch()
    for one in both:
        one.join(60)
        assert one.exitcode == 0
    tuned = tune(task(goal=goal), trials=12, judge=by_epochs)
    assert [one.number for one in tuned.rows] == list(range(12))
    assert len({repr(one.settings) for one in tuned.rows}) == 12
    assert MICRO in tuned.rows[-1].missed


def _at_it(make: Callable[[], Task], begun: str, goes_on: str) -> None:
    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        if who.settings.optimiser.epochs != 12:
            Path(begun).touch()
            while not Path(goes_on).exists():
                time.sleep(0.01)
        yield from by_epochs(who)

    tune(make(), trials=2, judge=judge)


def test_it_is_told_that_another_process_is_waited_for(task: TaskOf, tmp_path: Path) -> None:
    begun, goes_on = tmp_path / "begun", tmp_path / "goes-on"
    other = multiprocessing.get_context("fork").Process(target=_at_it, args=(task, str(begun), str(goes_on)))
    other.start()
    while not begun.exists():
        assert other.is_alive()
        time.sleep(0.01)
    told_lines: list[str] = []

    def announce(line: str) -> None:
        told_lines.append(line)
        if "waiting" in line:
            goes_on.touch()

    tuned = tune(task(), trials=2, judge=by_epochs, announce=announce)
    other.join(60)
    assert other.exitcode == 0
    assert len(tuned.rows) == 2
    assert told_lines == ["other processes are at the trials that are left: waiting"]


def _killed(make: Callable[[], Task]) -> None:
    def judge(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        if who.settings.optimiser.epochs != 12:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from by_epochs(who)

    tune(make(), trials=6, judge=judge)


def test_a_killed_process_leaves_its_trial_to_another(task: TaskOf) -> None:
    killed = multiprocessing.get_context("fork").Process(target=_killed, args=(task,))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    whole = tune(task(out="whole"), trials=6, judge=by_epochs)
    assert trials(tune(task(), trials=6, judge=by_epochs)) == trials(whole)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"text": ONLY_EPOCHS}, "search space"),
        ({"goal": goal_of("macro10-f1")}, "goal"),
        ({"folds": 3}, "number of folds"),
        ({"recipe": "inverse-sqrt"}, "recipe or settings"),
        ({"corpus": demo_corpus(documents=21)}, "data"),
    ],
)
def test_a_study_of_something_else_is_refused(task: TaskOf, other: dict[str, object], words: str) -> None:
    known = trials(tune(task(), trials=2, judge=by_epochs))
    with pytest.raises(UsageError, match=f"another {words}"):
        tune(task(**other), trials=3, judge=by_epochs)
    assert trials(tune(task(), trials=2, judge=by_epochs)) == known


def test_a_study_that_never_finished_a_trial_may_be_begun_anew(task: TaskOf) -> None:
    def failing(who: Contestant, /) -> Generator[Verdict | None, None, None]:
        raise DataError("nothing to learn from", remedy="Give more")
        yield

    with pytest.raises(DataError, match="nothing to learn from"):
        tune(task(), trials=1, judge=failing)
    with pytest.raises(UsageError, match=r"delete study\.journal there to begin anew"):
        tune(task(folds=3), trials=1, judge=by_epochs)


@pytest.mark.parametrize("damage", ["{broken\n", "[1]\n", '{"op_code": 4, "worker_id": "x"}\n', "\0\0\0\n"])
def test_a_damaged_study_is_told_and_left(task: TaskOf, damage: str) -> None:
    made = task()
    tune(made, trials=2, judge=by_epochs)
    file = made.out / "study.journal"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    spoilt = "".join([*lines[:3], damage, *lines[3:]])
    file.write_text(spoilt, encoding="utf-8")
    with pytest.raises(DataError, match=r"study\.journal.*is damaged") as refused:
        tune(made, trials=3, judge=by_epochs)
    if "op_code" not in damage:
        assert refused.value.line == 4
    assert file.read_text(encoding="utf-8") == spoilt


def test_a_line_that_was_broken_off_is_taken_back(task: TaskOf) -> None:
    made = task()
    known = trials(tune(made, trials=2, judge=by_epochs))
    with (made.out / "study.journal").open("a", encoding="utf-8") as file:
        file.write('{"op_code": 4, "wor')
    more = trials(tune(made, trials=3, judge=by_epochs))
    assert more[:2] == known
    assert len(more) == 3


def test_bad_places_and_numbers(task: TaskOf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="no folder"):
        tune(task(out="file"), trials=1, judge=by_epochs)
    with pytest.raises(UsageError, match="too few"):
        tune(task(), trials=0, judge=by_epochs)
    with pytest.raises(DataError, match="cannot fill 40 parts"):
        task(folds=40)


def test_the_settings_of_a_trial(task: TaskOf) -> None:
    made = task(text=SPACE)
    tuned = tune(made, trials=6, judge=by_epochs)
    assert contestant_of(made, tuned.rows[0]) == made.baseline
    for row in tuned.rows[1:]:
        settings = contestant_of(made, row).settings
        assert settings.optimiser.epochs == row.settings["optimiser.epochs"]
        assert settings.objective.name == row.settings["objective.name"]
