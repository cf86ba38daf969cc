"""What a model must know of its data survives a file; what a tokenizer is fitted to does not leave."""

from dataclasses import replace

import pytest
from contract import DATA, EVENTS

from harness.engine.info_file import load_info, save_info
from harness.spec import BadInput


@pytest.mark.parametrize("data", [DATA, EVENTS], ids=["sentiment", "retrieval"])
def test_it_survives_but_for_the_transcripts(data, tmp_path):
    found = load_info(save_info(data.info, tmp_path / "info.json"))
    assert found == replace(data.info, train_transcripts=())


def test_no_transcript_is_in_it(tmp_path):
    assert DATA.info.train_transcripts
    text = save_info(DATA.info, tmp_path / "info.json").read_text()
    assert not any(said in text for said in DATA.info.train_transcripts)


def test_the_tokenizer_is_read_from_its_own_file(tmp_path):
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text("{}")
    assert load_info(save_info(DATA.info, tmp_path / "info.json"), tokenizer).tokenizer_json == "{}"


@pytest.mark.parametrize("content", ["", "{}", '{"task": "poetry", "label_range": [0, 1], "views": []}'])
def test_another_file_is_one_line(tmp_path, content):
    path = tmp_path / "info.json"
    path.write_text(content)
    with pytest.raises(BadInput, match="not what a trial leaves of its data"):
        load_info(path)
