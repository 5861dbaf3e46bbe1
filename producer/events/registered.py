"""What a schema registry is given of our schemas: one text for each topic of events.

A registry has one schema a subject, while a topic may carry events of several kinds: then any one of them. And it
compares versions by rules of its own, BACKWARD by default. Tried against Apicurio 3.3.3, whose rules are Confluent's in
this: of an open object it refuses each new field, since an old value could have had it as something else; of a closed
one it takes an optional field, and of `oneOf` another kind. So it gets what the writer holds to, closed. It gets it in
draft 7, which has every keyword that our schemas keep to: of 2019-09 and 2020-12 Apicurio can't compare two versions at
all (it answers 500), and not every deserializer knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from producer.events.catalogue import ON_TOPIC, closed, schema
from producer.model import Topic

DRAFT = "http://json-schema.org/draft-07/schema#"


@cache
def registered(topic: Topic) -> str:
    """The JSON text for the topic's subject, the same in every process of one version."""
    return text_of([schema(name).document for name in ON_TOPIC[topic]])


def text_of(documents: Sequence[dict[str, Any]]) -> str:
    """The text for events of these schemas."""
    kinds = list(map(_as_written, documents))
    if len(kinds) == 1:
        return orjson.dumps({"$schema": DRAFT, **kinds[0]}).decode()
    titles = " or ".join(kind["title"] for kind in kinds)
    return orjson.dumps({"$schema": DRAFT, "title": titles, "oneOf": kinds}).decode()


def _as_written(document: dict[str, Any]) -> dict[str, Any]:
    """A schema as the writer holds to it; not under its `$id`, which is the open file's."""
    rules: dict[str, Any] = {word: value for word, value in closed(document).items() if word not in {"$schema", "$id"}}
    return {"$comment": f"{document['$id']}, closed: as it is written", **rules}
