"""The base of everything that travels as configuration or as a record."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that never changes and knows all its keys."""

    # Non-finite metrics are facts (Corr of a constant prediction is NaN), so JSON keeps them as
    # the strings "NaN" and "Infinity" instead of turning them into null.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")
