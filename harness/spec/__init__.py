"""The nouns of the harness, as frozen values; no torch is imported below this package."""

from harness.spec.base import Frozen
from harness.spec.errors import BadInput, nearest
from harness.spec.identity import LOCATION_KEYS, canonical_json, digest, group_id, trial_id
from harness.spec.metric import METRICS, MetricSpec
from harness.spec.plan import Member, Plan
from harness.spec.result import (
    PREDICTION_COLUMNS,
    Efficiency,
    Environment,
    EpochRecord,
    Failure,
    Latency,
    TrialResult,
)
from harness.spec.study import (
    NAMED_CONTROLS,
    STUDY_ADAPTER,
    AblationStudy,
    GridStudy,
    Recipe,
    Template,
)
from harness.spec.task import TASKS, Protocol, TaskSpec
from harness.spec.trial import (
    Accelerator,
    Control,
    LossTerm,
    Optimisation,
    Precision,
    Role,
    Runtime,
    Schedule,
    TrialSpec,
)
from harness.spec.variant import (
    MODALITY_OF,
    Kind,
    LossConfig,
    Modality,
    ModelConfig,
    OutputName,
    VariantConfig,
    VariantRef,
    View,
)

__all__ = [
    "LOCATION_KEYS",
    "METRICS",
    "MODALITY_OF",
    "NAMED_CONTROLS",
    "PREDICTION_COLUMNS",
    "STUDY_ADAPTER",
    "TASKS",
    "AblationStudy",
    "Accelerator",
    "BadInput",
    "Control",
    "Efficiency",
    "Environment",
    "EpochRecord",
    "Failure",
    "Frozen",
    "GridStudy",
    "Kind",
    "Latency",
    "LossConfig",
    "LossTerm",
    "Member",
    "MetricSpec",
    "Modality",
    "ModelConfig",
    "Optimisation",
    "OutputName",
    "Plan",
    "Precision",
    "Protocol",
    "Recipe",
    "Role",
    "Runtime",
    "Schedule",
    "TaskSpec",
    "Template",
    "TrialResult",
    "TrialSpec",
    "VariantConfig",
    "VariantRef",
    "View",
    "canonical_json",
    "digest",
    "group_id",
    "nearest",
    "trial_id",
]
