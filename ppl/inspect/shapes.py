"""The shapes of a trace's sites as a table."""
from ...engine import numpy as np
from ..model import site_log_prob
from ..sites import SCORED


def format_shapes(trace, *, compute_log_prob=False, title="Trace Shapes:", last_site=None):
    """A table of the shapes in a trace, as text: batch axes left of the bar, event axes right of it.

    trace : what trace(model).get_trace(*args) returns, or the trace itself
    compute_log_prob : show also the shape of each log-density, masked and scaled; or a function that says for which
        records to
    last_site : the last site to show

    NumPyro's table, and more: axes that come from a vmap or scan have a line of their own, as plates have; a factor is
    shown as one; a plate is shown in front of the first site that stands in it.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     s = cr.sample("s", dist.HalfNormal(1.0))
    ...     with cr.plate("row", 3):
    ...         cr.sample("x", dist.MultivariateNormal([0.0, 0.0], scale_tril=[[1.0, 0.0], [0.5, 1.0]]))
    >>> tr = cr.handlers.trace(cr.handlers.seed(model, 0)).get_trace()
    >>> print(format_shapes(tr, compute_log_prob=True))
    Trace Shapes:
     Param Sites:
    Sample Sites:
           s dist   |
            value   |
         log_prob   |
        row plate 3 |
           x dist 3 | 2
            value 3 | 2
         log_prob 3 |
    """
    records = dict(trace.items())
    if not records:
        return title
    if last_site is not None:
        names = list(records)
        if last_site not in records:
            raise ValueError(f"last_site={last_site!r} is no site of the trace, whose sites are {', '.join(names)}.")
        records = {name: records[name] for name in names[:names.index(last_site) + 1]}
    rows = [(title, None, None), ("Param Sites:", None, None)]
    rows += [(name, np.shape(r["value"]), None) for name, r in records.items() if r["type"] == "param"]
    rows.append(("Sample Sites:", None, None))
    seen = {name for name, r in records.items() if r["type"] == "plate"}
    for name, record in records.items():
        for frame in _outermost_first(record["cond_indep_stack"]):
            rows += _plate_row(frame, seen)
        rows += _site_rows(name, record, compute_log_prob)
    return _table(rows)


def _outermost_first(frames):
    return [*[f for f in frames if f.dim is None], *[f for f in frames if f.dim is not None][::-1]]


def _plate_row(frame, seen):
    """The line of a plate or of a named vmap axis that was not shown before."""
    if frame.name is None or frame.name in seen:
        return []
    seen.add(frame.name)
    return [(f"{frame.name} {'vmap' if frame.dim is None else 'plate'}", (frame.size,), ())]


def _site_rows(name, record, compute_log_prob):
    kind, value = record["type"], tuple(np.shape(record["value"]))
    if kind == "plate":
        return [(f"{name} plate", value, ())]
    if kind == "factor":
        rows = [(f"{name} factor", value, ())]
    elif kind == "sample":
        fn = record["fn"]
        cut = len(value) - len(fn.event_shape)
        rows = [(f"{name} dist", tuple(fn.batch_shape), tuple(fn.event_shape)), ("value", value[:cut], value[cut:])]
    else:
        return []
    wanted = compute_log_prob(record) if callable(compute_log_prob) else compute_log_prob
    if wanted and kind in SCORED:
        rows.append(("log_prob", np.shape(site_log_prob(name, record)), ()))
    return rows


def _table(rows):
    """Rows of (name, batch sizes, event sizes) as text; batch sizes end at the bar, event sizes begin there.

    A row without event sizes, that of a param, has no bar, and its sizes end where the bars are.
    """
    cells = [(name, [*map(str, batch or ()), *["|"] * (event is not None)], [*map(str, event or ())])
             for name, batch, event in rows]
    lead = max(len(batch) for _, batch, _ in cells)
    cells = [[name, *[""] * (lead - len(batch)), *batch, *event] for name, batch, event in cells]
    count = max(map(len, cells))
    cells = [row + [""] * (count - len(row)) for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join([" ".join([cell.rjust(w) for cell, w in zip(row, widths)]).rstrip() for row in cells])
