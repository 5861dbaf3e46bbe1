"""Errors, named by what the caller must do.

    WolkvoxHitsError
    ├── SettingsError          fix the settings: every problem at once
    ├── PollFailed             no snapshot this time
    │   ├── Retry              soon again: backoff with full jitter
    │   ├── SlowDown           somebody else uses the token, or 429: a short pause
    │   ├── QuotaSpent         wait for the daily reset
    │   ├── BadToken           retry slowly; a person must look
    │   ├── Refused            retry slowly; the API's words are in the text
    │   ├── PendingFull        mend Kafka; the next slot tries again
    │   └── NotASnapshot       as Retry: the answer can't be read, so nothing is believed of it
    └── KafkaFailed
        ├── Unavailable        wait and try again
        │   └── NoRegistry     ... of the schema registry, not of Kafka
        ├── Discard            this producer is spent: start another, read the ledger again
        │   ├── Fenced         ... and first ask the group whether the shard is still ours
        │   ├── TooLarge       ... with smaller batches or the record trimmed
        │   └── TooSlow        ... with fewer rows in a transaction
        ├── AccessDenied       credentials or permissions: stop, name what to grant
        ├── Untrusted          topics, group or cluster are not what the promise needs: stop, name the way out
        └── Replaced           another instance has our name and our place: stop

No text here ever holds a token, a telephone, a customer id or an answer's body.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb


class WolkvoxHitsError(Exception):
    """The root of all errors that this service raises on purpose."""


class SettingsError(WolkvoxHitsError):
    """The settings can't be used; `problems` has a line for each, starting with the setting's name."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class PollFailed(WolkvoxHitsError):
    """A poll that brought no snapshot: nothing published, nothing forgotten.

    `outcome` is the label in `polls_total`; `after` the wait in seconds that the API asked for, if it did.
    """

    outcome = "failed"

    def __init__(self, text: str, *, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class Retry(PollFailed):
    """Not now: 5xx, maintenance, a time-out, no connection."""

    outcome = "retry"


class SlowDown(PollFailed):
    """Too many calls at once for this token, or 429."""

    outcome = "slow_down"


class QuotaSpent(PollFailed):
    """The operation's calls of today are used up."""

    outcome = "quota_spent"


class BadToken(PollFailed):
    """The API does not accept the token."""

    outcome = "bad_token"


class Refused(PollFailed):
    """A refusal that we do not know; its words are shown."""

    outcome = "refused"


class NotASnapshot(PollFailed):
    """An answer that can't be believed to be the report."""

    outcome = "not_a_snapshot"


class PendingFull(PollFailed):
    """Kafka is away and PENDING_LIMIT rows wait: the snapshot is not taken, so coverage stands still."""

    outcome = "pending_limit"


class KafkaFailed(WolkvoxHitsError):
    """Something with Kafka; the subclass says what to do."""


class Unavailable(KafkaFailed):
    """No broker or coordinator answers in time."""


class NoRegistry(Unavailable):
    """The schema registry, which Kafka's values need, does not answer."""


class Discard(KafkaFailed):
    """The transaction failed or its outcome is unknown: no further use of this producer is safe."""


class Fenced(Discard):
    """Another producer took the transactional id."""


class TooLarge(Discard):
    """The broker refused a batch or a record for its size."""


class TooSlow(Discard):
    """A transaction did not fit into its time: the same again would not either."""


class AccessDenied(KafkaFailed):
    """Kafka refuses the credentials or the permission."""


class Untrusted(KafkaFailed):
    """A topic, the ledger, the group or the cluster can't carry the promise as it is."""


class Replaced(KafkaFailed):
    """Another instance joined the group under the instance id that was ours."""


def defect(error: Exception) -> NotASnapshot:
    """A defect of ours, without its text, which may quote a row."""
    return NotASnapshot(f"unexpected {type(error).__name__}{place_of(error)}")


def place_of(error: BaseException) -> str:
    """Where a defect of ours was raised, ` at shard.py:42`, for a text that must not repeat the error's own."""
    frames = extract_tb(error.__traceback__)
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
