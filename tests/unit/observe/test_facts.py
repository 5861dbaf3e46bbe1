"""Every line of the log is documented, and the code writes no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import producer
from producer.observe.facts import _ROWS, FACTS, LEVELS

PACKAGE = Path(producer.__file__).parent


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a logger in the package, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "get_logger" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and is_log_line(node):
                yield f"{path.relative_to(PACKAGE.parent)}:{node.lineno}", node


def is_log_line(call: ast.Call) -> bool:
    """Whether it reads `_log.info(…)`: every module names its logger so."""
    function = call.func
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) in ("_log", "log", "self._log")


CALLS = [pytest.param(call, id=place) for place, call in calls()]


def test_a_fact_has_one_row() -> None:
    assert len(_ROWS) == len(FACTS)


@pytest.mark.parametrize("call", CALLS)
def test_the_code_logs_only_documented_facts(call: ast.Call) -> None:
    assert isinstance(call.func, ast.Attribute)
    assert call.func.attr in LEVELS
    [name] = call.args
    assert isinstance(name, ast.Constant), "a fact's name stands in the call, so that a search finds it"
    fact = FACTS[str(name.value)]
    assert call.func.attr == fact.level
    assert [k.arg for k in call.keywords if k.arg and not fact.carries(k.arg)] == []


def test_each_documented_field_is_written_by_some_line() -> None:
    written = {"library_message": {"message", "exception"}, "undocumented": {"message"}}  # by the log itself
    for _, call in calls():
        written.setdefault(str(ast.literal_eval(call.args[0])), set()).update(k.arg for k in call.keywords if k.arg)
    promised = {(name, field) for name, fact in FACTS.items() for field in fact.fields}
    assert sorted(promised - {(name, field) for name, fields in written.items() for field in fields}) == []
    assert FACTS.keys() == written.keys()


@pytest.mark.parametrize("call", CALLS)
def test_an_exception_is_given_whole_so_that_the_log_decides_what_of_it_may_show(call: ast.Call) -> None:
    errors = [keyword.value for keyword in call.keywords if keyword.arg == "error"]
    assert [ast.unparse(e) for e in errors if not isinstance(e, ast.Name | ast.Attribute | ast.Constant)] == []
