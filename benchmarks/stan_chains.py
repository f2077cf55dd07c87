"""One row of peers.py on Stan by PyStan, where it is installed. Prints JSON.

    python benchmarks/stan_chains.py NAME CHAINS TRANSITIONS stan FILE

Nothing imports this file: peers.py starts it. A first run, the compilation of the program included; then, unless FILE
is "first", others on other data of the same shapes, whose draws go to FILE, an npz (see clock.repeats). Gradients are
the trees' leapfrog steps, warm-up included. The programs are vectorised by hand, as Stan's manual advises.
"""
import json
import os
import sys
import time

name, chains, transitions, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[5]
BEGAN = float(os.environ["BEGAN"])

import numpy as onp  # noqa: E402
import stan  # noqa: E402
from clock import peak, repeats  # noqa: E402
from datasets import DATA  # noqa: E402

EIGHT = "data { vector[8] sigma; vector[8] y; } parameters { real mu; real<lower=0> tau; "
LOGIT = """
    data { int N; int D; matrix[N, D] x; array[N] int<lower=0, upper=1> y; }
    parameters { real alpha; vector[D] beta; }
    model { alpha ~ normal(0, 5); beta ~ normal(0, 1); y ~ bernoulli_logit_glm(x, alpha, beta); }"""
PROGRAMS = {
    "eight_schools_nc": EIGHT + """vector[8] z; } transformed parameters { vector[8] theta = mu + tau * z; }
    model { mu ~ normal(0, 5); tau ~ cauchy(0, 5); z ~ std_normal(); y ~ normal(theta, sigma); }""",
    "eight_schools_c": EIGHT + """vector[8] theta; }
    model { mu ~ normal(0, 5); tau ~ cauchy(0, 5); theta ~ normal(mu, tau); y ~ normal(theta, sigma); }""",
    "radon_nc": """
    data { int N; array[N] int county; vector[N] floor_; vector[N] y; }
    parameters { real mu; real beta; real<lower=0> sigma_a; real<lower=0> sigma_y; vector[85] z; }
    transformed parameters { vector[85] alpha = mu + sigma_a * z; }
    model {
      mu ~ normal(0, 10); beta ~ normal(0, 10); sigma_a ~ normal(0, 1); sigma_y ~ normal(0, 1); z ~ std_normal();
      y ~ normal(alpha[county] + beta * floor_, sigma_y);
    }""",
    "logit_1k": LOGIT, "logit_10k": LOGIT, "logit_100k": LOGIT,
    "funnel": """
    parameters { real v; vector[9] x; }
    model { v ~ normal(0, 3); x ~ normal(0, exp(v / 2)); }""",
    "irt_500": """
    data { int N; array[N] int item; array[N] int person; array[N] int<lower=0, upper=1> y; }
    parameters {
      real<lower=0> s_t; real<lower=0> s_a; real<lower=0> s_b; real mu_b;
      vector[400] theta; vector<lower=0>[50] a; vector[50] b;
    }
    model {
      s_t ~ cauchy(0, 2); s_a ~ cauchy(0, 2); s_b ~ cauchy(0, 2); mu_b ~ normal(0, 5);
      theta ~ normal(0, s_t); a ~ lognormal(0, s_a); b ~ normal(mu_b, s_b);
      y ~ bernoulli_logit(a[item] .* (theta[person] - b[item]));
    }""",
    "arK": """
    data { int K; int T; vector[T] y; }
    transformed data { matrix[T - K, K] lags; for (k in 1:K) lags[, k] = y[(K + 1 - k):(T - k)]; }
    parameters { real alpha; vector[K] beta; real<lower=0> sigma; }
    model {
      alpha ~ normal(0, 10); beta ~ normal(0, 10); sigma ~ cauchy(0, 2.5);
      tail(y, T - K) ~ normal_id_glm(lags, alpha, beta, sigma);
    }""",
    "garch": """
    data { int T; array[T] real y; real<lower=0> sigma1; }
    parameters { real mu; real<lower=0> alpha0; real<lower=0, upper=1> alpha1; real<lower=0, upper=1 - alpha1> beta1; }
    model {
      array[T] real sigma;
      sigma[1] = sigma1;
      for (t in 2:T) sigma[t] = sqrt(alpha0 + alpha1 * square(y[t - 1] - mu) + beta1 * square(sigma[t - 1]));
      y ~ normal(mu, sigma);
    }""",
    "gp_regr": """
    data { int N; array[N] real x; vector[N] y; }
    parameters { real<lower=0> rho; real<lower=0> alpha; real<lower=0> sigma; }
    model {
      rho ~ gamma(25, 4); alpha ~ normal(0, 2); sigma ~ normal(0, 1);
      y ~ multi_normal_cholesky(rep_vector(0, N),
                                cholesky_decompose(add_diag(gp_exp_quad_cov(x, alpha, rho), sigma)));
    }""",
}


def data(seed):
    """By Stan's conventions: indices from 1, outcomes of Bernoulli trials as integers, sizes said."""
    given = DATA[name](seed)
    if "item" in given: given |= {"item": given["item"] + 1, "person": given["person"] + 1}
    if "county" in given: given |= {"county": given["county"] + 1, "floor_": given.pop("floor")}
    if "bernoulli" in PROGRAMS[name]: given["y"] = given["y"].astype(int)
    if "int N" in PROGRAMS[name]: given["N"] = len(given["y"])
    if "int D" in PROGRAMS[name]: given["D"] = given["x"].shape[1]
    return given


def run(seed):
    """(draws by parameter, a function that counts the gradients, warm-up included)"""
    made = stan.build(PROGRAMS[name], data=data(seed), random_seed=seed + 1)
    fit = made.sample(num_chains=chains, num_warmup=transitions, num_samples=transitions, save_warmup=True)
    draws = fit._draws[len(fit.sample_and_sampler_param_names):, transitions:]             # [parameter, draw, chain]
    named = {key: onp.swapaxes(x, 0, 1) for key, x in zip(fit.constrained_param_names, draws)}
    return named, lambda: int(fit["n_leapfrog__"].sum())


def main():
    run(0)
    out = {"first": time.time() - BEGAN, "MB": peak()}
    if file != "first":
        out |= repeats(run, file)[0] | {"compiled": None}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
