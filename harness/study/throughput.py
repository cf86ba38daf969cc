"""The trained arm of a study, with what it left in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.engine.throughput import Trained
from harness.engine.trial import CHECKPOINT_FILE, EMBEDDINGS_FILE
from harness.registry import DATASETS, discover
from harness.spec import BadInput, Member, Plan, TrialResult, nearest
from harness.store import ResultStore

if TYPE_CHECKING:
    from harness.contracts import Reader
    from harness.types import Dataset


def trained_arm(
    store: ResultStore, plan: Plan, arm: str | None, seed: int | None, plugins: Sequence[str] = ()
) -> Trained:
    """A complete trial of an arm that has vectors to search with.

    Args:
        store: where its record and its files are.
        plan: the study.
        arm: None for the study's reference, or else the first arm with vectors.
        seed: None for the first of the arm.
        plugins: modules that register variants.

    Raises:
        BadInput: an arm or seed that is unknown or has left no vectors, or data that changed since.
    """
    member = _member(plan, arm, seed)
    result = store.get(member.trial_id)
    checkpoint = store.artifact(member.trial_id, CHECKPOINT_FILE)
    vectors = store.artifact(member.trial_id, EMBEDDINGS_FILE)
    if result is None or checkpoint is None or vectors is None:
        raise BadInput(
            f"seed {member.seed} of '{member.arm}' has no stored checkpoint and vectors; run the study, "
            "or import it with its checkpoints",
            key="--arm",
        )
    return Trained(
        study=plan.study.name,
        arm=member.arm,
        result=result,
        data=_data(result, plugins),
        checkpoint=checkpoint,
        vectors=vectors,
        runtime=plan.study.runtime,
    )


def _member(plan: Plan, arm: str | None, seed: int | None) -> Member:
    searching = _searching(plan)
    if arm is None:
        reference = plan.study.reference
        arm = reference if reference in searching else searching[0]
    known = dict.fromkeys(member.arm for member in plan.members)
    if arm not in known:
        raise BadInput(
            f"no arm '{arm}' in study '{plan.study.name}'; {nearest(arm, known)}", key="--arm"
        )
    if arm not in searching:
        raise BadInput(
            f"'{arm}' is a teacher, which scores pairs and has no vectors to search with; arms that "
            f"have: {', '.join(searching)}",
            key="--arm",
        )
    members = {member.seed: member for member in plan.members if member.arm == arm}
    if seed is not None and seed not in members:
        raise BadInput(
            f"'{arm}' has no seed {seed}; known: {', '.join(map(str, members))}", key="--seed"
        )
    return members[seed] if seed is not None else next(iter(members.values()))


def _searching(plan: Plan) -> tuple[str, ...]:
    """The arms that leave vectors, in the order of the study; there is one at least."""
    specs = {member.arm: plan.trials[member.trial_id] for member in plan.members}
    searching = tuple(
        arm for arm, spec in specs.items() if spec.task.name == "retrieval" and spec.role != "teacher"
    )
    if not searching:
        raise BadInput(
            f"no arm of '{plan.study.name}' has vectors to search with: they are what students and "
            "baselines of retrieval leave",
            key="STUDY",
        )
    return searching


def _data(result: TrialResult, plugins: Sequence[str]) -> Dataset:
    discover(plugins)
    reader: Reader = DATASETS.build(result.spec.data)
    reader.prepare()
    fingerprint = reader.fingerprint()
    if fingerprint != result.data_fingerprint:
        raise BadInput(
            f"the data changed since the arm was trained: fingerprint {fingerprint}, expected "
            f"{result.data_fingerprint}; run the study again",
            key="data",
        )
    return reader.load()
