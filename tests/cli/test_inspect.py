"""What the command line says of one variant."""

import pytest

from harness.cli.inspect import describe_command
from harness.registry import LOSSES, STUDENTS
from harness.spec import BadInput


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def line(told, param):
    (found,) = [one for one in told.splitlines() if one.split()[:1] == [param]]
    return " ".join(found.split())


def test_a_variant_is_described_with_all_its_parameters(capsys):
    describe_command("student", "text_encoder", [])
    told = capsys.readouterr().out
    entry = STUDENTS.get("text_encoder")
    assert entry.summary in told
    for param in entry.config.model_fields:
        assert line(told, param)


def test_what_a_search_tries_stands_beside_the_default_with_its_condition(capsys):
    describe_command("student", "text_encoder", [])
    told = capsys.readouterr().out
    assert line(told, "heads").startswith("heads 4 2 or 4 or 8, when pretrained is null attention heads")
    assert line(told, "dropout").startswith("dropout 0.1 0 to 0.5 in the encoder")
    assert line(told, "lora_alpha").startswith("lora_alpha 16.0 adapters count")


def test_the_weight_of_a_loss_is_told_with_its_parameters(capsys):
    describe_command("loss", "kl", [])
    assert LOSSES.get("kl").space["weight"].log
    assert line(capsys.readouterr().out, "weight") == "weight 1 0.1 to 10, log of the loss"


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [("los", "kl", "did you mean 'loss'"), ("loss", "kll", "did you mean 'kl'")],
)
def test_an_unknown_kind_or_name_gives_the_nearest(kind, name, near):
    with pytest.raises(BadInput, match=near):
        describe_command(kind, name, [])


def test_a_model_is_described_with_its_presets_and_what_they_rest_on(capsys):
    describe_command("baseline", "lmf", [])
    said = " ".join(capsys.readouterr().out.split())
    assert "preset mosi: MMSA 2.2.1" in said
    assert "preset mosi_utterance: mosi_baselines_search" in said
    assert "(12 search trials)" in said
