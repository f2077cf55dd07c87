"""A run of SVI: the compiled chunk of steps, and the host's side of it.

A chunk is one compiled loop of as many steps as the host asks for, up to its buffer of losses. The host asks for more
while chunks are short, so that what lies between them (the bar, an interrupt, the test of convergence) costs little.
What a step does depends on the state alone, not on how the steps are cut.
"""
import sys
import time
from contextlib import closing

import numpy as onp

from ...engine import numpy as np
from ...engine import random, tree, vmap, while_loop
from ...engine.avals import default_float
from ...ppl.keys import one_key
from ..layout import StoreError
from ..progress import DELAY, INTERVAL, tqdm_auto
from .saved import SavedFit, about, digest_of

BUFFER = 4096                          # steps a chunk at most
SHORT = 0.1                            # seconds of a chunk to aim at


def fit(svi, rng_key, num_steps, call, init_state, init_params, num_restarts, tol, window, progress_bar, store, resume):
    """`SVI.run`."""
    args, kwargs, forward, stable = call
    if isinstance(num_steps, bool) or int(num_steps) != num_steps or num_steps < 1:
        raise ValueError(f"num_steps must be an integer of at least 1; got {num_steps!r}.")
    if num_restarts > 1 and (init_state is not None or _many(rng_key)):
        raise ValueError("num_restarts starts several fits from one key; with init_state or several keys leave it out.")
    keys = random.split(rng_key, num_restarts) if num_restarts > 1 else rng_key
    pair = svi.pair(args, kwargs)
    with closing(_saved(store, resume, svi, pair, args, kwargs, rng_key, init_state, init_params, stable=stable,
                        forward=forward, num_restarts=num_restarts)) as saved:
        if init_state is not None:
            state = init_state
        elif _many(keys):
            states = [svi.init(k, *args, init_params=init_params, **kwargs) for k in keys]
            state = tree.map(lambda *xs: np.stack(xs), *states)
        else:
            state = svi.init(keys, *args, init_params=init_params, **kwargs)
        state, many = svi.begin(state, int(num_steps)), state.rng_key.ndim == 1
        state, losses = saved.restored(state)
        run = svi.compiled(pair, ("steps", forward, stable, many), chunk(svi, stable, forward, many))
        with Bar(progress_bar, num_steps) as bar:
            state, losses = _loop(lambda state, n: run(state, pair.data, pair.guide_data, onp.asarray(n)), state,
                                  int(num_steps), tol, window, bar, saved, [] if losses is None else [losses])
    state = svi.row.on_host(state)
    if num_restarts == 1:
        return svi.result(state, np.asarray(losses))
    best = int(onp.argmin(_last(losses)))
    result = svi.result(tree.map(lambda x: x[best], state), np.asarray(losses[best]))
    result.restarts = svi.result(state, np.asarray(losses))
    return result


class Unsaved:
    """Stands for the `SavedFit` of a run without a store."""
    done = 0

    def restored(self, state):
        return state, None

    def due(self):
        return False

    def commit(self, state, pieces, last=None):
        pass

    def close(self):
        pass


def _saved(store, resume, svi, pair, args, kwargs, rng_key, init_state, init_params, **settings):
    """The `SavedFit` of a run, or what stands for it."""
    if store is None:
        if resume:
            raise ValueError("resume=True goes on with a fit at a path: pass it as store=.")
        return Unsaved()
    start = [onp.asarray(x) for x in tree.leaves(init_state)]
    words, program = about(svi, pair, args, kwargs, rng_key=one_or_many(rng_key), init_state=start,
                           init_params={k: onp.asarray(x) for k, x in (init_params or {}).items()}, **settings)
    return SavedFit(store, words, program, resume)


def one_or_many(key):
    """A key, or several, as words."""
    return onp.asarray(random.key_data(key if isinstance(key, random.Key) else one_key(key, "run")))


def _many(key):
    return isinstance(key, random.Key) and key.ndim == 1


def _last(losses):
    """The mean of the last tenth of each row; infinite where it is not finite."""
    mean = onp.mean(losses[:, -max(1, losses.shape[1] // 10):], 1)
    return onp.where(onp.isfinite(mean), mean, onp.inf)


def chunk(svi, stable, forward, many):
    """(pair, state, n) -> (state after n steps, float[BUFFER]: their losses, then zeros); for many fits, vmapped."""
    def steps(pair, state, n):
        def one(carry):
            i, state, losses = carry
            state, loss = svi.step(pair, state, stable, forward)
            return i + 1, state, losses.at[i].set(np.astype(loss, losses.dtype))

        start = (np.zeros_like(n), state, np.zeros((BUFFER,), default_float()))
        return while_loop(lambda c: c[0] < n, one, start)[1:]

    def side_by_side(pair, states, n):
        return vmap(lambda state: steps(pair, state, n))(states)
    return side_by_side if many else steps


def _loop(run, state, num_steps, tol, window, bar, saved, pieces):
    """Run chunks until num_steps, or convergence, or an interrupt: (state, losses[..., steps]).

    pieces : the losses of the steps before
    """
    done, size = sum(x.shape[-1] for x in pieces), 1
    try:
        while done < num_steps and not (tol is not None and pieces and done % window == 0
                                        and _settled(pieces, tol, window)):
            n = min(size, num_steps - done, BUFFER)
            if tol is not None:
                n = min(window - done % window, num_steps - done, BUFFER)
            start = time.perf_counter()
            new, losses = run(state, n)
            losses = onp.asarray(losses)[..., :n]
            state, done = new, done + n
            pieces.append(losses)
            size = n if time.perf_counter() - start > SHORT else 8 * n
            bar.show(done, losses)
            if saved.due():
                saved.commit(state, pieces)
    except KeyboardInterrupt:
        if not pieces:
            raise
    if saved.done != done:
        saved.commit(state, pieces)
    return state, onp.concatenate(pieces, -1)[..., :num_steps]


def _settled(pieces, tol, window):
    """Whether the mean loss falls by less than tol · max(|mean|, 1) from one window to the next, in every fit."""
    losses = onp.concatenate(pieces, -1)
    if losses.shape[-1] < 2 * window:
        return False
    before, now = losses[..., -2 * window:-window].mean(-1), losses[..., -window:].mean(-1)
    return bool(onp.all(before - now < tol * onp.maximum(onp.abs(now), 1.0)))


def fit_batches(svi, rng_key, batches, num_steps, kwargs, stable, state, init_params, progress_bar, store, resume):
    """`SVI.run_batches`."""
    pieces, saved, first, last = [], None, state, None
    update = svi.stable_update if stable else svi.update
    with Bar(progress_bar, num_steps) as bar:
        try:
            for number, batch in enumerate(_passes(batches, num_steps)):
                args = batch if isinstance(batch, tuple) else (batch,)
                if saved is None:
                    saved = _saved(store, resume, svi, svi.pair(args, kwargs), args, kwargs, rng_key, first,
                                   init_params, stable=stable)
                    if state is None:
                        state = svi.init(rng_key, *args, init_params=init_params, **kwargs)
                    state, before = saved.restored(state)
                    pieces = [] if before is None else [before]
                if number < saved.done:                  # of a run before this one
                    if number == saved.done - 1 and digest_of(batch) != saved.last:
                        raise StoreError(f"batch {number} is another than it was in the fit at {saved.path}.\n"
                                         "Go on with batches in the same order.")
                    continue
                state, loss = update(state, *args, **kwargs)
                pieces.append(onp.reshape(loss, (1,)))
                last = batch
                bar.show(number + 1, pieces[-1])
                if saved.due():
                    saved.commit(state, pieces, digest_of(batch))
        except KeyboardInterrupt:
            if not pieces:
                raise
        finally:
            if saved is not None:
                if last is not None:
                    saved.commit(state, pieces, digest_of(last))
                saved.close()
    if not pieces:
        raise ValueError("run_batches was given no batch.")
    return svi.result(svi.row.on_host(state), np.asarray(onp.concatenate(pieces)))


def _passes(batches, num_steps):
    """num_steps batches, going through them again and again; one pass where num_steps is None."""
    done = 0
    while num_steps is None or done < num_steps:
        before = done
        for batch in batches:
            yield batch
            done += 1
            if done == num_steps:
                return
        if num_steps is None:
            return
        if iter(batches) is batches or done == before:
            raise ValueError(f"run_batches: the iterator gave {done} batches, and num_steps is {num_steps}.\n"
                             "Pass a list, or an iterator that goes on.")


class Bar:
    """A progress bar with the mean loss of the last chunk, shown once the run has lasted half a second."""

    def __init__(self, enabled, total, file=None):
        self.enabled, self.total, self.file = enabled, total, file
        self.bar, self.started, self.shown = None, time.perf_counter(), 0.0

    def __enter__(self):
        return self

    def show(self, done, losses):
        """Draw the bar, if it is time to."""
        now = time.perf_counter()
        if not self.enabled or now - self.started < DELAY or now - self.shown < INTERVAL and done != self.total:
            return
        self.shown = now
        if self.bar is None:
            self.bar = tqdm_auto.tqdm(total=self.total, desc="svi", file=self.file or sys.stderr)
            self.bar.start_t -= now - self.started
        self.bar.n = done
        self.bar.set_postfix_str(f"loss {onp.mean(losses):.6g}", refresh=False)
        self.bar.refresh()

    def __exit__(self, *exc):
        if self.bar is not None:
            self.bar.close()
