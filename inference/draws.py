"""The draws of a run as users read them: by site, by ArviZ's names, as a table."""
import numpy as onp

from ..engine import numpy as np
from ..engine.interpreters.batch import batch_flat
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.tree import flatten, unflatten
from ..ppl.model import unravel
from . import diagnostics, nuts
from .arviz import to_arviz

SAMPLE_STATS = {"lp": "logdensity", "energy": "energy", "acceptance_rate": "accept_prob", "n_steps": "num_steps",
                "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
                "max_energy_error": "max_energy_error"}                  # ArviZ's names, and ours
FIELDS = {"potential_energy": "lp", "energy": "energy", "accept_prob": "acceptance_rate", "num_steps": "n_steps",
          "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
          "max_energy_error": "max_energy_error"}                        # NumPyro's names, and ArviZ's
ALIASES = {"adapt_state.step_size": "step_size"}


class Draws:
    """The first n draws of some chains of a tape."""

    def __init__(self, program, data, tape, chains, n, aliases=None):
        self.program, self.data, self.tape, self.chains, self.n = program, data, tape, list(chains), n
        self.aliases = aliases or {}
        self._samples = None

    @property
    def shape(self):
        return len(self.chains), self.n

    def samples(self, names=None):
        """{site: NumPy array [chain, draw, *shape]}, of all sites or those named."""
        if not self.tape.in_memory:
            return self.tape.samples(self.chains, self.n, names)
        if self._samples is None:
            self._samples = self.tape.samples(self.chains, self.n)
        return self._samples if names is None else {k: self._samples[k] for k in names}

    def latent(self):
        """The samples of the latent sites."""
        return self.samples([v.name for v in self.program.latents])

    def get_samples(self, group_by_chain=False):
        """{site: draws} of the latent and deterministic sites: [draws, *shape], or [chain, draw, *shape]."""
        return {k: np.asarray(v if group_by_chain else v.reshape(-1, *v.shape[2:])) for k, v in self.samples().items()}

    def get_extra_fields(self, group_by_chain=False):
        """{name: facts of each transition}: the names of FIELDS, [draws], or [chain, draw]."""
        stats = self.tape.stats(self.chains, self.n)
        out = {name: stats[fact] for name, fact in {**FIELDS, **self.aliases}.items()}
        out["potential_energy"] = -out["potential_energy"]
        return {name: np.asarray(x if group_by_chain else x.reshape(-1)) for name, x in out.items()}

    def divergences(self):
        """Their number."""
        return int(self.tape.stats(self.chains, self.n, ["diverging"])["diverging"].sum())

    def print_summary(self, prob=0.9, exclude_deterministic=True):
        """Print mean, sd, quantiles, effective sample sizes and R-hat of each site, and the number of divergences."""
        diagnostics.print_summary(self.latent() if exclude_deterministic else self.samples(), prob=prob)
        print(f"Number of divergences: {self.divergences()}")

    def to_arviz(self, *, coords=None, dims=None, attrs=None, **groups):
        """The draws as ArviZ's InferenceData (DataTree with ArviZ 1); see MCMC.to_arviz."""
        made = {k: _by_chain(v, self.shape) if k != "constant_data" else v for k, v in groups.items()}
        if warm := min((self.tape.counts(warm=True)[c] for c in self.chains), default=0):
            made = {"warmup_posterior": self.tape.samples(self.chains, warm, warm=True),
                    "warmup_sample_stats": self.tape.stats(self.chains, warm, warm=True), **made}
        return to_arviz(posterior=self.samples(), sample_stats=self.tape.stats(self.chains, self.n),
                        observed_data=self.program.observed(self.data) or None,
                        coords={**self.program.coords, **(coords or {})},
                        dims={**named_dims(self.program), **(dims or {})}, attrs=attrs, **made)


def named_dims(program):
    """{site: names of its axes}, of the sites that stand in plates."""
    return {k: [d or f"{k}_dim_{i}" for i, d in enumerate(names)] for k, names in program.dims.items() if any(names)}


def statistics(max_tree_depth):
    """The function from float[chain, draw, len(Info)] to {ArviZ's name: [chain, draw]}."""
    def run(infos):
        out = {}
        for name, field in SAMPLE_STATS.items():
            x = infos[..., nuts.Info._fields.index(field)]
            out[name] = x > 0.5 if name == "diverging" else x.astype(int) if name in ("n_steps", "tree_depth") else x
        if max_tree_depth is not None:
            out["reached_max_treedepth"] = out["n_steps"] >= 2 ** max_tree_depth - 1
        return out
    return run


def constrainer(program, data):
    """The function from unconstrained draws to {site: [chain, draw, *shape]}: the program's live part, run on all."""
    def run(z, *data):
        leaves, info["tree"] = flatten(program.constrained(unravel(program.latents, z), list(data)))
        return leaves

    def constrain(draws):
        made = program.cache.get("constrain")
        if made is None:
            avals = [np.asarray(draws[0, 0]).aval, *[x.aval for x in data]]
            jaxpr, consts, _ = stage(run, avals, "constrain")
            made = program.cache["constrain"] = (jaxpr, consts, info["tree"])
        jaxpr, consts, out_tree = made
        flat = draws.reshape(-1, draws.shape[-1])
        step = max(1, 20_000_000 // max(1, sum(v.aval.size for e in jaxpr.eqns for v in e.outs)))
        pieces = [_batch(jaxpr, consts, flat[i:i + step], data) for i in range(0, len(flat), step)]
        out = [onp.concatenate(column) if len(column) > 1 else onp.asarray(column[0]) for column in zip(*pieces)]
        return {k: v.reshape(*draws.shape[:2], *v.shape[1:]) for k, v in unflatten(out_tree, out).items()}

    info = {}
    return constrain


def _batch(jaxpr, consts, z, data):
    n = len(z)
    outs, marks = batch_flat(lambda q: eval_jaxpr(jaxpr, [*consts, q, *data]), n, [np.asarray(z)], [True])
    return [onp.asarray(o) if m else onp.broadcast_to(onp.asarray(o), (n, *o.shape)) for o, m in zip(outs, marks)]


def _by_chain(group, shape):
    """Draws [chain * draw, …] as [chain, draw, …]."""
    out = {}
    for k, v in group.items():
        v = onp.asarray(v)
        flat = v.shape[0] == shape[0] * shape[1] and v.shape[:2] != shape
        out[k] = v.reshape(*shape, *v.shape[1:]) if flat else v if v.shape[:2] == shape else v[None]
    return out
