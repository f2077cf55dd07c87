"""Which estimator of the gradient a site of the guide has, and the score that the score function needs.

    pathwise     the draw moves with the parameters: the derivative of the value is that of the sampler
    score        the draw is a constant, and the gradient of its log-density times the cost says how to change it
    enumerate    no draw: the sum over all joint values of such sites (in Trace_ELBO and its siblings with sums)
    straight_through   a draw of 0s and 1s has the derivative of its mean: biased

A site whose distribution has pathwise derivatives takes them; others take the score function. The site's statement may
say otherwise: `infer={"grad": "score"}`, or another of these words; so may `handlers.infer_config` around the guide:
`infer_config(guide, {"k": {"grad": "enumerate"}})`. `infer={"enumerate": "parallel"}` is `"enumerate"`, too.
Source: Mohamed, Rosca, Figurnov & Mnih (2020), "Monte Carlo gradient estimation in machine learning".
"""
from ...distributions import Masked, Vmapped
from ...distributions.wrappers import Expanded, Independent, Wrapper
from ...engine import numpy as np
from ...engine import tree
from ...engine.lax import stop_gradient
from ...ppl.stacked import Branched
from .straight_through import ALLOWED

PATHWISE, SCORE, ENUMERATE, STRAIGHT = WORDS = "pathwise", "score", "enumerate", "straight_through"


def families(fn):
    """The distributions inside of wrappers, vmap and branches."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return [f for one in fn.fns for f in families(one)] if isinstance(fn, Branched) else [fn]


def core(fn):
    """The name of the family inside of wrappers; that of the first branch."""
    return type(families(fn)[0]).__name__


def estimator(site):
    """One of the four words.

    Raises SiteError for another word, a derivative that is not there, or branches that differ.
    """
    wanted = site.infer.get("grad")
    if wanted is None and site.infer.get("enumerate") == "parallel":
        wanted = ENUMERATE
    moves = {type(f).__name__: f.has_rsample for f in families(site.fn)}
    if wanted not in (None, *WORDS):
        raise site.error(f'site {site.name!r}: infer={{"grad": {wanted!r}}} is no estimator of a gradient.\n'
                         f'Write one of {", ".join(WORDS)}, or leave it out.')
    if wanted == ENUMERATE and not all(f.has_enumerate_support for f in families(site.fn)):
        raise site.error(f'site {site.name!r}: infer={{"grad": "enumerate"}}, and the values of {core(site.fn)} cannot '
                         'be listed.\nLeave it out.')
    if wanted == STRAIGHT and not all(isinstance(f, ALLOWED) for f in families(site.fn)):
        raise site.error(f'site {site.name!r}: infer={{"grad": "straight_through"}} is for Bernoulli and '
                         f'OneHotCategorical; the site is {core(site.fn)}.\nTake one of them, or leave it out.')
    fixed = [name for name, ok in moves.items() if not ok]
    if wanted == PATHWISE and fixed:
        raise site.error(f'site {site.name!r}: infer={{"grad": "pathwise"}}, and draws of {fixed[0]} have no '
                         'derivative.\nLeave it out: the score function is taken.')
    if wanted is None and len(set(moves.values())) > 1:
        raise site.error(f"site {site.name!r} has draws with a derivative in one branch of a cond and without one in "
                         f'another ({", ".join(moves)}).\nWrite infer={{"grad": "score"}} at both.')
    return wanted or (SCORE if fixed else PATHWISE)


def score_sites(guide):
    """The names of the guide's sites whose gradient is that of the score function."""
    return [name for name, s in guide.items()
            if s.kind == "sample" and not s.observed and estimator(s) == SCORE]


def score(site):
    """log q of a drawn value, a constant, under the distribution that it was drawn from, one number per batch element:
    masks and scales weigh costs, they do not change what is drawn."""
    return drawn_from(site.fn).log_prob(stop_gradient(site.value))


def drawn_from(fn):
    """A distribution without its masks."""
    if isinstance(fn, Masked):
        return drawn_from(fn.base_dist)
    if isinstance(fn, Expanded):
        return Expanded(drawn_from(fn.base_dist), fn.expanded_shape)
    if isinstance(fn, Independent):
        return Independent(drawn_from(fn.base_dist), fn.reinterpreted_batch_ndims)
    if isinstance(fn, Branched):
        nothing = (None,) * len(fn.fns)
        return Branched(fn.index, tuple(map(drawn_from, fn.fns)), nothing, nothing, fn.present)
    if type(fn) is Vmapped and not _plain(fn):
        made = fn.lanes.each(drawn_from)
        return Vmapped(made, (True,) * len(tree.leaves(made)), fn.lanes.size)
    return fn


def _plain(fn):
    """Whether there is no mask to take away."""
    while isinstance(fn, (Wrapper, Vmapped)):
        if isinstance(fn, Masked):
            return False
        fn = fn.base_dist
    return not isinstance(fn, Branched)


def with_score(cost, log_q, baseline=0.0):
    """The cost, with the derivative (cost - baseline) ∇ log_q added to its own; the value stays."""
    return cost + stop_gradient(cost - baseline) * (log_q - stop_gradient(log_q))


def total(sites):
    """Σ log-density of the sites that have one, masked and scaled."""
    return sum((np.sum(s.log_prob()) for s in sites.values() if s.scored), np.zeros(()))
