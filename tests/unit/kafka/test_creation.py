"""What a cluster may say to the making of topics, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiokafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse_v2

from producer.errors import AccessDenied, Discard, KafkaFailed, Untrusted
from producer.kafka.access.creation import NewTopic, create
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Metadata
from producer.kafka.access.wire import Address

WHOLE = {"cleanup.policy": "compact", "segment.ms": "1"}
ESSENTIAL = {"cleanup.policy": "compact"}
LEDGER = NewTopic("h.ledger", 12, None, WHOLE, ESSENTIAL)
HITS = NewTopic("h", 3, 2, {"cleanup.policy": "delete"}, {"cleanup.policy": "delete"})
CONTROLLER = Address("c", 9092)
FOUND = Metadata(controller=1, brokers={1: CONTROLLER}, topics={})
NONE, THERE = 0, 36
INVALID_CONFIG, INVALID_REQUEST, POLICY_VIOLATION = 40, 42, 44


@dataclass
class Controller:
    """Answers each question with the codes that `says` has for a topic, one after the other, and then with none."""

    says: dict[str, list[int]]
    asked: list[tuple[dict[str, dict[str, str]], bool]] = field(default_factory=list)

    async def wire(self, address: Address) -> Controller:
        assert address == CONTROLLER
        return self

    async def ask(self, request: CreateTopicsRequest, *, what: str) -> Any:
        wanted = request.create_topic_requests
        self.asked.append(({name: dict(config) for name, _, _, _, config in wanted}, request.validate_only))
        return CreateTopicsResponse_v2(0, [self._answer(name) for name, *_ in wanted])

    def _answer(self, name: str) -> tuple[str, int, str | None]:
        codes = self.says.get(name, [])
        code = codes.pop(0) if codes else NONE
        return name, code, f"no:\n{code}" if code else None


async def created(controller: Controller, *topics: NewTopic, only_ask: bool = False) -> dict[str, str]:
    return await create(cast(Inquiry, controller), FOUND, topics, only_ask=only_ask)


@pytest.mark.parametrize("code", [POLICY_VIOLATION, INVALID_CONFIG, INVALID_REQUEST])
@pytest.mark.parametrize("only_ask", [False, True])
async def test_what_is_refused_for_its_settings_is_tried_with_the_essential_ones(code: int, *, only_ask: bool) -> None:
    controller = Controller({LEDGER.name: [code]})
    assert await created(controller, HITS, LEDGER, only_ask=only_ask) == {LEDGER.name: f"no: {code}"}
    assert controller.asked == [
        ({HITS.name: dict(HITS.config), LEDGER.name: WHOLE}, only_ask),
        ({LEDGER.name: ESSENTIAL}, only_ask),
    ]


async def test_one_that_another_instance_made_first_is_fine_whole_or_not() -> None:
    assert await created(Controller({HITS.name: [THERE], LEDGER.name: [THERE]}), HITS, LEDGER) == {}
    assert await created(Controller({LEDGER.name: [INVALID_CONFIG, THERE]}), LEDGER) == {LEDGER.name: "no: 40"}


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (POLICY_VIOLATION, Untrusted, r"creating h: the cluster refuses it \(no: 44\): create it as"),
        (17, Untrusted, r"creating h: the cluster refuses it \(no: 17\)"),
        (37, Untrusted, r"creating h: the cluster refuses it \(no: 37\)"),
        (38, Untrusted, r"creating h: .* too few brokers for KAFKA_REPLICATION_FACTOR \(no: 38\)"),
        (39, Untrusted, r"creating h: the cluster refuses it \(no: 39\)"),
        (29, AccessDenied, "grant Create on topic h"),
        (31, AccessDenied, "grant Create on topic h"),
        # Not the controller any more; too many topics at once (THROTTLING_QUOTA_EXCEEDED): another time they are made.
        (41, Discard, "creating h: NotControllerError"),
        (89, Discard, "creating h: "),
    ],
)
async def test_a_refusal_says_whether_it_goes_away_and_why(code: int, kind: type[KafkaFailed], words: str) -> None:
    with pytest.raises(kind, match=words):
        await created(Controller({HITS.name: [code]}), HITS)


async def test_a_refusal_of_the_essential_settings_too_is_for_good() -> None:
    controller = Controller({LEDGER.name: [POLICY_VIOLATION, INVALID_CONFIG]})
    with pytest.raises(Untrusted, match=r"creating h\.ledger: the cluster refuses it \(no: 40\)"):
        await created(controller, LEDGER)


async def test_one_refusal_is_told_although_others_could_be_made_lesser() -> None:
    controller = Controller({HITS.name: [37], LEDGER.name: [POLICY_VIOLATION]})
    with pytest.raises(Untrusted, match=r"creating h: the cluster refuses it \(no: 37\)"):
        await created(controller, HITS, LEDGER)


async def test_the_clusters_words_are_one_line_and_not_without_end() -> None:
    class Talkative(Controller):
        def _answer(self, name: str) -> tuple[str, int, str | None]:
            return name, 37, "word\n" * 1_000

    with pytest.raises(Untrusted) as caught:
        await created(Talkative({}), HITS)
    assert "word word" in str(caught.value)
    assert len(str(caught.value)) < 400
