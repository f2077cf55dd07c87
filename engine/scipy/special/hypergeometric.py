"""The hypergeometric functions."""
from ...ops.hypergeometric import hyp0f1, hyp1f1, hyp2f1

__all__ = ["hyp0f1", "hyp1f1", "hyp2f1"]
