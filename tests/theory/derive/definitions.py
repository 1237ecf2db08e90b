"""Which derivations of a module rest on definitions."""

from __future__ import annotations

from types import ModuleType

from theory.derivation import Derivation


def grounded(module: ModuleType) -> set[str]:
    """The derivations of a module whose results must follow from definitions; the ledger says of others: argued."""
    cached = [member for member in vars(module).values() if hasattr(member, "cache_info")]
    own = [member for member in cached if member.__module__ == module.__name__ and isinstance(member(), Derivation)]
    assert own, "no derivation found"
    return {member.__name__ for member in own if member().definitions}
