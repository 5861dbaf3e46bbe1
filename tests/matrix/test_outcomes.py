"""The table of brokers says what pytest said, and nothing that was not run is well."""

from __future__ import annotations

import pytest

from tests.matrix.outcomes import Outcome, newest, outcomes, together

CONTRACT, ZOMBIES = ("tests/contracts/test_shard_store.py",), ("tests/integration/service/test_zombies.py",)


def a_report(*cases: str) -> str:
    return f'<testsuites><testsuite name="pytest">{"".join(cases)}</testsuite></testsuites>'


def a_case(name: str, inside: str = "") -> str:
    return f'<testcase classname="tests.contracts.test_shard_store" name="{name}">{inside}</testcase>'


def test_what_passed_is_counted_by_its_file() -> None:
    contract, zombies = outcomes(a_report(a_case("a"), a_case("b", "<properties/>")), [CONTRACT, ZOMBIES])
    assert (str(contract), contract.well) == ("2 passed", True)
    assert (str(zombies), zombies.well) == ("not run", False)


@pytest.mark.parametrize("inside", ["<failure/>", "<error/>", "<skipped/>"])
def test_what_did_not_pass_is_named(inside: str) -> None:
    (found,) = outcomes(a_report(a_case("a"), a_case("b", inside)), [CONTRACT])
    assert (str(found), found.well) == ("1 passed, failed: b", False)


def test_what_passed_at_the_second_try_says_so() -> None:
    found = together(Outcome(5, ["a", "b"]), Outcome(1, ["b"]))
    assert (str(found), found.well) == ("6 passed, 1 of them at the second try, failed: b", False)
    assert str(together(Outcome(5, ["a"]), Outcome(1, []))) == "6 passed, 1 of them at the second try"
    assert together(Outcome(5, []), Outcome(0, [])) == Outcome(5, [])


def test_a_folder_stands_for_its_files() -> None:
    (found,) = outcomes(a_report(a_case("a")), [("tests/contracts",)])
    assert found.passed == 1


def test_a_run_without_a_report_is_not_well() -> None:
    (found,) = outcomes("", [CONTRACT])
    assert not found.well


def test_the_last_release_of_each_minor_is_tried() -> None:
    served = ["3.6.2", "3.7.0", "3.7.2", "3.10.0", "3.9.2", "4.0.10", "4.0.9", "4.4.0-rc1", "4.4.0"]
    assert newest(served, since=(3, 7)) == ["3.7.2", "3.9.2", "3.10.0", "4.0.10", "4.4.0"]
