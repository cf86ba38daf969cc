"""Studies at some point of their run, made of plans and records only: nothing is trained."""

from __future__ import annotations

from store_records import ENVIRONMENT, LATENCY

from harness.spec import (
    AblationStudy,
    Efficiency,
    EpochRecord,
    Failure,
    LossTerm,
    Member,
    Plan,
    SearchSettings,
    SearchStudy,
    SearchTrial,
    State,
    Template,
    TrialResult,
    TrialSpec,
    VariantRef,
)


def spec(seed: int = 0, role: str = "student") -> TrialSpec:
    return TrialSpec.model_validate(
        {
            "role": role,
            "data": VariantRef(name="made_up"),
            "model": VariantRef(name="text_encoder"),
            "losses": {"task_l1": LossTerm()},
            "seed": seed,
        }
    )


def ablation_plan(arms: tuple[str, ...] = ("alone", "advised"), seeds: int = 2) -> Plan:
    """Trials ``alone-0``, ``alone-1``, ``advised-0`` ..., and for ``advised`` a teacher a seed."""
    study = AblationStudy(
        kind="ablation",
        name="small",
        data=VariantRef(name="made_up"),
        seeds=tuple(range(seeds)),
        base=Template(),
        arms={arm: Template() for arm in arms},
    )
    members = [
        Member(arm=arm, seed=seed, trial_id=f"{arm}-{seed}") for arm in arms for seed in range(seeds)
    ]
    advised = [one for one in members if one.arm == "advised"]
    teachers = {one.trial_id: (f"teacher-{one.seed}",) for one in advised}
    trials = {f"teacher-{one.seed}": spec(one.seed, "teacher") for one in advised}
    trials |= {one.trial_id: spec(one.seed) for one in members}
    return Plan(
        study=study,
        members=tuple(members),
        trials=trials,
        teachers=teachers,
        fingerprints=dict.fromkeys(trials, "f"),
        groups={trial: trial.rpartition("-")[0] for trial in trials},
    )


def search_plan(
    count: int = 4, objective: tuple[str, ...] = ("val/mae",), *, is_open: bool = True, at_once: int = 4
) -> Plan:
    """A search of one arm, ``tuned``, with trials ``search-0`` and on."""
    study = SearchStudy(
        kind="search",
        name="hunt",
        data=VariantRef(name="made_up"),
        seeds=(0,),
        base=Template(),
        arms={"tuned": Template()},
        search=SearchSettings(trials=8, at_once=at_once, objective=objective),
    )
    searches = tuple(
        SearchTrial(arm="tuned", number=number, params={}, trial_id=f"search-{number}")
        for number in range(count)
    )
    trials = {one.trial_id: spec(1000) for one in searches}
    return Plan(
        study=study,
        members=(),
        trials=trials,
        teachers={},
        fingerprints=dict.fromkeys(trials, "f"),
        groups={trial: trial for trial in trials},
        searches=searches,
        is_open=is_open,
    )


def record(
    trial_id: str, mae: float = 0.5, state: State = "complete", parameters: int = 1000
) -> TrialResult:
    is_complete = state == "complete"
    return TrialResult(
        trial_id=trial_id,
        group_id="g",
        spec=spec(),
        state=state,
        data_fingerprint="f",
        environment=ENVIRONMENT,
        metrics={"val/mae": mae} if is_complete else {},
        epochs=(EpochRecord(epoch=0, metrics={"val/mae": mae}),),
        best_epoch=0 if is_complete else None,
        efficiency=Efficiency(parameters=parameters, latency=LATENCY) if is_complete else None,
        seconds={"train": 2.0},
        failure=Failure(message="the loss became nan", traceback="") if state == "failed" else None,
    )
