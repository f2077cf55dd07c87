"""Draws as a Zarr hierarchy (format 3), written chunk by chunk so that each file is whole or not there.

A run's folder is the hierarchy: groups and variables by ArviZ's names and dimensions, [chain, draw, *shape], cut into
blocks of draws of one chain. A block is one file of the plain numbers, little-endian, in C order, which the format
allows and which needs no library to write; Zarr, xarray and ArviZ read it. Files are renamed into place, and each has a
digest, kept by the `store`, which synchronises them with the disk before it counts them.
Source: Zarr core specification, version 3 (metadata, chunk keys, the codec "bytes").
"""
import contextlib
import hashlib
import json
import math
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from ..engine.errors import ChainruleError


class StoreError(ChainruleError, ValueError):
    """A run on disk that cannot be gone on with: it is not there, damaged, or of something else."""


def digest(data):
    """A short digest of bytes."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def write(path, data, last=True):
    """Write a file that is whole or not there: under another name, then renamed; if it is to `last`, to the disk."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as f:
        f.write(data)
        if last:
            f.flush()
            os.fsync(f.fileno())
    os.replace(temporary, path)


def sync(path):
    """Make the content of a file, or the names in a folder, last; where the system cannot, do nothing."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def read(path, expected):
    """A file's bytes, or StoreError where it is not there or does not have the digest that it was written with."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: the run cannot be read from there on.") from None
    if digest(data) != expected:
        raise StoreError(f"{path} was altered or cut after it was written: it has {len(data)} bytes and another "
                         "digest than that noted.\nPut back a copy of the file, or run again.")
    return data


class Variable(NamedTuple):
    """One array of the hierarchy. Its leading dimensions are chain and draw, draw, or none of them."""
    group: str
    name: str
    folder: str                    # in the group: its name, without slashes
    shape: tuple                   # of one draw; of the whole where lead is ()
    dtype: np.dtype
    dims: tuple                    # the leading ones included
    lead: tuple                    # ("chain", "draw"), ("draw",) or ()

    @property
    def path(self):
        return f"{self.group}/{self.folder}"

    @property
    def is_text(self):
        return self.dtype.kind in "UO"

    def metadata(self, chains, draws, block):
        """What zarr.json says of it."""
        lead = {"chain": (chains, 1), "draw": (draws, block)}
        shape = [lead[d][0] for d in self.lead] + list(self.shape)
        chunks = [lead[d][1] for d in self.lead] + [max(n, 1) for n in self.shape]
        fill = {"f": "NaN", "c": ["NaN", "NaN"], "b": False, "U": "", "O": ""}.get(self.dtype.kind, 0)
        codec = {"name": "vlen-utf8" if self.is_text else "bytes"}
        if self.dtype.itemsize > 1 and not self.is_text:
            codec["configuration"] = {"endian": "little"}
        return {"zarr_format": 3, "node_type": "array", "shape": shape,
                "data_type": "string" if self.is_text else self.dtype.name,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "fill_value": fill,
                "codecs": [codec], "attributes": {}, "dimension_names": list(self.dims), "storage_transformers": []}

    def file(self, *at):
        """The file of the chunk at these places of the leading dimensions, from the folder of the run."""
        return "/".join([self.path, "c", *map(str, at), *["0"] * len(self.shape)])

    def bytes(self, x):
        """The content of a chunk's file."""
        if self.is_text:
            words = [str(w).encode() for w in np.ravel(x)]
            return b"".join([struct.pack("<I", len(words)), *[struct.pack("<I", len(w)) + w for w in words]])
        return np.ascontiguousarray(x, self.dtype.newbyteorder("<")).tobytes()

    def values(self, data, rows):
        """The numbers in one, [rows, *shape]."""
        return np.frombuffer(data, self.dtype.newbyteorder("<")).reshape(rows, *self.shape).astype(self.dtype)


def group_metadata(**attributes):
    """What zarr.json says of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


class Hierarchy:
    """The variables of a run's folder, and their blocks.

    block : draws in a file          attributes : of each group
    """

    def __init__(self, path, variables, chains, block, attributes):
        self.path, self.variables, self.chains, self.block = path, variables, chains, block
        self.attributes, self.described, self.unsynced = attributes, None, []
        self.drawn = {}                                          # group -> blocks of its coordinate `draw` written
        self.groups = list(dict.fromkeys(v.group for v in variables))

    def of(self, group):
        """The variables of a group that have chains and draws."""
        return [v for v in self.variables if v.group == group and v.lead == ("chain", "draw")]

    def describe(self, draws):
        """Write the metadata, where it has changed. draws : {group: draws of each chain that readers are to see}

        The root has all of it, so that a reader finds the variables of one moment; it is written last.
        """
        if draws == self.described:
            return
        nodes = {group: group_metadata(**self.attributes) for group in self.groups}
        for v in self.variables:
            nodes[v.path] = v.metadata(self.chains, draws.get(v.group, 0), self.block)
        for name, node in nodes.items():
            os.makedirs(f"{self.path}/{name}", exist_ok=True)
            write(f"{self.path}/{name}/zarr.json", _json(node), last=False)
        for v in self.variables:
            if v.lead == ("draw",):
                self._number(v, draws.get(v.group, 0))
        root = group_metadata(**self.attributes)
        root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": nodes}
        write(f"{self.path}/zarr.json", _json(root), last=False)
        self.described = dict(draws)

    def _number(self, v, draws):
        """The coordinate `draw`: 0, 1, …"""
        for b in range(self.drawn.get(v.group, 0), math.ceil(draws / self.block)):
            self.write(v, np.arange(b * self.block, (b + 1) * self.block), b)
            self.drawn[v.group] = b + 1

    def write(self, v, x, *at):
        """Write one chunk; returns its digest. It lasts after `sync`."""
        data, file = v.bytes(x), f"{self.path}/{v.file(*at)}"
        os.makedirs(os.path.dirname(file), exist_ok=True)
        write(file, data, last=False)
        self.unsynced.append(v.file(*at))
        return digest(data)

    def sync(self):
        """Make all chunks last: some at a time, which the disk likes better than one after the other."""
        if self.unsynced:
            with ThreadPoolExecutor(min(len(self.unsynced), 16), "sync") as pool:
                list(pool.map(lambda file: sync(f"{self.path}/{file}"), self.unsynced))
            self.unsynced = []

    def write_block(self, group, chain, number, arrays):
        """Write {variable: [up to block, *shape]} as block `number` of a chain; returns {variable: digest}."""
        out = {}
        for v in self.of(group):
            x = arrays[v.name]
            if len(x) < self.block:                              # the last one: what is behind it, no reader sees
                x = np.concatenate([x, np.zeros((self.block - len(x), *v.shape), v.dtype)])
            out[v.name] = self.write(v, x, chain, number)
        return out

    def read_block(self, v, chain, number, expected):
        """One block of a variable, checked, [block, *shape]."""
        return v.values(read(f"{self.path}/{v.file(chain, number)}", expected), self.block)


def _json(x):
    return json.dumps(x, ensure_ascii=False, separators=(",", ":")).encode()


def variables(group, arrays, dims=None, coords=None, lead=("chain", "draw")):
    """The variables of a group and their coordinates: [(Variable, values, or None where they come with the draws)].

    arrays : {name: [draws, *shape]}, any draws; without `lead`, {name: float[*shape]}, and these are the values
    dims : {name: [a name or None, for each axis of shape]}          coords : {dim: labels}
    """
    dims, coords, out, folders = dims or {}, coords or {}, [], {"", ".", "..", "c", *lead}
    sizes = dict.fromkeys(lead)
    for name, x in arrays.items():
        folder, shape = name.replace("/", "."), x.shape[1:] if lead else x.shape
        if folder in folders or folder.startswith("__"):
            raise StoreError(f"the site {name!r} cannot be stored under the name {folder!r}: another site or a "
                             "dimension has it.\nRename the site.")
        folders.add(folder)
        names = []
        for i, (size, d) in enumerate(zip(shape, dims.get(name) or [None] * len(shape))):
            d = f"{name}_dim_{i}" if d is None or d in names or d in arrays or sizes.get(d, size) != size else d
            sizes[d] = size
            names.append(d)
        out.append((Variable(group, name, folder, tuple(shape), x.dtype, (*lead, *names), lead), None if lead else x))
    for d, size in sizes.items():
        labels = coords.get(d, np.arange(size or 0)) if d != "draw" else np.arange(0)
        if size is None:
            out.append((Variable(group, d, d, (), labels.dtype, (d,), (d,)), None))
        elif labels.shape == (size,):
            out.append((Variable(group, d, d.replace("/", "."), (size,), labels.dtype, (d,), ()), labels))
    return out
