"""The zeta functions."""
from ...ops.zeta import zeta

__all__ = ["zeta"]
