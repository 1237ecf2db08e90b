"""Many runs' records as one small table: what is committed, and what verdicts are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FORMAT = 1
DIGITS = 6


def table_of(preset: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The records without what each update showed, their environments (all runs' are one) said once, JSON-ready.

    Raises ValueError for runs of different environments: their last digits are not to be compared.
    """
    environments = [record["environment"] for record in records]
    if any(environment != environments[0] for environment in environments):
        raise ValueError("records must be of one environment (versions, device, threads), got several")
    kept = [{k: v for k, v in record.items() if k not in ("steps", "environment")} for record in records]
    return {
        "format": FORMAT,
        "preset": preset,
        "environment": environments[0] if environments else {},
        "runs": [_rounded(record) for record in kept],
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
