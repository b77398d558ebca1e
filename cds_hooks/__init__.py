"""The CDS Hooks protocol host: it knows CDS Hooks, FHIR access, security and audit, and no disease, drug or lab."""

import sys
from types import ModuleType
from typing import cast


def _load_structlog() -> None:
    """Loads structlog without rich and pygments, which it takes along for coloured tracebacks wherever they are
    installed. Ours are lines of JSON; at every start that would cost 40 ms and 3 MB."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = cast(ModuleType, None)  # what is None here cannot be imported
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


_load_structlog()
