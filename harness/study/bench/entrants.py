"""Which rows a bench has: arms of a study, each with its checkpoint, on each back end."""

from __future__ import annotations

from collections.abc import Iterator

from harness.engine.bench.loaded import check_end_to_end
from harness.engine.bench.order import Entrant
from harness.engine.trial import CHECKPOINT_FILE
from harness.registry import BACKENDS
from harness.spec import BadInput, BenchSettings, Member, Plan, TrialSpec, VariantRef, nearest
from harness.store import ResultStore

EAGER = VariantRef(name="eager")


def entrants(plan: Plan, settings: BenchSettings, store: ResultStore | None) -> tuple[Entrant, ...]:
    """The rows, in the order of the study: an arm on eager, then on its other back ends.

    Args:
        plan: the study.
        settings: which arms, which back ends, and whose weights.
        store: where checkpoints are; None if weights are random.

    Raises:
        BadInput: an arm, seed or back end that nobody knows or that is not installed; a trial without a
            checkpoint; an arm without an end-to-end cost, where that is asked for.
    """
    members = _members(plan, settings)
    unknown = sorted(settings.backends.keys() - {member.arm for member in members})
    if unknown:
        hint = nearest(unknown[0], [member.arm for member in members])
        raise BadInput(f"no arm '{unknown[0]}' is measured; {hint}", key="bench.backends")
    found = []
    for member in members:
        spec = plan.trials[member.trial_id]
        if "end_to_end" in settings.routes:
            check_end_to_end(spec, member.arm, settings.asr)
        eager = _eager(member, spec, store)
        found.append(eager)
        found += [_on(eager, ref) for ref in settings.backends.get(member.arm, ())]
    return tuple(found)


def reference(rows: tuple[Entrant, ...], plan: Plan, settings: BenchSettings) -> str:
    """The row that ratios are to: the arm named, or the study's reference, or else the first student."""
    arms = {row.arm: row for row in reversed(rows)}
    if settings.reference is not None:
        if settings.reference not in arms:
            hint = nearest(settings.reference, list(arms))
            raise BadInput(f"no arm '{settings.reference}' is measured; {hint}", key="bench.reference")
        return settings.reference
    if plan.study.reference in arms:
        return str(plan.study.reference)
    students = [row.arm for row in rows if row.spec.role == "student"]
    return (students or [rows[0].arm])[0]


def _members(plan: Plan, settings: BenchSettings) -> tuple[Member, ...]:
    """The arms under one seed, and after them the teachers that no arm has, once each."""
    known = dict.fromkeys(member.arm for member in plan.members)
    for arm in settings.arms:
        if arm not in known:
            raise BadInput(
                f"no arm '{arm}' in study '{plan.study.name}'; {nearest(arm, list(known))}",
                key="bench.arms",
            )
    seed = plan.members[0].seed if settings.seed is None else settings.seed
    asked = settings.arms or tuple(known)
    found = {
        member.arm: member for member in plan.members if member.seed == seed and member.arm in asked
    }
    if not found:
        seeds = ", ".join(str(one) for one in dict.fromkeys(member.seed for member in plan.members))
        raise BadInput(f"no arm has seed {seed}; known: {seeds}", key="bench.seed")
    members = list(found.values())
    return (*members, *(_teachers(plan, members, seed) if settings.teachers else ()))


def _teachers(plan: Plan, members: list[Member], seed: int) -> Iterator[Member]:
    told = {member.trial_id for member in members}
    for member in members:
        for trial_id in plan.teachers.get(member.trial_id, ())[:1]:
            if trial_id not in told:
                told.add(trial_id)
                yield Member(arm=f"teacher of {member.arm}", seed=seed, trial_id=trial_id)


def _eager(member: Member, spec: TrialSpec, store: ResultStore | None) -> Entrant:
    if store is None:
        return Entrant(member.arm, member.arm, spec, EAGER, member.trial_id)
    result = store.get(member.trial_id)
    checkpoint = store.artifact(member.trial_id, CHECKPOINT_FILE)
    if result is None or checkpoint is None:
        raise BadInput(
            f"seed {member.seed} of '{member.arm}' has no stored checkpoint: run the study, import it "
            "with its checkpoints, or measure what weights at random cost with --weights random",
            key="STUDY",
        )
    test = {name: value for name, value in result.metrics.items() if name.startswith("test/")}
    return Entrant(member.arm, member.arm, spec, EAGER, member.trial_id, checkpoint, test)


def _on(eager: Entrant, ref: VariantRef) -> Entrant:
    try:
        resolved = BACKENDS.resolve(ref)
        BACKENDS.configure(resolved).check()
    except BadInput as fault:
        raise fault.at(key=f"bench.backends.{eager.arm}") from fault
    chosen = ", ".join(f"{key} {value}" for key, value in ref.params.items())
    name = f"{eager.arm} · {ref.name}" + (f" ({chosen})" if chosen else "")
    return Entrant(
        name, eager.arm, eager.spec, resolved, eager.trial_id, eager.checkpoint, eager.quality
    )
