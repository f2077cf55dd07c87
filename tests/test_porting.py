"""PORTING.md: what it says is there is there, and it leaves out no name of NumPyro's that it should hold."""
import operator
import pathlib
import re

import pytest

import chainrule as cr

TEXT = (pathlib.Path(__file__).parents[1] / "PORTING.md").read_text()
ROOTS = {"cr": cr, "engine": cr.engine, "dist": cr.distributions, "handlers": cr.handlers, "inference": cr.inference}
ROWS = [line.split("|")[1:4] for line in TEXT.splitlines() if line.startswith("| `")]
HERE = sorted({name for row in ROWS for name in re.findall(r"`([\w.]+)`", row[1])})
WORDS = set(re.findall(r"\w+", " ".join(row[0] for row in ROWS)))
NAMES = """
    sample param deterministic factor plate plate_stack subsample prng_key module get_mask render_model enable_x64
    enable_validation validation_enabled set_platform set_host_device_count mutable scan cond flax_module
    random_flax_module nnx_module random_nnx_module eqx_module random_eqx_module config_enumerate config_kl enum
    markov infer_discrete trace replay substitute condition uncondition block do infer_config lift mask reparam
    scale scope seed collapse Messenger init_to_uniform init_to_median init_to_mean init_to_sample init_to_feasible
    init_to_value initialize_model log_density compute_log_probs potential_energy constrain_fn unconstrain_fn
    transform_fn get_transforms find_valid_initial_params Predictive log_likelihood summary print_summary
    effective_sample_size gelman_rubin split_gelman_rubin autocorrelation autocovariance hpdi format_shapes
    soft_vmap check_model_guide_match fori_collect not_jax_tracer is_prng_key get_dependencies get_model_relations
    from_numpyro LocScaleReparam TransformReparam ExplicitReparam NeuTraReparam CircularReparam
    ProjectedNormalReparam HaarReparam DiscreteCosineReparam UnitJacobianReparam Adam ClippedAdam Adagrad Momentum
    RMSProp RMSPropMomentum SGD SM3 Minimize optax_to_numpyro MCMC NUTS HMC BarkerMH AIES ESS SA SVI
    Trace_ELBO TraceMeanField_ELBO TraceGraph_ELBO TraceEnum_ELBO RenyiELBO AutoNormal AutoDelta AutoDiagonalNormal
    AutoMultivariateNormal AutoBatchedMultivariateNormal AutoLowRankMultivariateNormal
    AutoBatchedLowRankMultivariateNormal AutoLaplaceApproximation AutoIAFNormal AutoBNAFNormal AutoDAIS AutoSemiDAIS
    AutoSurrogateLikelihoodDAIS AutoGuideList psis_diagnostic""".split()


@pytest.mark.parametrize("name", HERE)
def test_what_it_says_is_there_is_there(name):
    root, *path = name.split(".")
    assert operator.attrgetter(".".join(path))(ROOTS[root]) is not None if path else ROOTS[root]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_a_row(name):
    assert name in WORDS


def test_a_row_without_a_name_says_what_to_write():
    assert all(here.strip() or note.strip() for _, here, note in ROWS)
