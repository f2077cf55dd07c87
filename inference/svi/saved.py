"""A fit on disk: its state and losses, whole or not there, so that another process goes on bit for bit.

    fit/state/manifest.json        what is valid, with its digest; and what the fit is of
    fit/state/fit-7.npz            the state and all losses, at the last commit
    fit/state/model.txt            the staged model and guide, to name what has changed

A commit writes a new file and then renames a new manifest into place; what was there before stays valid until then.
"""
import functools
import io
import json
import os
import time
import types

import numpy as onp

from ...engine import random, tree
from ...engine.array import Array
from .. import layout
from ..identity import canonical, check, data_text, program_text, text, versions
from ..layout import StoreError, digest, read, write
from ..store import Hold, Store

FORMAT = 1


class SavedFit:
    """Keeps a fit at a path; made for one run, and closed at its end.

    about : what the fit is of, as `identity.check` compares it          program : the staged model and guide, as text
    resume : whether to go on with a fit that is there
    Raises StoreError where something is there and resume is False, or where it is damaged or of another fit.
    """

    def __init__(self, store, about, program, resume):
        store = store if isinstance(store, Store) else Store(store)
        self.path, self.every, self.about, self.program = store.path, store.every, about, program
        self.commits, self.done, self.committed, self.found = 0, 0, time.perf_counter(), None
        if self.path.exists() and not resume:
            raise StoreError(f"there is something at {self.path} already: resume=True goes on with a fit there; for a "
                             "new one choose another path.")
        fresh = not (self.path / "state" / "manifest.json").exists()
        if fresh and self.path.exists() and any(p.name != "state" for p in self.path.iterdir()):
            raise StoreError(f"there is something at {self.path} that is no fit: choose another path.")
        os.makedirs(self.path / "state", exist_ok=True)
        self.hold = Hold(self.path)
        try:
            if fresh:
                write(self.path / "state" / "model.txt", program.encode())
            else:
                self._read(self.path / "state" / "manifest.json")
        except BaseException:
            self.close()
            raise

    def _read(self, file):
        try:
            outer = json.loads(file.read_bytes())
            body = outer["body"]
            sound = digest(canonical(body).encode()) == outer["digest"] and body["kind"] == "fit"
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise StoreError(f"{file} was altered or cut after it was written, or is of no fit.\n"
                             "Put back a copy of the file, or run again.")
        if body["format"] != FORMAT:
            raise StoreError(f"the fit at {self.path} has format {body['format']}; this version reads {FORMAT}.")
        there = read(self.path / "state" / "model.txt", body["model"]).decode()
        check(self.path, body["identity"], self.about, there, self.program)
        data = read(self.path / "state" / body["file"], body["digest"])
        with onp.load(io.BytesIO(data), allow_pickle=False) as f:
            self.found = dict(f)
        self.commits, self.done, self.last = body["commits"], body["done"], body["last"]

    def restored(self, state):
        """(state, losses [..., steps]) of the last commit; the state given and no losses where there was none.

        state : a state of the fit, whose form it has
        """
        if self.found is None:
            return state, None
        leaves, form = tree.flatten(state)
        kept = [self.found.get(f"leaf{i}") for i in range(len(leaves))]
        if any(x is None or (x.shape, x.dtype) != (onp.shape(y), onp.asarray(y).dtype) for x, y in zip(kept, leaves)):
            raise StoreError(f"the fit at {self.path} holds a state of another form.")
        return tree.unflatten(form, [Array(x) for x in kept]), self.found["losses"]

    def due(self):
        """Whether it is time to commit."""
        return time.perf_counter() - self.committed >= self.every

    def commit(self, state, pieces, last=None):
        """Write where the fit is.   pieces : its losses, to be joined on the last axis     last : digest of a batch"""
        losses = onp.concatenate(pieces, -1)
        arrays = {f"leaf{i}": onp.asarray(x) for i, x in enumerate(tree.leaves(state))}
        file = io.BytesIO()
        onp.savez(file, losses=losses, **arrays)
        data, folder = file.getvalue(), self.path / "state"
        self.commits, self.done = self.commits + 1, losses.shape[-1]
        name = f"fit-{self.commits}.npz"
        write(folder / name, data)
        body = {"format": FORMAT, "kind": "fit", "identity": self.about, "model": digest(self.program.encode()),
                "commits": self.commits, "done": self.done, "file": name, "digest": digest(data), "last": last}
        write(folder / "manifest.json", canonical({"body": body, "digest": digest(canonical(body).encode())}).encode())
        layout.sync(folder)
        for old in folder.glob("fit-*.npz*"):
            if old.name != name:
                old.unlink()
        self.committed = time.perf_counter()

    def close(self):
        """Let others write."""
        self.hold.release()


def about(svi, pair, args, kwargs, **settings):
    """({part: {name: text}}, the programs' text): all that a fit depends on."""
    made = {**settings, "SVI": type(svi).__name__, "loss": svi.loss, "optim": svi.optim}
    made |= {k: v for k, v in svi.settings.items()}
    return {"version": versions(), "settings": {k: described(v) for k, v in made.items()},
            "data": data_text(svi.model, args, {**kwargs, **svi.static_kwargs})}, "\n".join(
                map(program_text, (pair.model, pair.guide)))


def described(x, within=()):
    """A setting as text that is the same in another process: objects by their class and fields, functions by their name
    and what they close over."""
    if any(x is y for y in within):
        return "…"
    inner = lambda y: described(y, (*within, x))
    if isinstance(x, random.Key):
        return text(onp.asarray(random.key_data(x)))
    if isinstance(x, functools.partial):
        return f"{inner(x.func)}({inner(x.args)}, {inner(x.keywords)})"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k}: {inner(v)}' for k, v in x.items())}}}"
    if isinstance(x, list | tuple | set | frozenset):
        return f"[{', '.join(sorted(map(inner, x)) if isinstance(x, set | frozenset) else map(inner, x))}]"
    if isinstance(x, types.FunctionType):
        cells = [c.cell_contents for c in x.__closure__ or ()]
        return f"{x.__qualname__}{inner(cells) if cells else ''}"
    if hasattr(x, "__dict__") and not hasattr(x, "__array__") and not isinstance(x, type):
        return f"{type(x).__name__}({inner(vars(x))})"
    return text(x)


def digest_of(batch):
    """A digest of a batch's arrays."""
    return digest(described([onp.asarray(x) for x in tree.leaves(batch)]).encode())
