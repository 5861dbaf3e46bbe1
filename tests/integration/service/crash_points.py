"""The steps at which a child can be made to send itself a signal, in the order in which a process meets them."""

from __future__ import annotations

TAKING = ("id_taken", "barrier_committed", "ledger_half_read", "ledger_read")
POLLING = (
    *("fetched", "identified", "added", "taken", "begun", "first_batch_sent", "all_delivered", "committing"),
    *("committed", "settled"),
)
HEALING = (
    *("topic_read", "history_read", "healing_taken", "healing_begun", "healing_all_delivered", "healing_committing"),
    *("healing_committed", "healing_settled"),
)
