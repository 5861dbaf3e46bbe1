"""Faults that answer something else than rows: refusals, empty answers, other people's answers."""

from __future__ import annotations

from producer.demo.simulator.answers import (
    NO_TOKEN,
    NONE_FOUND,
    SIMULTANEOUS,
    SQL_ERROR,
    Answer,
    Fault,
    always,
    envelope,
    refusal,
)

_HTML = b"<!DOCTYPE html><html><head><title>%b</title></head><body><h1>%b</h1></body></html>"
_COUNTED = envelope(msg="17 records were found")
_SPENT = refusal(403, "FORBIDDEN", "Token limit exceeded")
_IN_MAINTENANCE = "OPERACIÓN EN MANTENIMIENTO"
_TOO_MANY = "EXCEDE EL LÍMITE DE PETICIONES SIMULTÁNEAS"


def _html(status: int, title: bytes) -> Answer:
    return Answer(_HTML % (title, title), status=status, media_type="text/html; charset=UTF-8")


def _json(body: bytes, *, status: int = 200) -> Answer:
    return Answer(body, status=status)


# name, what it is, the answer
_TABLE: tuple[tuple[str, str, Answer], ...] = (
    ("unauthorized", "401: no token arrived", NO_TOKEN),
    ("bad-token", "403: please validate token, in mixed case", refusal(403, "Forbidden", "Please validate token")),
    ("simultaneous", "403: more than two requests at once for this token", SIMULTANEOUS),
    ("maintenance", "403: the operation is in maintenance", refusal(403, "FORBIDDEN", "OPERATION IN MAINTENANCE")),
    ("backup", "403: a backup runs", refusal(403, "FORBIDDEN", "A backup of the operation is in progress")),
    ("refused", "403 with words that nobody knows", refusal(403, "FORBIDDEN", "THIS OPERATION IS SUSPENDED")),
    ("maintenance-es", "403: the operation is in maintenance, in Spanish", refusal(403, "FORBIDDEN", _IN_MAINTENANCE)),
    ("simultaneous-es", "403: too many requests at once, in Spanish", refusal(403, "FORBIDDEN", _TOO_MANY)),
    ("bad-token-es", "403: the token is not valid, in Spanish", refusal(403, "Forbidden", "Token no válido")),
    ("firewall", "403 with a firewall's HTML page", _html(403, b"Request blocked")),
    ("http-400", "400: a report that the server does not have", refusal(400, "BAD REQUEST", "THE API DOES NOT EXIST")),
    ("http-410", "410 without a body: another 4xx", Answer(b"", status=410)),
    ("http-500", "500 with an empty body", Answer(b"", status=500)),
    ("http-502", "502 with a proxy's HTML page", _html(502, b"502 Bad Gateway")),
    ("html", "200 with an HTML page: a login or a firewall", _html(200, b"Sign in")),
    ("404-empty", "404 in the API's own envelope: no hits now", NONE_FOUND),
    ("404-in-200", "200 whose code is 404: no hits now", _json(NONE_FOUND.body)),
    ("404-html", "404 with an HTML page: not the API's own", _html(404, b"404 Not Found")),
    ("data-null", "code 200, data null: claims that there are no hits", _json(envelope(msg="0 records were found"))),
    ("data-absent", "code 200 without data", _json(b'{"code":200,"error":null,"msg":"0 records were found"}')),
    ("data-empty-object", "code 200, data {}", _json(envelope(msg="0 records were found", data={}))),
    ("data-empty-list", "code 200, data []", _json(envelope(msg="0 records were found", data=[]))),
    ("data-other", "code 200, data an object without a row", _json(envelope(data={"status": "ok", "total": 0}))),
    ("error-in-success", "code 200 without rows, with the text of an error", _json(envelope(error=SQL_ERROR))),
    (
        "count-without-rows",
        "code 200 without the rows that its message counts",
        _json(envelope(msg="17 records were found")),
    ),
    ("quota-in-200", "200 whose code is 403: token limit exceeded", _json(_SPENT.body)),
    ("error-in-200", "200 whose code is 500", _json(envelope(500, error="ERROR", msg="INTERNAL ERROR"))),
    ("gateway-error", "200 with a gateway's own error object", _json(b'{"error":"upstream request failed"}')),
    ("no-route", "200 with another service's message", _json(b'{"message":"no route and no API found"}')),
    ("empty-body", "200 with no body at all", Answer(b"")),
    ("json-null", "200 with the JSON value null", _json(b"null")),
    ("json-text", "200 with a JSON string", _json(b'"OK"')),
)

REFUSED = (
    *(Fault(name, description, always(answer)) for name, description, answer in _TABLE),
    Fault("quota", "403: token limit exceeded; `quota:30` adds Retry-After: 30", always(_SPENT), seconds=0),
    Fault("429", "429; `429:5` adds Retry-After: 5", always(Answer(b"", status=429)), seconds=0),
    Fault("http-503", "503; `http-503:5` adds Retry-After: 5", always(_html(503, b"503")), seconds=0),
)
"""Every fault of this file."""
