"""Clusters that lack what the service needs: it ends with the reason, and `check` says so before."""

from __future__ import annotations

import pytest

from producer.commands.check import look
from producer.commands.check_findings import Verdict
from producer.settings import load
from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.lesser import Answer, Lesser, no_transaction_coordinator, without

pytestmark = pytest.mark.kafka

ADD_PARTITIONS_TO_TXN, END_TXN = 24, 26


@pytest.mark.parametrize(
    "answer",
    [without({ADD_PARTITIONS_TO_TXN, END_TXN}), no_transaction_coordinator],
    ids=["requests that it lacks", "a coordinator that it refuses"],
)
async def test_without_transactions_it_ends_and_says_so(stages: Open, frail: FrailKafka, answer: Answer) -> None:
    """Event Hubs in its lower tiers has producers' ids and idempotence, and no transactions."""
    stage = await stages(bootstrap=frail.proxied)
    async with Lesser(port=frail.proxy_port, target=frail.address("BEHIND_PROXY"), answer=answer):
        instance = await stage.start()
        assert await instance.ended() == 1
        assert "this cluster has no transactions" in instance.raw[-1]
        findings = {one.subject: one for one in await look(load(config=None, environ=stage.environment()))}
    assert findings["transactions"].verdict is Verdict.FAILED
    assert "this cluster has no transactions" in findings["transactions"].text
    assert findings["group"].verdict is Verdict.OK
