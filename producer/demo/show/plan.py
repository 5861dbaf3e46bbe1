"""How a demo goes: rates and lengths, and the service's settings for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from producer.demo.simulator import Simulator

TOPIC = "wolkvox.hits"
CHANGES, COVERAGE = f"{TOPIC}.changes", f"{TOPIC}.coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rate` in hits a second, `late` and `typify_late` shares of them; all else in seconds."""

    rate: float = 3.0
    report: float = 12.0
    """How long the API shows a hit."""
    late: float = 0.05
    late_by: float = 2.0
    """How late a hit may turn up in the report."""
    typify_late: float = 0.2
    """Of those in time, the share that is shown before its call is typified."""
    typify_by: float = 1.5
    """How long that takes at most, and a correction after it: what changes must outlive the takeover in the report."""
    calm: float = 6.0
    """Ordinary running before the kill; a third of it after it."""
    outage: float = 15.0
    """No answer from the API: longer than `report`, so that hits are lost."""
    delay: float = 1.0
    """RECOVER_DELAY: the gap's calls are typified before the API answers again."""
    session: float = 6.0
    """KAFKA_SESSION_TIMEOUT; six are the least that a broker with Kafka's defaults accepts."""
    patience: float = 60.0
    """How long anything may take that should happen by itself."""

    @property
    def window(self) -> float:
        """How far back a snapshot surely reaches: late rows have the least time to be seen."""
        return self.report - self.late_by

    @property
    def broker(self) -> Mapping[str, str]:
        """Properties of the broker that the plan needs."""
        return {"group.min.session.timeout.ms": str(int(self.session * 1000))}

    def simulator(self) -> Simulator:
        """The call centre, not yet open."""
        return Simulator(
            rate=self.rate,
            window=self.report,
            late=self.late,
            late_by=self.late_by,
            typify_late=self.typify_late,
            typify_by=self.typify_by,
        )

    def settings(self, simulator: Simulator, bootstrap: str) -> Mapping[str, str]:
        """The service's environment: no warning comes of it."""
        return {
            "WOLKVOX_SERVER": simulator.server,
            "WOLKVOX_TOKEN": simulator.token,
            "WOLKVOX_URL": simulator.url,
            "WOLKVOX_WINDOW": f"{self.window:g}s",
            "POLL_INTERVAL": "1s",
            "POLL_TIMEOUT": f"{self.window / 2:g}s",
            "RECOVER_GAPS": "history",
            "RECOVER_DELAY": f"{self.delay:g}s",
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_TOPIC": TOPIC,
            "KAFKA_SESSION_TIMEOUT": f"{self.session:g}s",
            "STATUS_PORT": "0",
        }
