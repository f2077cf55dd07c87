"""The coefficients of a regression, by how much of the variance they explain and which sign they have."""
from ..engine import numpy as np
from ..engine.errors import ParameterError
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .normal import Normal
from .record import ArrayLike, param


class R2D2M2CP(Distribution):
    """Coefficients βᵢ of predictors with standard deviations s, of an outcome with standard deviation t, of which they
    explain the share r2 of the variance, predictor i the share φᵢ of that, and are positive with probability ψᵢ.

        βᵢ ~ Normal(qᵢ σᵢ, σᵢ),  E βᵢ² sᵢ² = φᵢ r2 t²:  σᵢ = √(φᵢ r2 / (1 + qᵢ²)) t / sᵢ,  qᵢ = Φ⁻¹(ψᵢ)

    Given all of these it is a vector of normal numbers. The prior comes from what is not known of them:

        r2 = sample("r2", Beta.from_mean_sd(0.8, 0.2))
        share = sample("share", Dirichlet([10.0, 1.0, 34.0]))                      # importance of the predictors
        positive = sample("positive", Beta.from_mean_sd([0.8, 0.5, 0.1], 0.1))     # beliefs about signs
        prior = R2D2M2CP(y.std(), x.std(0), r2, share, positive)
        beta = sample("beta", prior)
        sample("y", Normal(x @ beta, prior.residual_sigma), obs=y)                 # x with columns of mean 0

    output_sigma t : float[*batch], > 0      input_sigma s : float[*batch, n], > 0      r2 : float[*batch], in (0, 1)
    variance_explained φ : float[*batch, n], with sum 1, 1/n each unless given
    positive_probs ψ : float[*batch, n] or a number, in (0, 1)          sample : float[*shape, *batch, n]
    Source: Aguilar & Bürkner (2023), "Intuitive joint priors for Bayesian linear multilevel models: the R2D2M2 prior",
    Electronic Journal of Statistics 17; probabilities of signs as in pymc-extras.

    >>> d = R2D2M2CP(2.0, [1.0, 1.0], 0.5, [0.75, 0.25])
    >>> d.variance.tolist(), float(d.residual_sigma).__round__(6)
    ([1.5, 0.5], 1.414214)
    """
    output_sigma: ArrayLike = param(constraints.positive)
    input_sigma: ArrayLike = param(constraints.independent(constraints.positive, 1))
    r2: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    variance_explained: ArrayLike = param(constraints.simplex)
    positive_probs: ArrayLike = param(constraints.independent(constraints.open_interval(0.0, 1.0), 1))
    support = constraints.real_vector
    reparametrized_params = ("output_sigma", "input_sigma", "r2", "variance_explained", "positive_probs")

    def __init__(self, output_sigma, input_sigma, r2, variance_explained=None, positive_probs=0.5, *,
                 validate_args=None):
        input_sigma, probs = np.asarray(input_sigma), np.asarray(positive_probs)
        if not input_sigma.ndim:
            raise ParameterError("R2D2M2CP: input_sigma must be a vector, an element for each predictor; it is a "
                                 "number.")
        n = input_sigma.shape[-1]
        shares = np.full(n, 1.0 / n, input_sigma.dtype) if variance_explained is None else variance_explained
        super().__init__(output_sigma, input_sigma, r2, shares, probs if probs.ndim else np.broadcast_to(probs, (n,)),
                         validate_args=validate_args)

    @property
    def event_shape(self):
        return np.broadcast_shapes(self.input_sigma.shape[-1:], self.variance_explained.shape[-1:],
                                   self.positive_probs.shape[-1:])

    @property
    def coefficients(self):
        """The normal distributions of the coefficients, of batch shape [*batch, n]."""
        q = special.ndtri(self.positive_probs)
        total = (self.r2 * np.square(self.output_sigma))[..., None] * self.variance_explained
        scale = np.sqrt(total / (1.0 + np.square(q))) / self.input_sigma
        return Normal(np.broadcast_to(q * scale, self.shape()), np.broadcast_to(scale, self.shape()),
                      validate_args=False).to_event(1)

    @property
    def residual_sigma(self):
        """t √(1 - r2), the standard deviation of what the predictors do not explain: float[*batch]."""
        return self.output_sigma * np.sqrt(1.0 - self.r2)

    def sample(self, key, sample_shape=()):
        return self.coefficients.sample(key, sample_shape)

    def log_prob_inside(self, value):
        return self.coefficients.log_prob(value)

    @property
    def mean(self):
        return self.coefficients.mean

    mode = mean

    @property
    def variance(self):
        return self.coefficients.variance

    def entropy(self):
        return self.coefficients.entropy()
