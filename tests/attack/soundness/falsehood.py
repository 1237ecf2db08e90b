"""A falsehood: a statement that is nearly true, and the place at which it is registered as if it were claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from sympy.logic.boolalg import Boolean

Kind = Literal[
    "sign",
    "factor",
    "exponent",
    "index",
    "bound",
    "term",
    "transpose",
    "hypothesis",
    "strictness",
    "quantity",
    "limit",
    "edge",
]
"""What is wrong: `quantity` is one thing for another (max for min, fan-in for fan-out), `limit` and `edge` are true in
a limit only, or on all but special instances."""
Role = Literal["printed", "correction", "condition"]
KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True)
class Falsehood:
    """A false statement in the place of a true one.

    claim, clause: where it is registered, by id and by the clause's name ("" for the only clause of a claim).
    statement: what is claimed; as_ `condition`: the further hypothesis that is said to save the printed statement.
    why: one line, the instance at which it is false or the term that is wrong.
    as_: claimed as the printed statement, as the correction of a print that is false, or as the condition.
    without: places (from 0) of the clause's hypotheses that are dropped.
    Raises ValueError for an unknown kind or role, or an empty reason.
    """

    claim: str
    clause: str
    kind: Kind
    statement: Boolean
    why: str
    as_: Role = "printed"
    without: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.as_ not in ROLES:
            raise ValueError(f"as_ must be one of {', '.join(ROLES)}, got {self.as_!r}")
        if not self.why.strip():
            raise ValueError(f"why must say where the statement on {self.claim} is false, got {self.why!r}")

    @property
    def place(self) -> str:
        """The claim and its clause, in words."""
        return f"{self.claim} ({self.clause})" if self.clause else self.claim
