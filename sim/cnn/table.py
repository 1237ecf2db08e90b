"""Many runs' records as one small table: what is committed, and what verdicts are computed from."""

from __future__ import annotations

import json
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


def table_text(table: dict[str, Any]) -> str:
    """The table as JSON with a run on each line, so that tables can be compared line by line."""
    head = json.dumps({key: value for key, value in table.items() if key != "runs"}, allow_nan=False)
    runs = ",\n".join(json.dumps(run, allow_nan=False, separators=(",", ":")) for run in table["runs"])
    return f'{head[:-1]}, "runs": [\n{runs}\n]}}\n'


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
