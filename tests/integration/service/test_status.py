"""What a running service tells its operator, and what it tells nobody."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

PAGES = ("/", "/healthz", "/readyz", "/metrics", "/status.json", "/live.json")
# A refusal before each good answer: refusals in a row are retried ever more slowly.
FAULTS = ("html", "odd-rows", "refused", "extra-fields", "bad-token", "numbers", "http-500", "broken-bytes", "huge-row")


async def test_the_endpoints_say_what_the_contract_says(stage: Stage) -> None:
    """Fields of /status.json exactly; /metrics agrees with it and with the topic; the probes are content."""
    instance = await stage.start()
    await stage.caught_up(instance)
    assert (await stage.page(instance, "/healthz")).json() == {"ok": True, "reasons": []}
    assert (await stage.page(instance, "/readyz")).json() == {"ok": True, "reasons": []}
    status = (await stage.page(instance, "/status.json")).json()
    assert status.keys() == {"instance", "version", "kafka", "shards", "sources"}
    assert (status["kafka"], status["shards"]) == ("ok", [2])
    (source,) = status["sources"]
    moments = (source.pop("last_success"), source.pop("next_poll"))
    assert all(datetime.fromisoformat(one).utcoffset() is not None for one in moments)
    assert 0 < source.pop("seconds_until_data_loss") <= 20
    found = await stage.assert_exactly_once()
    published, changed = len(found.hits), len(found.changes)
    assert source.pop("duplicate") > 0
    assert source == {
        "server": "0042",
        "owned": True,
        "state": "ok",
        "published": published,
        "changed": changed,
        "dead_lettered": 0,
        "unmarked": 0,
        "pending": 0,
        "recovered": 0,
        "gaps_waiting": 0,
    }
    metrics = await scraped(stage, instance)
    assert metrics['rows_total{result="published",server="0042"}'] == published
    assert metrics['rows_total{result="changed",server="0042"}'] == changed
    assert metrics["owned_shards{}"] == 1
    assert metrics['transactions_total{outcome="committed"}'] >= 2
    assert metrics['window_ids{server="0042"}'] == published
    await instance.stop()


async def test_a_bad_token_is_not_ready_and_says_so(stage: Stage) -> None:
    """503 with the reason at once, however fresh the last success; alive all the same; a good token mends it."""
    instance = await stage.start()
    await instance.until("committed")
    stage.simulator.fault = "bad-token"
    await instance.until("poll_failed", outcome="bad_token")
    answer = await stage.page(instance, "/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["source 0042: bad token"])
    assert (await stage.page(instance, "/healthz")).status_code == 200
    assert (await scraped(stage, instance))['polls_total{outcome="bad_token",server="0042"}'] >= 1
    stage.simulator.fault = None
    await instance.until("poll_recovered")
    assert (await stage.page(instance, "/readyz")).status_code == 200
    await instance.stop()


async def test_a_standby_is_ready(stage: Stage) -> None:
    """It owns nothing that has a source, and that is as it should be."""
    owner = await stage.start("owner")
    await owner.until("committed")
    standby = await stage.start("standby")
    await standby.until("shards_assigned")
    assert (await stage.page(standby, "/readyz")).json() == {"ok": True, "reasons": []}
    (source,) = (await stage.page(standby, "/status.json")).json()["sources"]
    assert (source["owned"], source["state"], source["next_poll"]) == (False, "standby", None)
    await together(owner.stop(), standby.stop())


async def test_no_fault_makes_it_tell_a_token_a_telephone_or_a_customer(stage: Stage) -> None:
    """At LOG_LEVEL=debug, through answers of every kind; odd rows become dead letters once, their neighbours hits."""
    instance = await stage.start(LOG_LEVEL="debug")
    await instance.until("committed")
    for fault in FAULTS:
        stage.simulator.fault = fault
        requests = stage.simulator.sources["0042"].requests
        await stage.simulator.until(lambda asked=requests: stage.simulator.sources["0042"].requests >= asked + 1)  # type: ignore[misc]  # mypy has no lambdas with defaults
        for page in PAGES:
            await stage.page(instance, page)
    stage.simulator.fault = None
    await stage.caught_up(instance)
    await instance.stop()
    found = await stage.audit()
    assert not found.duplicates
    assert stage.simulator.shown <= found.ids
    letters = [record.key for record in found.dead_letters]
    assert len(letters) == len(set(letters)) > 3
    stage.assert_discreet()


async def scraped(stage: Stage, instance: Instance) -> dict[str, float]:
    """The service's own metrics, by name and labels, as Prometheus' own parser reads them."""
    text = (await stage.page(instance, "/metrics")).text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[re.sub("^wolkvox_hits_", "", sample.name) + "{" + labels + "}"] = sample.value
    return found
