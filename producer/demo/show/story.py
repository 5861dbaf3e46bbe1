"""The demo's story: hits flow, the service is killed, the API fails, the call centre closes, the audit."""

from __future__ import annotations

import asyncio
from datetime import datetime
from time import monotonic

from producer.demo.show.audit import Audit, audit
from producer.demo.show.instance import Instance
from producer.demo.show.narrator import Narrator
from producer.demo.show.plan import CHANGES, COVERAGE, TOPIC, Plan
from producer.demo.show.watch import Watch
from producer.demo.simulator import Simulator
from producer.demo.simulator.callcentre import BOGOTA
from producer.model import Gap


class Story:
    """The steps that need a person's eyes, told to `narrator`."""

    def __init__(
        self, plan: Plan, *, narrator: Narrator, simulator: Simulator, instance: Instance, watch: Watch
    ) -> None:
        self._plan = plan
        self._narrator = narrator
        self._simulator = simulator
        self._instance = instance
        self._watch = watch

    async def run(self) -> Audit:
        """The whole story; raises ServiceFailed if the service does what it should not."""
        await self._flow()
        await self._crash()
        await self._outage()
        await self._drain()
        return await self._audit()

    async def _flow(self) -> None:
        self._narrator.step(f"Each hit becomes one event on the topic {TOPIC}")
        self._narrator.say(
            "Below are the last ones as an independent consumer (read_committed) reads them back. "
            "Telephones and customer ids are in the events, but never on this screen."
        )
        await self._watch.until(lambda: bool(self._watch.readback.events), otherwise="no hit is on the topic")
        await asyncio.sleep(self._plan.calm)
        await self._watch.until(lambda: self._watch.corrected() is not None, otherwise="no correction was told")
        corrected = self._watch.corrected()
        assert corrected is not None
        conn_id, said = corrected
        self._narrator.say(
            f"Calls are typified after they end, and some are corrected. {conn_id} was told as soon as it was shown; "
            f"what became of it is told on {CHANGES}, each change once.",
            f"Its `hit` said: {', '.join(word or '(nothing)' for word in said)}.",
        )

    async def _crash(self) -> None:
        await self._watch.next_request()
        victim, killed_at = self._instance.pid, monotonic()
        self._instance.kill()
        self._instance.start()
        self._narrator.step(f"kill -9 of the service (process {victim}), with a poll in flight")
        self._narrator.say(
            f"A new one starts at once (process {self._instance.pid}). The consumer group keeps the shard for the dead "
            f"one until its session times out ({self._plan.session:g} s), then the new one takes over. Nothing is "
            "lost: the API still shows the hits, and the ledger on Kafka knows which of them are told."
        )
        await self._watch.until(self._took_over, otherwise="the new instance has not taken over")
        seconds = monotonic() - killed_at
        await self._watch.until(self._watch.caught_up, otherwise="hits are missing after the restart")
        known = next(self._instance.facts("shard_taken"))["ids"]
        new = next(self._instance.facts("poll_done"))["new"]
        self._narrator.say(
            f"Taken over after {seconds:.1f} s: {known} hits were known from the ledger, {new} new ones were in the "
            f"first report. Duplicates: {self._watch.readback.duplicates}."
        )
        await asyncio.sleep(self._plan.calm / 3)

    async def _outage(self) -> None:
        plan, before, told = self._plan, len(self._watch.unseen()), len(self._watch.readback.gaps)
        self._narrator.step(f"The API fails for {plan.outage:g} s (HTTP 503)")
        self._narrator.say(
            f"That is longer than the {plan.window:g} s that a report surely reaches back (WOLKVOX_WINDOW): hits "
            "leave it without having been shown. The gap in time is told, and then it heals."
        )
        self._simulator.fault = "http-503"
        await asyncio.sleep(plan.outage)
        self._simulator.fault = None
        await self._watch.until(lambda: len(self._watch.readback.gaps) > told, otherwise="no coverage gap was told")
        lost = len(self._watch.unseen()) - before
        self._narrator.say(
            f"It answers again, and {COVERAGE} says: no snapshot covered {_span(self._watch.readback.gaps[-1])}. "
            f"{lost} hits left the report in the outage without having been shown."
        )
        await self._watch.until(self._watch.healed, otherwise="the gap has not healed")
        self._narrator.say(
            "The API's historical reports still have them (RECOVER_GAPS=history). What they know of the time before "
            "agrees with what was told, so what is missing of the gap is published now, marked "
            f"`wolkvox_recovered: history`: {self._watch.readback.recovered} hits."
        )

    async def _drain(self) -> None:
        self._narrator.step("The call centre closes; the last hits arrive")
        self._simulator.stop_calls()
        await asyncio.sleep(max(self._plan.late_by, 2 * self._plan.typify_by))
        polls = self._simulator.polls
        # Two: the first may have begun before the last late hit was in the report.
        await self._watch.until(lambda: self._simulator.polls >= polls + 2, otherwise="the service does not poll")
        await self._watch.until(self._watch.caught_up, otherwise="hits are missing at the end")
        await self._watch.until(self._watch.heard_the_last_words, otherwise="changes are missing at the end")
        self._watch.may_end = True
        began = monotonic()
        self._instance.ask_to_end()
        await self._watch.until(lambda: self._instance.pid is None, otherwise="the service ignores SIGTERM")
        self._narrator.say(f"Asked to end (SIGTERM), the service has ended after {monotonic() - began:.1f} s.")

    async def _audit(self) -> Audit:
        self._narrator.close()
        self._narrator.step("The audit: the topics are read once more, from the beginning")
        whole = await self._watch.read_again()
        return audit(
            shown=self._simulator.shown,
            events=whole.events,
            gaps=whole.gaps,
            never_shown=self._watch.unseen(),
            said=self._simulator.said,
            words=whole.words,
        )

    def _took_over(self) -> bool:
        return any(self._instance.facts("poll_done"))


def _span(gap: Gap) -> str:
    start, end = (datetime.fromtimestamp(moment, BOGOTA).strftime("%H:%M:%S") for moment in (gap.start, gap.end))
    return f"{start} to {end} ({gap.end - gap.start:.1f} s)"
