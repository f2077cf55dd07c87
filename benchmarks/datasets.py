"""Data of the workloads, in NumPy alone, so that peers have the same ones in environments of their own.

`DATA[name](seed)` gives the arguments of a model by name; seed 0 is the first run, another seed other data of the same
shapes.
"""
import numpy as onp

# ---- eight schools ----

EFFECT = onp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = onp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def eight_schools_data(seed):
    return {"sigma": ERROR, "y": EFFECT + 0.5 * seed}


# ---- a hierarchy of 85 groups ----

def radon_data(seed):
    """919 houses in 85 counties of unequal sizes; the columns are like those of Gelman & Hill (2006), ch. 12."""
    rng = onp.random.default_rng(919 + seed)
    weights = rng.dirichlet(onp.full(85, 0.8))
    county = onp.sort(onp.concatenate([onp.arange(85), rng.choice(85, 919 - 85, p=weights)]))
    floor = (rng.random(919) < 0.17).astype(float)
    alpha = 1.46 + 0.33 * rng.normal(size=85)
    return {"county": county, "floor": floor, "y": alpha[county] - 0.69 * floor + 0.76 * rng.normal(size=919)}


# ---- logistic regression ----

def logit_data(rows, columns, rho=0.5):
    """Columns that follow an AR(1) process with this correlation."""
    def data(seed):
        rng = onp.random.default_rng(rows + seed)
        x = rng.normal(size=(rows, columns))
        for k in range(1, columns):
            x[:, k] = rho * x[:, k - 1] + onp.sqrt(1.0 - rho ** 2) * x[:, k]
        logits = 0.3 + x @ (0.5 * rng.normal(size=columns))
        return {"x": x, "y": (rng.random(rows) < 1 / (1 + onp.exp(-logits))).astype(float)}
    return data


# ---- item responses ----

def irt_data(seed):
    """50 items, each answered by 400 persons."""
    rng = onp.random.default_rng(500 + seed)
    item, person = onp.repeat(onp.arange(50), 400), onp.tile(onp.arange(400), 50)
    theta, a, b = rng.normal(size=400), onp.exp(0.4 * rng.normal(size=50)), 0.5 + rng.normal(size=50)
    logits = a[item] * (theta[person] - b[item])
    y = (rng.random(20_000) < 1.0 / (1.0 + onp.exp(-logits))).astype(float)
    return {"item": item, "person": person, "y": y}


# ---- a normal distribution of 50 dimensions with five strong factors ----

def normal_data(seed):
    rng = onp.random.default_rng(50 + seed)
    scale, loadings = onp.exp(rng.normal(size=50)), 3.0 * rng.normal(size=(50, 5))
    return {"precision": onp.linalg.inv(scale[:, None] * (onp.eye(50) + loadings @ loadings.T) * scale)}


# ---- time series ----

def ar_data(seed):
    rng = onp.random.default_rng(5 + seed)
    y = rng.normal(size=200)
    for t in range(5, 200):
        y[t] = 0.1 + y[t - 5:t][::-1] @ [0.7, -0.4, 0.2, 0.1, -0.1] + 0.15 * rng.normal()
    return {"K": 5, "T": 200, "y": y}


def garch_data(seed):
    rng = onp.random.default_rng(11 + seed)
    y, variance = onp.empty(200), 2.25
    for t in range(200):
        y[t] = 5.0 + onp.sqrt(variance) * rng.normal()
        variance = 1.5 + 0.4 * (y[t] - 5.0) ** 2 + 0.3 * variance
    return {"T": 200, "y": y, "sigma1": 1.5}


def hmm_data(seed):
    rng = onp.random.default_rng(13 + seed)
    state, y = 0, onp.empty(100)
    for t in range(100):
        state = state if rng.random() < (0.7, 0.9)[state] else 1 - state
        y[t] = (3.0, 9.0)[state] + rng.normal()
    return {"N": 100, "K": 2, "y": y}


# ---- Gaussian processes ----

def gp_data(points):
    def data(seed):
        rng = onp.random.default_rng(points - 4 + seed)
        x = onp.linspace(-10.0, 10.0, points)
        return {"N": points, "x": x, "y": 2.0 * onp.sin(x / 3.0) + 0.5 * rng.normal(size=points)}
    return data


# ---- all of them ----

DATA = {
    "eight_schools_nc": eight_schools_data,
    "eight_schools_c": eight_schools_data,
    "radon_nc": radon_data,
    "refit_1000": logit_data(200, 5),
    "logit_1k": logit_data(1000, 25),
    "logit_1k_correlated": logit_data(1000, 25, 0.95),
    "logit_10k": logit_data(10_000, 25),
    "logit_100k": logit_data(100_000, 50),
    "funnel": lambda seed: {},
    "irt_500": irt_data,
    "normal_50": normal_data,
    "arK": ar_data,
    "garch": garch_data,
    "hmm": hmm_data,
    "gp_regr": gp_data(11),
    "gp_200": gp_data(200),
}
