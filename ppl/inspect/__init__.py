"""Looking at models: shapes, dependencies, pictures, and a check for mistakes."""
from .check import Finding, Findings, check_model
from .graph import Graph, render_model
from .relations import get_dependencies, get_model_relations
from .shapes import format_shapes

__all__ = ["Finding", "Findings", "Graph", "check_model", "format_shapes", "get_dependencies", "get_model_relations",
           "render_model"]
