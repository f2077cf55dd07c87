"""What a Hamiltonian sampler tells of the posterior: whether momenta reach its energies, and where it diverges."""
import numpy as np

from .sites import normal_scores, over_sites


def bfmi(energy):
    """Σ (Eₜ - Eₜ₋₁)² / Σ (Eₜ - Ē)², each as a mean, for every chain: below 0.3 the momenta explore too slowly.

    energy : float[chains, draws] -> float[chains].   Source: Betancourt (2016), arXiv:1604.00695, section 3.

    >>> bfmi([[0, 1, 0, 1]]).round(2).tolist()
    [3.0]
    """
    energy = np.atleast_2d(np.asarray(energy, dtype=float))
    return over_sites(lambda e: (np.diff(e)**2).mean((1, 2)) / e.var((1, 2), ddof=1), energy.T[None], min_draws=2)


e_bfmi = ebfmi = bfmi


def divergences_by_site(samples, diverging):
    """{site: (mean where diverging - mean elsewhere) / sd elsewhere}: where in the space of the sites divergences lie.

    samples : {site: float[chains, draws, *shape]}          diverging : bool[chains, draws]
    Of the draws' normal scores, so that a transformation of a site changes nothing but its sign. A site with a value
    near 0 has nothing to do with them; one at -2 has them in its lower tail, such as the scale of a funnel. nan where
    there is no divergence, where all diverge, and where a site is constant.

    >>> x = np.random.default_rng(0).normal(size=(2, 500))
    >>> {k: bool(abs(v) > 1) for k, v in divergences_by_site({"scale": np.exp(x), "other": x[::-1]}, x < -2).items()}
    {'scale': True, 'other': False}
    """
    diverging = np.asarray(diverging, dtype=bool)
    flags = diverging.reshape(-1)

    def statistic(x):
        scores = normal_scores(x).reshape(len(x), -1)
        there, elsewhere = scores[:, flags], scores[:, ~flags]
        return (there.mean(1) - elsewhere.mean(1)) / elsewhere.std(1, ddof=1)

    def one(name, x):
        x = np.asarray(x, dtype=float)
        if x.shape[:2] != diverging.shape:
            raise ValueError(f"samples[{name!r}] has shape {x.shape}, and diverging {diverging.shape}: their chains "
                             "and draws must agree.")
        some = flags.any() and not flags.all()
        return over_sites(statistic, x, min_draws=1) if some else np.full(x.shape[2:], np.nan)[()]

    return {name: one(name, x) for name, x in samples.items()}
