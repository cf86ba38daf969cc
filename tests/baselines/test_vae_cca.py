"""Two autoencoders of one latent space: what is drawn, what is not, and what they rebuild."""

import numpy as np
import torch
from paired_views import clips_of, info_of, train

from baselines.retrieval.vae_cca import VAECCA, VAECCAConfig
from harness.losses.cca_correlation import CcaCorrelation, CcaCorrelationConfig
from harness.losses.variational_bound import VariationalBound, VariationalBoundConfig
from harness.nn.retrieval.correlation import canonical_correlations

CONFIG = VAECCAConfig(width=4, hidden=24)


def shared(count, seed):
    """Two factors, shown by sound and pictures in directions of their own, and a little noise."""
    draw = np.random.default_rng(seed)
    factors, shows = draw.normal(size=(count, 2)), np.random.default_rng(7)
    sound, pictures = (factors @ shows.normal(size=(2, width)) for width in (5, 6))
    return clips_of(
        sound + 0.1 * draw.normal(size=sound.shape), pictures + 0.1 * draw.normal(size=pictures.shape)
    )


def model_of(clips):
    torch.manual_seed(0)
    return VAECCA(CONFIG, info_of(clips))


def lost(clips, model, what):
    """The share of the features' variance that is not rebuilt."""
    outputs = model.train()(clips)
    shares = [
        (outputs.part(f"{view}_features") - outputs.part(f"{view}_{what}")).square().mean()
        / outputs.part(f"{view}_features").var(0).mean()
        for view in ("audio", "vision")
    ]
    return max(share.item() for share in shares)


def test_either_modality_is_rebuilt_from_the_sound_of_held_out_clips_and_from_their_pictures():
    seen, unseen = shared(128, 0), shared(128, 1)
    model = model_of(seen)
    config = VariationalBoundConfig(translation=1.0, divergence=1e-3)
    train(model, VariationalBound(config, None), seen, steps=200, rate=0.02)
    with torch.no_grad():
        assert lost(unseen, model, "reconstruction") < 0.15
        assert lost(unseen, model, "translation") < 0.15


def test_translation_is_learnt_only_if_it_is_asked_for():
    seen = shared(128, 0)
    model = model_of(seen)
    config = VariationalBoundConfig(translation=0.0, divergence=1e-3)
    train(model, VariationalBound(config, None), seen, steps=100, rate=0.02)
    with torch.no_grad():
        assert lost(seen, model, "reconstruction") < 0.2
        assert lost(seen, model, "translation") > 0.5


def test_noise_is_drawn_in_training_only():
    clips = shared(16, 0)
    model = model_of(clips).train()
    drawn = [model(clips).audio_embedding for _ in range(2)]
    assert not drawn[0].equal(drawn[1])
    model.eval()
    assert model(clips).audio_embedding.equal(model(clips).audio_embedding)


def test_a_correlation_loss_makes_the_latent_means_of_held_out_clips_correlate():
    seen, unseen = shared(128, 0), shared(128, 1)
    model = model_of(seen)
    train(model, CcaCorrelation(CcaCorrelationConfig(), None), seen, steps=60, rate=0.02)
    with torch.no_grad():
        outputs = model.eval()(unseen)
    found = canonical_correlations(outputs.audio_embedding, outputs.vision_embedding, 1e-6)
    assert found[:2].min() > 0.9
