"""Modules as portable artifacts: bytes that other versions of StableHLO read, five years back and two forward."""
from .client import start


def to_portable(text: str) -> bytes:
    """The artifact of a StableHLO module, readable by releases of the last twelve weeks too.

    Operations of CHLO are written out in StableHLO. Raises ValueError where the module has another dialect.
    """
    runtime = start()
    from jaxlib.mlir.dialects import stablehlo

    weeks = stablehlo.StablehloCompatibilityRequirement.WEEK_12
    version = stablehlo.get_version_from_compatibility_requirement(weeks)
    try:
        return runtime.xj.mlir.serialize_portable_artifact(text, version)
    except RuntimeError as error:
        raise ValueError(f"StableHLO could not write this module down: {error}") from None


def from_portable(artifact: bytes) -> str:
    """The StableHLO text of an artifact. Raises ValueError when it is of a version that is too new, or damaged."""
    start()
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    try:
        with ir.Context() as context:
            return str(stablehlo.deserialize_portable_artifact(context, artifact))
    except (RuntimeError, ir.MLIRError) as error:
        raise ValueError(f"StableHLO could not read this module: {error}") from None
