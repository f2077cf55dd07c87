"""What the package offers, and from which file: read by type checkers, and by __init__.py, which imports on demand."""
