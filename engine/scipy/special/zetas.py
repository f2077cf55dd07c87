"""The zeta functions."""
from ...ops.special import zeta

__all__ = ["zeta"]
