"""How topics that are missing are made."""

from __future__ import annotations

from producer.kafka.access.metadata import TopicFacts
from producer.kafka.judgement import new_topic
from producer.model import Topic
from producer.settings.sections import Kafka


def test_changes_are_made_with_as_many_partitions_as_the_hits_have() -> None:
    """A reader that joins them by conn_id needs it; the others go by KAFKA_PARTITIONS."""
    hits = TopicFacts("wolkvox.hits", None, partitions=5, replicas=1, leaderless=0, allowed=frozenset())
    made = {topic: new_topic(topic, Kafka(), hits).partitions for topic in Topic}
    assert made == {**dict.fromkeys(Topic, 12), Topic.CHANGES: 5}
