"""What a study's trials are called where people read of them."""

from __future__ import annotations

from harness.spec import Plan


def trial_labels(plan: Plan) -> dict[str, str]:
    """From every trial to its name: ``arm seed 0``, ``arm #12`` of a search, ``teacher of arm seed 0``.

    A trial that several arms share is called after the first of them.
    """
    labels: dict[str, str] = {}
    for member in plan.members:
        labels.setdefault(member.trial_id, f"{member.arm} seed {member.seed}")
    for trial in plan.searches:
        labels.setdefault(trial.trial_id, f"{trial.arm} #{trial.number}")
    for advised, label in list(labels.items()):
        teachers = plan.teachers.get(advised, ())
        for number, teacher in enumerate(teachers, 1):
            fold = f" fold {number} of {len(teachers)}" if len(teachers) > 1 else ""
            labels.setdefault(teacher, f"teacher of {label}{fold}")
    return labels | {trial: trial[:8] for trial in plan.trials if trial not in labels}
