"""Layer-wise decay of the learning rate."""

import pytest

from harness.nn.text.layer_rates import LayerRates

BERT = [
    "embeddings.word_embeddings.weight",
    "embeddings.LayerNorm.weight",
    *(f"encoder.layer.{layer}.attention.self.query.weight" for layer in range(12)),
]


def test_rates_fall_from_the_top_layer_to_the_embeddings():
    rates = LayerRates(BERT, 0.9)
    assert rates.scale("encoder.layer.11.output.dense.bias") == 0.9
    assert rates.scale("encoder.layer.10.output.dense.bias") == 0.9**2
    assert rates.scale("encoder.layer.0.output.dense.bias") == 0.9**12
    assert rates.scale("embeddings.LayerNorm.bias") == 0.9**13


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("encoder.layer.3.attention.self.query.weight", 4),  # bert, roberta, electra
        ("transformer.layer.3.ffn.lin1.bias", 4),  # distilbert
        ("encoder.layer.3.attention.self.query_proj.weight", 4),  # deberta-v2
        ("layers.3.mlp.Wi.weight", 4),  # modernbert
        ("encoder.rel_embeddings.weight", 0),  # deberta-v2
        ("embeddings.token_type_embeddings_3.weight", 0),  # tapas
        ("embeddings_project.weight", 0),  # electra
        ("final_norm.weight", 6),  # modernbert
        ("encoder.LayerNorm.weight", 6),  # deberta-v2
    ],
)
def test_layers_are_found_in_the_names_of_architectures(name, layer):
    names = [name, *(f"encoder.layer.{number}.weight" for number in range(6))]
    assert LayerRates(names, 0.5).scale(name) == 0.5 ** (6 - layer + 1)


def test_layers_that_share_their_weights_are_one():
    name = "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
    assert LayerRates([name], 0.5).scale(name) == 0.5


def test_no_decay_is_no_change():
    assert {LayerRates(BERT, 1.0).scale(name) for name in BERT} == {1.0}
