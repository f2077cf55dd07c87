"""The beta function and its incomplete form, with logarithms and inverses."""
from ...ops.beta_quantile import betainccinv, betaincinv, random_beta_grad
from ...ops.betainc import betainc, betaincc, log_betainc, log_betaincc
from ...ops.betas import beta, betaln

__all__ = ["beta", "betainc", "betaincc", "betainccinv", "betaincinv", "betaln", "log_betainc", "log_betaincc",
           "random_beta_grad"]
