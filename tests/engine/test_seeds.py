"""Random streams are named, not counted."""

import torch

from harness.engine.seeds import derive_seed, generator, seed_world


def test_purposes_and_seeds_have_streams_of_their_own():
    derived = {derive_seed(seed, purpose) for seed in range(20) for purpose in ("init", "epoch/0")}
    assert len(derived) == 40


def test_a_derived_seed_is_the_same_on_every_machine():
    assert derive_seed(0, "init") == 1519069808562059438


def test_a_draw_from_one_stream_does_not_move_another():
    alone = torch.rand(3, generator=generator(0, "shuffle"))
    torch.rand(100, generator=generator(0, "init"))
    assert torch.equal(alone, torch.rand(3, generator=generator(0, "shuffle")))


def test_seeding_the_world_repeats_global_draws():
    seed_world(1, "epoch/3")
    first = torch.rand(4)
    seed_world(1, "epoch/3")
    assert torch.equal(first, torch.rand(4))
