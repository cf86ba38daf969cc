"""A model from the files that its trial left, and nothing else; and how it leaves."""

from dataclasses import replace

import pytest
import torch
import toy_events
from trials import dataset, run, spec

from harness.engine.export.export import export
from harness.engine.info_file import INFO_FILE
from harness.engine.trained import rebuild
from harness.engine.trial import CHECKPOINT_FILE, TOKENIZER_FILE
from harness.registry import DATASETS, discover
from harness.spec import BadInput, LossTerm, VariantRef

assert toy_events
discover()


def from_files(finished):
    files = finished.files
    return rebuild(finished.result, files[CHECKPOINT_FILE], files[INFO_FILE], files.get(TOKENIZER_FILE))


def stored(finished):
    table = finished.predictions
    return torch.tensor(table[table["split"] == "test"]["score"].tolist())


@pytest.mark.parametrize("role", ["student", "teacher", "baseline"])
@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_it_says_what_the_trial_stored_in_the_precision_of_the_trial(role, precision, tmp_path):
    data = dataset()
    finished = run(spec(role, precision=precision, max_epochs=1), tmp_path, data)
    found = from_files(finished).says(data.test).score
    assert (found - stored(finished)).abs().max() <= 1e-6


def test_a_trial_in_double_precision_leaves_in_single(tmp_path):
    finished = run(spec(precision="64-true", max_epochs=1), tmp_path / "work")
    left = export(from_files(finished), "hf", tmp_path / "left")
    assert left.written.difference <= 1e-5
    assert "precision 64-true (here: float32)" in (tmp_path / "left" / "README.md").read_text()


def test_weights_of_another_model_are_one_line_with_the_revision_that_made_them(tmp_path):
    finished = run(spec(max_epochs=0), tmp_path / "one")
    other = run(spec(max_epochs=0, model=VariantRef(name="gru", width=8)), tmp_path / "other")
    mixed = replace(finished, files={**finished.files, CHECKPOINT_FILE: other.files[CHECKPOINT_FILE]})
    with pytest.raises(BadInput, match=r"made by revision .*, does not fit 'text_encoder'") as fault:
        from_files(mixed)
    assert "\n" not in str(fault.value)


def test_a_model_of_features_leaves_with_a_card_that_says_which_it_wants(tmp_path):
    events = VariantRef(name="toy_events")
    data = DATASETS.build(events).load()
    given = spec(
        data=events,
        model=VariantRef(name="two_tower", width=6),
        losses={"cross_triplet": LossTerm()},
        protocol="full",
        max_epochs=1,
    )
    finished = run(given, tmp_path / "work", data)
    assert finished.result.failure is None
    reader = DATASETS.build(events)
    result = finished.result.model_copy(update={"data_fingerprint": reader.fingerprint()})
    left = export(from_files(replace(finished, result=result)), "torch", tmp_path / "left")
    card = (tmp_path / "left" / "README.md").read_text()
    width = data.info.width("audio")
    assert left.written.outputs == ("embedding", "audio_embedding", "vision_embedding")
    assert f"- `audio: float32 (clips, steps, {width})`" in card
    assert "- `audio_mask: bool (clips, steps)`" in card
    assert {path.name for path in (tmp_path / "left").iterdir()} == {"README.md", "model.pt2"}
