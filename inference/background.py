"""A run in the background: on a thread of its own, watched and steered from the one that started it.

    run = MCMC(NUTS(model), num_warmup=1000, num_samples=100_000, num_chains=4).start(random.key(0), y=y)
    print(run.inspect())
    run.pause(); run.resume()
    mcmc = run.wait()                                    # or run.abort(), which keeps the draws so far
"""
import atexit
import threading
from typing import NamedTuple

from ..engine.config import SETTINGS, config
from .driver import Control


class Inspection(NamedTuple):
    """A run at one moment. `draws` is None before the first one."""
    state: str                     # "compiling", "running", "paused", or what ended it
    transitions: list              # of each chain, warm-up included
    total: int                     # that each is to make; 0 while compiling
    gradients: int
    seconds: float
    draws: object

    def get_samples(self, group_by_chain=False):
        """{site: the draws so far}"""
        if self.draws is None:
            raise RuntimeError("there are no draws yet: no chain has reached its first.")
        return self.draws.get_samples(group_by_chain)

    def __str__(self):
        draws = "no draws yet" if self.draws is None else f"{self.draws.n} draws of {len(self.draws.chains)} chains"
        made = ", ".join(map(str, self.transitions)) or "(none)"
        return (f"{self.state}: {draws}; transitions {made} of {self.total}; "
                f"{self.gradients} gradients; {self.seconds:.1f} s")

    def print_summary(self, prob=0.9):
        """The line of `str`, and the table of MCMC.print_summary of the draws so far."""
        print(self)
        if self.draws is not None:
            self.draws.print_summary(prob)


class Background:
    """A run on its way; see the module. Made by `MCMC.start` and `MCMC.extend(background=True)`.

    run : called with a `Control`, on the thread
    """

    def __init__(self, mcmc, run):
        self._mcmc, self._control, self._error = mcmc, Control(), None
        settings = {name: getattr(config, name) for name in SETTINGS}

        def work():
            try:
                with config(**settings):
                    run(self._control)
            except BaseException as e:                   # raised again by wait
                self._error = e

        self._thread = threading.Thread(target=work, name="run", daemon=True)
        atexit.register(self._at_exit)
        self._thread.start()

    def _at_exit(self):
        """When Python ends, the run stops between two turns, so that a store is committed."""
        self._control.stop("abort")
        self._thread.join()

    @property
    def done(self):
        """Whether it has ended."""
        return not self._thread.is_alive()

    def inspect(self):
        """What the run has made so far: an `Inspection`."""
        job, control = self._mcmc._job, self._control
        if job is None or job.control is not control:
            return Inspection("failed" if self._error else "compiling", [], 0, 0, 0.0, None)
        state = "running"
        if self.done:
            state = "failed" if self._error else self._mcmc.stopped_by
        elif control.paused:
            state = "paused"
        with job.tape.lock:
            return Inspection(state, list(job.tape.done), job.tape.warmup + job.num_samples, job.gradients,
                              job.tape.seconds, self._mcmc._view(together=False))

    def pause(self):
        """Let the chains come to rest; their turns last a tenth of a second."""
        self._control.pause()

    def resume(self):
        """Go on after `pause`."""
        self._control.resume()

    def abort(self):
        """Stop, keep the draws so far, and return the MCMC; `extend` goes on with it."""
        self._control.stop("abort")
        return self.wait()

    def wait(self, timeout=None):
        """The MCMC when the run has ended; raises what ended it, or TimeoutError after so many seconds."""
        self._thread.join(timeout)
        if not self.done:
            raise TimeoutError(f"the run has not ended after {timeout} seconds: {self.inspect()}")
        atexit.unregister(self._at_exit)
        if self._error is not None:
            raise self._error
        return self._mcmc
