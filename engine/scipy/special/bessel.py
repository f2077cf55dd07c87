"""Bessel functions."""
from ...ops.bessel import i0, i0e, i1, i1e, k0, k0e, k1, k1e
from ...ops.bessel_j import j0, j1, y0, y1
from ...ops.bessel_n import jn, yn
from ...ops.bessel_order import iv, iv_ratio, ive, kv, kv_ratio, kve, log_ive, log_kve

__all__ = ["i0", "i0e", "i1", "i1e", "iv", "iv_ratio", "ive", "j0", "j1", "jn", "k0", "k0e", "k1", "k1e", "kv",
           "kv_ratio", "kve", "log_ive", "log_kve", "y0", "y1", "yn"]
