r"""The words that all rooms share.

    Snapshot --identify--> Rows --(unseen)--> Hit | DeadRow --> the topics
                             \--(coverage)--> Gap ------------^

Everything here is plain data: no clock, no network, no Kafka.
"""

from __future__ import annotations

from producer.model.events import API_FIELDS, Gap, GapKind, Hit, HitChanged, Outgoing, Topic
from producer.model.report import (
    RECORD_CAP,
    REPORT,
    REPORT_REACH,
    DeadRow,
    Drift,
    RawRow,
    Reading,
    Reason,
    Row,
    Rows,
    Snapshot,
)
from producer.model.told import Cursor, Dropped, Entry, Progress, SourceFold, Version

__all__ = [
    "API_FIELDS",
    "RECORD_CAP",
    "REPORT",
    "REPORT_REACH",
    "Cursor",
    "DeadRow",
    "Drift",
    "Dropped",
    "Entry",
    "Gap",
    "GapKind",
    "Hit",
    "HitChanged",
    "Outgoing",
    "Progress",
    "RawRow",
    "Reading",
    "Reason",
    "Row",
    "Rows",
    "Snapshot",
    "SourceFold",
    "Topic",
    "Version",
]
