"""A picture of how an array lies on its devices."""


def visualize_sharding(shape, sharding):
    """Print which device holds which part of an array of this shape, of one or two axes; returns the text.

    >>> from chainrule.engine import NamedSharding, P, make_mesh
    >>> picture = visualize_sharding((4, 2), NamedSharding(make_mesh((1,), ("i",)), P("i")))
    ┌───────┐
    │ cpu:0 │
    └───────┘
    """
    text = drawn(shape, sharding)
    print(text)
    return text


def visualize_array_sharding(x):
    """Print which device holds which part of an array with one or two axes; returns the text."""
    return visualize_sharding(x.shape, x.sharding)


def drawn(shape, sharding):
    """The picture: a box for each part, with the names of the devices that hold it."""
    if not 1 <= len(shape) <= 2:
        raise ValueError(f"a picture has one or two axes, and the array has shape {tuple(shape)}: draw a slice of "
                         "it, or read sharding.devices_indices_map(shape).")
    boxes: dict = {}
    for device, index in sharding.devices_indices_map(shape).items():
        corner = tuple([s.indices(n)[0] for s, n in zip(index, shape)])
        boxes.setdefault(corner if len(corner) == 2 else (0, *corner), []).append(device)
    rows, columns = (sorted({c[i] for c in boxes}) for i in (0, 1))
    names = [[_names(boxes[r, c]) for c in columns] for r in rows]
    width = max(len(n) for row in names for n in row) + 2

    def line(left, middle, right):
        return left + middle.join(["─" * width] * len(columns)) + right

    out = [line("┌", "┬", "┐")]
    for i, row in enumerate(names):
        if i:
            out.append(line("├", "┼", "┤"))
        out.append("│" + "│".join([n.center(width) for n in row]) + "│")
    return "\n".join([*out, line("└", "┴", "┘")])


def _names(devices):
    """`cpu:0,1,5` for devices of one platform."""
    platforms = dict.fromkeys([d.platform for d in devices])
    return " ".join([f"{p}:{','.join([str(d.index) for d in devices if d.platform == p])}" for p in platforms])
