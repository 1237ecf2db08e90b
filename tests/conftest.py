"""Hypothesis without chance or deadlines, GPU tests only where there is a GPU, and the ledger at the end of a run."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Any

import pytest
from hypothesis import settings

# several test processes fill the cores: numerical libraries, imported after this, are to use one thread each
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

settings.register_profile("filterlaw", derandomize=True, deadline=None, database=None)
settings.load_profile("filterlaw")


class LedgerSummary:
    """Collects the ledger entries that tests record as a "ledger" property, from any worker, and prints them."""

    def __init__(self) -> None:
        self.entries: dict[int, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            for name, entry in report.user_properties:
                if name == "ledger" and isinstance(entry, dict):
                    self.entries[entry["position"]] = entry

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.entries:
            return
        from theory.display import PLAIN_WIDTH, ledger_lines, row

        rows = [row(entry["record"], entry["seconds"]) for _, entry in sorted(self.entries.items())]
        terminalreporter.section("ledger")
        width = shutil.get_terminal_size().columns if terminalreporter.isatty else PLAIN_WIDTH
        for line in ledger_lines(rows, width):
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    # a shell's background processes ignore Ctrl-C, and so would the commands that tests interrupt
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(LedgerSummary(), "filterlaw-ledger")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and not _has_cuda():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def _has_cuda() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())
