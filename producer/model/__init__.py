r"""The words that all rooms share.

    Snapshot --identify--> Rows --(unseen)--> Hit | DeadRow --> the topics
                             \--(coverage)--> Gap ------------^

Everything here is plain data: no clock, no network, no Kafka.
"""

from __future__ import annotations

from producer.model.events import (
    API_FIELDS,
    Gap,
    GapKind,
    GapRecovered,
    Header,
    Hit,
    HitChanged,
    Method,
    Outgoing,
    Series,
    Topic,
    each,
)
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
from producer.model.told import Cursor, Dropped, Entry, OpenGap, Progress, SourceFold, ToldSince, Version

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
    "GapRecovered",
    "Header",
    "Hit",
    "HitChanged",
    "Method",
    "OpenGap",
    "Outgoing",
    "Progress",
    "RawRow",
    "Reading",
    "Reason",
    "Row",
    "Rows",
    "Series",
    "Snapshot",
    "SourceFold",
    "ToldSince",
    "Topic",
    "Version",
    "each",
]
