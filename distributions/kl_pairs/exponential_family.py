"""The divergence of two members of one exponential family, where there is no closed form: Bregman's, of A."""
from ..exponential_family import ExponentialFamily, inner
from ..kl import absent, enumerated, kl_divergence


@kl_divergence.register(ExponentialFamily, ExponentialFamily)
def bregman(p, q):
    """A(η_q) - A(η_p) - <η_q - η_p, ∇A(η_p)>"""
    if type(p) is not type(q):
        if p.has_enumerate_support and q.is_discrete:
            return enumerated(p, q)
        raise absent(p, q)
    a, dims = p._natural
    b, _ = q._natural
    gap = tuple(y - x for x, y in zip(a, b))
    return q.log_normalizer(*b) - p.log_normalizer(*a) - inner(gap, p.expected_statistics, dims)
