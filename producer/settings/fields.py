"""What a setting is: its default, its meaning, and the types that sections share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from producer import duration
from producer.settings.secret import Check, Secret, header_value, long_key, one_line
from producer.wolkvox.address import normalise_server

Value = TypeVar("Value", str, float, int)


REQUIRED = "required"
"""What stands for the default of a setting that has none and needs a value."""


class Section(BaseModel):
    """A table of the file: frozen, no unknown keys, and no value in the text of an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def setting(default: Any, meaning: str, *, shown: str | None = None, example: Any = None) -> Any:
    """A field with its meaning; `shown` says the default in words where the value does not.

    The default is written as a person would and validated like any value. `example` is for a setting without default.
    """
    examples = [default if example is None else example]
    return Field(
        default, description=meaning, validate_default=True, examples=examples, json_schema_extra=_extra(shown)
    )


def shown_default(field: Any) -> str:
    """A field's default as a reader of the documentation should see it."""
    extra = field.json_schema_extra or {}
    if "shown" in extra:
        return str(extra["shown"])
    if field.default is None:
        return "none"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _extra(shown: str | None) -> dict[str, Any]:
    return {} if shown is None else {"shown": shown}


def at_least(least: Value, *, show: Callable[[Value], str] = str) -> AfterValidator:
    """A bound that the error names as a person would write it."""
    return _bound(lambda value: value >= least, f"too small; {show(least)} and up is accepted", show)


def at_most(most: Value, *, show: Callable[[Value], str] = str) -> AfterValidator:
    """A bound that the error names as a person would write it."""
    return _bound(lambda value: value <= most, f"too large; {show(most)} is the most", show)


def renamed(names: Mapping[str, str]) -> BeforeValidator:
    """Other names that people know a choice by."""
    return BeforeValidator(lambda value: names.get(value, value) if isinstance(value, str) else value)


def _bound(holds: Callable[[Value], bool], complaint: str, show: Callable[[Value], str]) -> AfterValidator:
    def bounded(value: Value) -> Value:
        if not holds(value):
            raise ValueError(f"{show(value)} is {complaint}")
        return value

    return AfterValidator(bounded)


def _not_boolean(value: Any) -> Any:
    # pydantic takes true for 1: `partitions = true` would be one partition.
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number")  # noqa: TRY004  (pydantic gathers only ValueError)
    return value


def _not_a_service(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"(tcp|udp|sctp)://", value):
        raise ValueError(
            f"{value!r} is no port but what Kubernetes sets for a Service called status: "
            "enableServiceLinks: false in the pod's spec leaves it out, and a STATUS_PORT of your own goes first"
        )
    return value


def _server(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError('not a string; write it in quotes, as "0042"')  # noqa: TRY004  (same)
    return normalise_server(value)


def _secret(check: Check) -> BeforeValidator:
    def secret(value: Any) -> Any:
        if value is None or isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValueError("not a string; write it in quotes")  # noqa: TRY004  (same)
        return Secret.of(value, check=check)

    return BeforeValidator(secret)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    if re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", value):
        raise ValueError("it holds a control character, or one that is none")
    return value


def _readable(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None


def _name(*, longest: int) -> AfterValidator:
    def name(value: str) -> str:
        if not re.fullmatch(rf"[A-Za-z0-9._-]{{1,{longest}}}", value) or value in {".", ".."}:
            raise ValueError(f"{value!r} is not a name for Kafka; letters, digits, '.', '_' and '-', {longest} at most")
        return value

    return AfterValidator(name)


def _brokers(value: Any) -> Any:
    # What is no broker is not repeated: other programs take `user:password@host` here.
    joined = ",".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
    if not isinstance(joined, str):
        raise ValueError(f"not a text, nor a list of texts; {_BROKERS}")  # noqa: TRY004  (same)
    brokers = [one.strip() for one in joined.split(",")]
    for number, broker in enumerate(brokers, start=1):
        match = re.fullmatch(r"(?:\[[0-9A-Fa-f:.%\w]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", broker)
        if match is None or not 0 < int(match[1] or 9092) < 65_536:
            raise ValueError(f"not a broker ({number} of {len(brokers)}); {_BROKERS}")
    return ",".join(brokers)


_BROKERS = "write host:port, several with commas between"


Duration = Annotated[float, BeforeValidator(duration.seconds)]
Interval = Annotated[Duration, at_least(1.0, show=duration.text)]
Text = Annotated[str, AfterValidator(_not_blank)]
Number = Annotated[int, BeforeValidator(_not_boolean)]
Server = Annotated[str, BeforeValidator(_server)]
Zone = ZoneInfo
Password = Annotated[Secret, _secret(one_line)]
Token = Annotated[Secret, _secret(header_value)]
Key = Annotated[Secret, _secret(long_key)]
SecretFile = Path
ReadableFile = Annotated[Path, AfterValidator(_readable)]
# Kafka's own bound is 249 characters; the longest derived topic adds ".dead-letter".
Topic = Annotated[str, _name(longest=237)]
MemberName = Annotated[str, _name(longest=249)]
Brokers = Annotated[str, BeforeValidator(_brokers)]
NotAService = BeforeValidator(_not_a_service)
Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Hits = Annotated[Literal["all", "marked"], Lower]
