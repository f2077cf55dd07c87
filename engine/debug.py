"""Looking into running programs: debug.print and debug.callback."""
from .control.callback import debug_callback as callback
from .control.callback import debug_print as print  # noqa: A004 (the field's name)

__all__ = ["callback", "print"]
