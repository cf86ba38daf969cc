"""Models that are fitted in closed form, as the engine runs them: no epochs, no losses."""

import pytest
from pydantic import ValidationError
from toy_events import ToyEvents, ToyEventsConfig
from trials import run, spec

from harness.registry import BASELINES, discover
from harness.spec import Missing, VariantRef

DATA = ToyEvents(ToyEventsConfig(train=24)).load()
discover()
FITTED = [entry for entry in BASELINES if entry.config.is_fitted]


def fitted(entry, **changes):
    return spec(
        "baseline",
        data=VariantRef(name="toy_events"),
        protocol="full",
        model=VariantRef(name=entry.name, **entry.tiny),
        losses={},
        max_epochs=0,
        **changes,
    )


@pytest.mark.parametrize("precision", ["64-true", "bf16-true"])
@pytest.mark.parametrize("entry", FITTED, ids=lambda entry: entry.name)
def test_it_has_the_precision_of_its_trial(entry, precision, tmp_path):
    expected = run(fitted(entry), tmp_path / "32", DATA).result
    found = run(fitted(entry, precision=precision), tmp_path / precision, DATA).result
    assert found.state == "complete", found.failure
    # A half-precision number has three digits, and so has what a random direction is drawn by.
    if precision == "64-true":
        assert found.metrics["test/map"] == pytest.approx(expected.metrics["test/map"], abs=1e-6)


def test_nothing_can_be_missing_from_clips_that_it_is_fitted_to():
    with pytest.raises(ValidationError, match="in closed form is fitted to whole clips"):
        fitted(BASELINES.get("cca"), missing=Missing(rate=0.3))
