"""The runner's side of the contract, in the standard library alone.

`capability` says what the runner can do, `Failure` what an execution fails with, `serve` joins them to JobForge.
"""

from .execution import Capability, Failure, capability
from .runner import serve

__all__ = ["Capability", "Failure", "capability", "serve"]
