"""When a run is precise enough: targets that are looked at between chunks.

    MCMC(NUTS(model), num_warmup=1000, num_samples=100_000, num_chains=4, until={"rhat": 1.01, "ess_bulk": 1000})
"""
import numpy as np

from . import diagnostics

STATISTICS = {"rhat": diagnostics.rhat, "ess_bulk": diagnostics.ess_bulk, "ess_tail": diagnostics.ess_tail}
WORST = {"rhat": 0.0, "ess_bulk": np.inf, "ess_tail": np.inf}    # of a site without numbers
LIMITS = ("seconds", "gradients")
FIRST, GROWTH = 100, 1.25          # draws of each chain at the first look, and its factor to the next


class Until:
    """Targets of a run, from a dictionary; the run stops when all statistics are reached, or one limit is.

    rhat : the largest rank-normalised split R-hat over the sites' numbers is at most this
    ess_bulk, ess_tail : the smallest effective sample size of bulk or tails is at least this
    seconds, gradients : a limit of what the run may cost in all, warm-up and earlier parts of it included
    sites : the names of the sites that count; the latent ones unless given. Their draws are read one site at a time

    The statistics are looked at when each chain has 100 draws, and again at each quarter more; between these the chains
    wait for each other, so the same seed stops at the same draw. Limits are heard between turns, at no fixed draw.

    **A warning.** The number of draws is then random, and depends on them: a run stops where its estimates of precision
    happen to be high. The draws that it gives are therefore a little too alike (an R-hat of 1.01 at a stop is weaker
    evidence than at a length fixed beforehand), most so for few draws and many looks. Ask for some hundreds of
    effective draws, not tens; and where coverage must be exact, take the length found here and run again with it.
    How much it is: of 400 runs on two correlated normals, 90 % intervals of a mean held it in 87 to 90 % (± 1.5) of
    those stopped at R-hats of 1.005 to 1.05 or 100 to 400 effective draws, and in 87 to 90 % of those of fixed lengths.
    Source: Glynn & Whitt (1992), Annals of Applied Probability 2, 180-198, on when sequential stopping is valid.
    """

    def __init__(self, targets):
        known = (*STATISTICS, *LIMITS, "sites")
        for name, value in targets.items():
            if name not in known:
                raise ValueError(f"until has no target {name!r}; there are {', '.join(known)}.")
            if name != "sites" and (isinstance(value, bool) or not isinstance(value, int | float | np.number)
                                    or not value > (1 if name == "rhat" else 0)):
                raise ValueError(f"until[{name!r}] must be a number above {1 if name == 'rhat' else 0}; "
                                 f"got {value!r}.")
        self.targets = {k: float(v) for k, v in targets.items() if k != "sites"}
        names = targets.get("sites")
        self.sites = None if names is None else [names] if isinstance(names, str) else list(names)
        self.statistics = [k for k in STATISTICS if k in self.targets]

    def as_dict(self):
        """What it was made from."""
        return self.targets if self.sites is None else {**self.targets, "sites": self.sites}

    def check_sites(self, names):
        """Raise where a site to look at is not one of the model's."""
        for name in self.sites or ():
            if name not in names:
                raise ValueError(f"until: there is no site {name!r}; there are {', '.join(names)}.")

    def looks(self, num_draws):
        """The numbers of draws at which to look, up to that at which the run ends anyway."""
        at, out = FIRST, []
        while self.statistics and at < num_draws:
            out.append(at)
            at = int(at * GROWTH)
        return [*out, num_draws]

    def measure(self, x):
        """{statistic: its worst value} over the numbers of a site, float[chain, draw, *shape]; nan where one is."""
        return {k: float((np.max if k == "rhat" else np.min)(STATISTICS[k](x), initial=WORST[k]))
                for k in self.statistics}

    def worst(self, measured):
        """{statistic: its worst value} of several measurements."""
        return {k: float((np.max if k == "rhat" else np.min)([m[k] for m in measured])) for k in self.statistics}

    def reached(self, measured):
        """Whether all statistics are."""
        return bool(self.statistics) and all(
            measured[k] <= self.targets[k] if k == "rhat" else measured[k] >= self.targets[k] for k in self.statistics)

    def limit(self, seconds, gradients):
        """The limit that is reached, or None."""
        for name, value in (("seconds", seconds), ("gradients", gradients)):
            if value >= self.targets.get(name, np.inf):
                return name
        return None
