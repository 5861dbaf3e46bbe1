"""Faults of the historical reports, while the report of the last hour is right: see `historical`."""

from __future__ import annotations

from producer.demo.simulator.answers import Answer, Fault, Report
from producer.demo.simulator.historical import Flaw


def _as_it_is(report: Report, _seconds: float) -> Answer:
    return report.answer()


HISTORY = (
    Fault(Flaw.OTHER_IDS, "history: the same calls under other ids", _as_it_is, only_history=True),
    Fault(Flaw.LATE, "history: codes come late, `history-late:60` a minute", _as_it_is, seconds=60, only_history=True),
    Fault(Flaw.MISSING, "history: 404, as on a server without these reports", _as_it_is, only_history=True),
)
"""Every fault of this file."""
