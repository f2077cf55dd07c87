"""The draws of a run as users read them: by site, by ArviZ's names, as a table."""
import numpy as onp

from ..engine import numpy as np
from ..engine.interpreters.batch import batch_flat
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.tree import flatten, unflatten
from ..engine.tree import map as tree_map
from ..ppl.model import site_count, unravel
from . import advice, diagnostics, fields, groups
from .arviz import to_arviz
from .divergences import arrays, of_chains

SAMPLE_STATS = {"lp": "logdensity", "energy": "energy", "acceptance_rate": "accept_prob", "n_steps": "num_steps",
                "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
                "max_energy_error": "max_energy_error"}                  # ArviZ's names, and ours
MORE = ("accepted", "trajectory_length", "energy_variance")              # facts that ArviZ has no name for
FIELDS = {"potential_energy": "lp", "energy": "energy", "accept_prob": "acceptance_rate", "num_steps": "n_steps",
          "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
          "max_energy_error": "max_energy_error", **{name: name for name in MORE}}      # NumPyro's names, and these
INTEGERS, FLAGS = ("num_steps", "tree_depth"), ("diverging", "accepted")


class Draws:
    """The first n draws of some chains of a tape.

    asked : the extra fields, see `fields`
    """

    def __init__(self, program, data, tape, chains, n, asked=fields.NOTHING):
        self.program, self.data, self.tape, self.chains, self.n = program, data, tape, list(chains), n
        self.asked, self._samples = asked, None

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

    def stats(self, names=None):
        """{ArviZ's name: [chain, draw]}, of those that the kernel has"""
        return self.tape.stats(self.chains, self.n, names)

    def _exported(self, warm=0):
        """Those that ArviZ knows; of the first so many transitions of warm-up, or of the draws."""
        made = self.tape.stats(self.chains, warm, warm=True) if warm else self.stats()
        return {k: v for k, v in made.items() if k not in MORE}

    def unconstrained(self):
        """float[chain, draw, d]"""
        return self.tape.positions(self.chains, self.n)

    def get_samples(self, group_by_chain=False):
        """See MCMC.get_samples."""
        return {k: np.asarray(v if group_by_chain else v.reshape(-1, *v.shape[2:])) for k, v in self.samples().items()
                if k not in self.asked.dropped}

    def get_extra_fields(self, group_by_chain=False):
        """See MCMC.get_extra_fields."""
        stats = self.stats()
        out = {name: stats[fact] for name, fact in {**FIELDS, **self.asked.aliases}.items() if fact in stats}
        out["potential_energy"] = -out["potential_energy"]
        if self.asked.computed:
            wants_positions = any(name == "z_grad" or name.split(".")[0] == "z" for name in self.asked.computed)
            positions = self.unconstrained() if wants_positions else onp.zeros((*self.shape, 0))
            states = self.tape.states()
            out |= fields.computed(self.asked.computed, positions, out, [states[c][0] for c in self.chains],
                                   self.program, self.data, self.tape.warmup, self.tape.thinning)
        return tree_map(lambda x: np.asarray(x if group_by_chain else x.reshape(-1, *x.shape[2:])), out)

    def divergences(self):
        """See MCMC.divergences."""
        states = self.tape.states()
        rings = [getattr(states[c][0], "diverged", None) for c in self.chains]
        if None in rings:
            raise ValueError("where trajectories diverge is recorded by NUTS alone; of another kernel "
                             'get_extra_fields()["diverging"] says which transitions did, if it has such.')
        return of_chains(rings, self.tape.warmup, self.tape.constrain)

    def problems(self, **options):
        """What is wrong with the draws, see `advice`; of draws on disk, those of the first million numbers."""
        if self.tape.in_memory:
            return advice.problems(fields.by_site(self.program, self.unconstrained()), self.stats(), self.latent,
                                   **options)
        few = max(advice.MOST // (len(self.chains) * max(site_count(self.program.latents), 1)), 1000)
        some = Draws(self.program, self.data, self.tape, self.chains, min(self.n, few))
        return advice.problems(some.latent(), some.stats(), **options)

    def print_summary(self, prob=0.9, exclude_deterministic=True):
        """See MCMC.print_summary."""
        diagnostics.print_summary(self.latent() if exclude_deterministic else self.samples(), prob=prob)
        if "diverging" in (stats := self.stats()):
            print(f"Number of divergences: {int(stats['diverging'].sum())}")

    def to_arviz(self, *, coords=None, dims=None, attrs=None, log_likelihood=False, log_prior=False,
                 unconstrained_posterior=False, divergences=False, constant_data=None, **given):
        """See MCMC.to_arviz."""
        program, data, draws = self.program, self.data, self.samples()
        made = {"observed_data": program.observed(data) or None}
        made["constant_data"] = groups.constants(program, data, made["observed_data"] or {}) if constant_data is None \
            else constant_data
        made |= groups.densities(program, data, draws, log_likelihood is True, log_prior is True)
        if unconstrained_posterior is True:
            made["unconstrained_posterior"] = fields.by_site(program, self.unconstrained())
        made["divergences"] = arrays(self.divergences()) if divergences else None
        if warm := min((self.tape.counts(warm=True)[c] for c in self.chains), default=0):
            made["warmup_posterior"] = self.tape.samples(self.chains, warm, warm=True)
            made["warmup_sample_stats"] = self._exported(warm)
        given |= {k: v for k, v in (("log_likelihood", log_likelihood), ("log_prior", log_prior),
                                    ("unconstrained_posterior", unconstrained_posterior)) if v and v is not True}
        made |= groups.prepared(given, draws_shape=self.shape, observed=made["observed_data"] or {})
        return to_arviz(posterior=draws, sample_stats=self._exported(), coords={**program.coords, **(coords or {})},
                        dims={**named_dims(program), **(dims or {})}, attrs=attrs, **made)


def named_dims(program):
    """{site: names of its axes}, of the sites that stand in plates."""
    return {k: [d or f"{k}_dim_{i}" for i, d in enumerate(names)] for k, names in program.dims.items() if any(names)}


def statistics(known, max_tree_depth=None, warmup_tree_depth=None):
    """The function from float[chain, draw, facts], and whether they are of warm-up, to {ArviZ's name: [chain, draw]}.

    known : the names of the facts          warmup_tree_depth : the limit of warm-up's trees, where it is another
    """
    def run(infos, warm=False):
        out = {}
        for name, field in {**SAMPLE_STATS, **{name: name for name in MORE}}.items():
            if field in known:
                x = infos[..., known.index(field)]
                out[name] = x > 0.5 if field in FLAGS else x.astype(int) if field in INTEGERS else x
        if "tree_depth" in out:
            limit = warmup_tree_depth if warm and warmup_tree_depth else max_tree_depth
            out["reached_max_treedepth"] = out["n_steps"] >= 2 ** limit - 1
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
