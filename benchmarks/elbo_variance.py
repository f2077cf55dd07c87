"""Variances of the estimators of an ELBO's gradient, for the models of tests/inference/svi/rows.py.

    PYTHONPATH=src:. python benchmarks/elbo_variance.py

Each number is the variance of one estimate's gradient, summed over the params, for one draw of the guide unless said
otherwise; "averages" has the running averages of a hundred steps before it; "straight" is biased.

The second table is of the importance-weighted bound of K draws: the variance, and in brackets the ratio of the
gradient's mean to its sd, both as lengths over the guide's params, which the plain gradient loses as K grows.
"""
import numpy as onp

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, random, vmap
from chainrule.inference import IWAE, Trace_ELBO, TraceGraph_ELBO, TraceMeanField_ELBO
from chainrule.inference.svi.objectives import stage_pair
from chainrule.ppl.handlers import infer_config
from tests.inference.svi.rows import ROWS, SUMMED, Row
from tests.inference.svi.test_objectives import curved_guide, curved_model

STRAIGHT = ("coin", "plate", "cond", "subsample")                    # whose draws are no index, and no loop's carry
COLUMNS = {"whole bound": Trace_ELBO(), "mean of 4": Trace_ELBO(4), "closed KL": TraceMeanField_ELBO(),
           "own costs": TraceGraph_ELBO(baseline_decay=0.0), "averages": TraceGraph_ELBO()}

CURVE = Row("curved", curved_model, curved_guide, {"m": onp.array(0.4), "s": onp.array(0.2)}, None)


def variance(objective, row, draws=4000, steps=100):
    """The variance of a gradient's estimate, summed over the params."""
    return float(gradients(objective, row, draws, steps).var(0).sum())


def gradients(objective, row, draws=4000, steps=100):
    """float[draws, numbers]: estimates of the gradient."""
    pair = stage_pair(row.model, row.guide, (), {})
    params = {k: np.asarray(v) for k, v in row.params.items()}
    state = objective.init_state(random.key(0), params, pair)
    if state is not None:
        step = jit(lambda key, state: objective.estimate(key, params, pair, state)[1])
        for i in range(steps):
            state = step(random.key(i), state)

    def one(key):
        g = grad(lambda p: objective.estimate(key, p, pair, state)[0])(params)
        return np.concatenate([np.reshape(x, (-1,)) for x in g.values()])

    return onp.asarray(vmap(one)(random.split(random.key(1), draws)))


def table():
    """{model: {estimator: variance}}"""
    out = {row.name: {name: variance(o, row) for name, o in COLUMNS.items()} for row in ROWS}
    for row in SUMMED:                                   # the last of a model's name has most sites summed
        out[row.name]["summed"] = variance(Trace_ELBO(), row)
    for row in ROWS:
        if row.name in STRAIGHT:
            guide = infer_config(row.guide, {"k": {"grad": "straight_through"}})
            out[row.name]["straight"] = variance(Trace_ELBO(), row._replace(guide=guide))
    return out


def weighted(row, counts=(1, 10, 100, 1000)):
    """{estimator: [(variance, mean / sd) for each number of draws]} of the importance-weighted bound."""
    out = {}
    for name, doubly in (("plain", False), ("doubly", True)):
        for k in counts:
            g = gradients(IWAE(k, doubly_reparameterized=doubly), row, 2000)
            ratio = float(onp.linalg.norm(g.mean(0)) / g.var(0).sum() ** 0.5)
            out.setdefault(name, []).append((float(g.var(0).sum()), ratio))
    return out


def main():
    names = [*COLUMNS, "summed", "straight"]
    print(f"{'':22}" + "".join(f"{name:>13}" for name in names))
    for model, row in table().items():
        print(f"{model:22}" + "".join(f"{row[name]:13.4g}" if name in row else f"{'':>13}" for name in names))
    print(f"\n{'curved, K draws':22}" + "".join(f"{k:>20,}" for k in (1, 10, 100, 1000)))
    for name, row in weighted(CURVE).items():
        print(f"{name:22}" + "".join(f"{f'{v:.3g} ({r:.2f})':>20}" for v, r in row))


if __name__ == "__main__":
    main()
