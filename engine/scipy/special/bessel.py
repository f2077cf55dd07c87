"""Bessel functions."""
from ...ops.special import i0, i0e, i1, i1e

__all__ = ["i0", "i0e", "i1", "i1e"]
