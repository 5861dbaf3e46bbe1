"""What a registry's answer without an id means, as the error to raise; each names the subject."""

from __future__ import annotations

from producer.errors import AccessDenied, KafkaFailed, NoRegistry, Untrusted
from producer.net.exchange import Answer

_WORDS = 300
"""Characters of its own words that are shown."""


def refusal(subject: str, answer: Answer) -> KafkaFailed:
    """The error for an answer to a question about a subject."""
    status, code = answer.status, answer.fields.get("error_code")
    where = f"REGISTRY_URL: at subject {subject}"
    match status:
        case 401:
            return AccessDenied(f"{where} it wants another REGISTRY_USERNAME and REGISTRY_PASSWORD (status 401)")
        case 403:
            return AccessDenied(
                f"{where} we lack the permission (status 403): to read and, unless REGISTRY_REGISTER is false, to write"
            )
        case 409:
            return Untrusted(
                f"{where} our schema is not compatible with the one that it has{_said(answer)}. Another producer's "
                "topic, or a compatibility level that this version's change does not keep: see schemas/README.md"
            )
        case 408 | 429 | 500 | 502 | 503 | 504:
            return NoRegistry(f"{where} it has no answer now (status {status}){_said(answer)}")
    if isinstance(code, int) and status >= 400 and code != status:
        return Untrusted(f"{where} it does not take our schema (status {status}, error {code}){_said(answer)}")
    return Untrusted(
        f"{where} it answers as no schema registry with Confluent's API does (status {status}, {_form(answer)}): the "
        "address ends where `/subjects` begins; with Apicurio that is behind `/apis/ccompat/v7`"
    )


def _said(answer: Answer) -> str:
    """Its own words, on one line."""
    message = answer.fields.get("message")
    if not isinstance(message, str) or not message:
        return ""
    words = " ".join("".join(char if char.isprintable() else " " for char in message).split())
    return f": {words if len(words) <= _WORDS else words[: _WORDS - 1] + '…'}"


def _form(answer: Answer) -> str:
    if answer.fields:
        return "JSON"
    return "a page" if answer.body.lstrip()[:1] == b"<" else "no JSON object"
