"""From the settings of a search to Optuna's samplers and pruners."""

from __future__ import annotations

import warnings

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, RandomSampler, TPESampler

from harness.engine.seeds import derive_seed
from harness.spec import CmaEsSampler as CmaEsSettings
from harness.spec import HyperbandPruner as HyperbandSettings
from harness.spec import MedianPruner as MedianSettings
from harness.spec import Nsga2Sampler, SearchSettings, TpeSampler

SEEDS = 2**32
"""NumPy's legacy generators, which Optuna draws from, take seeds below this."""


def quiet_optuna() -> None:
    """Optuna tells a terminal of every study it creates; we say what there is to say."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def make_sampler(settings: SearchSettings, purpose: str) -> BaseSampler:
    """The sampler of the settings; each purpose has its own random stream."""
    seed = derive_seed(settings.seed, purpose) % SEEDS
    with warnings.catch_warnings():
        # Some arguments are called experimental or to be renamed; the version is pinned to a major.
        warnings.simplefilter("ignore")
        return _sampler(settings, seed)


def _sampler(settings: SearchSettings, seed: int) -> BaseSampler:
    own = settings.sampler
    if isinstance(own, TpeSampler):
        # Groups keep a joint density where parameters are conditional.
        return TPESampler(
            n_startup_trials=own.startup_trials,
            multivariate=own.multivariate,
            group=own.multivariate,
            seed=seed,
        )
    if isinstance(own, CmaEsSettings):
        return CmaEsSampler(
            sigma0=own.sigma, popsize=own.population, seed=seed, warn_independent_sampling=False
        )
    if isinstance(own, Nsga2Sampler):
        return NSGAIISampler(population_size=own.population, seed=seed)
    return RandomSampler(seed=seed)


def make_pruner(settings: SearchSettings, max_epochs: int) -> BasePruner:
    """The pruner of the settings, for trials of at most so many epochs; a step is an epoch done."""
    own = settings.pruner
    if isinstance(own, MedianSettings):
        return MedianPruner(
            n_startup_trials=own.startup_trials,
            # Optuna judges at the step of this number already.
            n_warmup_steps=own.warmup_epochs + 1,
        )
    if isinstance(own, HyperbandSettings):
        # Told, not found out from the first complete trial: it may have stopped early.
        return HyperbandPruner(
            min_resource=own.min_epochs,
            max_resource=max(max_epochs, own.min_epochs),
            reduction_factor=own.reduction_factor,
        )
    return NopPruner()
