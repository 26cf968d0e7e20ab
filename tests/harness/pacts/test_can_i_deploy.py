"""A version may be deployed when every pair that it touches was verified, and the ledger says why when not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.pacts.__main__ import main
from harness.pacts.can_i_deploy import can_i_deploy
from harness.pacts.ledger import Ledger, LedgerError, Verification, version_of
from harness.pacts.recorded import sha_of


def pact(consumer: str, provider: str, description: str = "an order") -> dict[str, Any]:
    return {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": [{"type": "Asynchronous/Messages", "description": description}],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """`checkout 1` expects something of `order`; `order 1` keeps it; both run in production."""
    made = Ledger(tmp_path)
    made.publish("1", [pact("checkout", "order")])
    verify(made, "1")
    made.deploy("production", {"checkout": "1", "order": "1"})
    return made


def verify(ledger: Ledger, version: str, *wrong: str, of: dict[str, Any] | None = None) -> None:
    found = of or pact("checkout", "order")
    result = Verification(version=version, success=not wrong, wrong=wrong)
    ledger.verified("order", sha_of(found), "checkout", result)


def problems(ledger: Ledger, environment: str = "production", **versions: str) -> list[str]:
    return [each.problem for each in can_i_deploy(ledger, versions, environment)]


def test_a_provider_that_was_verified_may_be_deployed(ledger: Ledger) -> None:
    verify(ledger, "2")
    assert problems(ledger, order="2") == [""]


def test_a_provider_that_was_never_verified_may_not(ledger: Ledger) -> None:
    (problem,) = problems(ledger, order="2")
    assert problem.startswith("UNVERIFIED")


def test_a_provider_that_breaks_a_pact_may_not_and_the_interaction_is_named(ledger: Ledger) -> None:
    verify(ledger, "2", "an order")
    assert problems(ledger, order="2") == ["FAILED: an order"]


def test_a_consumer_whose_new_pact_was_verified_by_what_runs_may_be_deployed(ledger: Ledger) -> None:
    more = pact("checkout", "order", "an order and its payment")
    ledger.publish("2", [more])
    assert [each[:10] for each in problems(ledger, checkout="2")] == ["UNVERIFIED"]
    verify(ledger, "1", of=more)
    assert problems(ledger, checkout="2") == [""]


def test_a_consumer_with_the_same_pact_as_before_needs_no_new_verification(ledger: Ledger) -> None:
    ledger.publish("2", [pact("checkout", "order")])
    assert problems(ledger, checkout="2") == [""]


def test_a_consumer_needs_its_provider_in_the_environment(ledger: Ledger) -> None:
    ledger.deploy("staging", {"catalog": "1"})
    assert problems(ledger, "staging", checkout="1") == ["the provider is not there"]


def test_services_that_are_deployed_together_count_as_there(ledger: Ledger) -> None:
    ledger.deploy("staging", {"catalog": "1"})
    assert problems(ledger, "staging", checkout="1", order="1") == [""]


def test_a_service_that_touches_nobody_may_always_be_deployed(ledger: Ledger) -> None:
    assert problems(ledger, catalog="7") == []


def test_a_consumer_version_that_was_never_published_is_an_error_and_no_yes(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="never published"):
        problems(ledger, checkout="9")


def test_a_consumer_that_runs_there_in_an_older_version_still_counts(ledger: Ledger) -> None:
    old = pact("checkout", "order", "what version 0 wanted")
    ledger.publish("0", [old])
    ledger.deploy("staging", {"checkout": "0", "order": "1"})
    verify(ledger, "2")
    assert [each[:10] for each in problems(ledger, "staging", order="2")] == ["UNVERIFIED"]
    verify(ledger, "2", of=old)
    assert problems(ledger, "staging", order="2") == [""]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["order=1", "--to", "production"], 0),
        (["checkout=1", "order=1", "--to", "production"], 0),
        (["order=2", "--to", "production"], 1),
        (["order=1", "--to", "nowhere"], 2),
        (["odrer=1", "--to", "production"], 2),
        (["checkout=9", "--to", "production"], 2),
        (["order=../1", "--to", "production"], 2),
    ],
)
def test_the_command_exits_with_the_answer(
    ledger: Ledger, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["can-i-deploy", *arguments, "--ledger", str(ledger.folder)]) == code
    told = capsys.readouterr()
    assert (told.err if code == 2 else told.out).strip()


def test_a_broken_file_is_an_error_and_no_yes(ledger: Ledger) -> None:
    (path,) = (ledger.folder / "verifications" / "order").glob("*.json")
    for text in ("{", "[]", json.dumps({"results": {"1": {}}})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LedgerError):
            problems(ledger, order="1")


def test_verifying_again_replaces_the_earlier_result(ledger: Ledger) -> None:
    verify(ledger, "2", "an order")
    verify(ledger, "2")
    assert problems(ledger, order="2") == [""]


def test_publish_and_deploy_write_what_can_i_deploy_reads(tmp_path: Path) -> None:
    folder = ["--ledger", str(tmp_path)]
    assert main(["publish", "warehouse", *folder]) == 0
    assert main(["publish", "nobody", *folder]) == 2
    assert main(["deploy", "order=1", "warehouse", "--to", "production", *folder]) == 0
    made = Ledger(tmp_path)
    assert made.deployed("production") == {"order": "1", "warehouse": version_of("warehouse")}
    assert main(["can-i-deploy", "warehouse", "--to", "production", *folder]) == 1


def test_a_version_is_that_of_the_sources_of_the_service(tmp_path: Path) -> None:
    for name in ("order", "payment", "platform"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "app.py").write_text("", encoding="utf-8")
    order, payment = (version_of(name, tmp_path) for name in ("order", "payment"))
    (tmp_path / "services" / "payment" / "app.py").write_text("1", encoding="utf-8")
    assert version_of("order", tmp_path) == order
    assert version_of("payment", tmp_path) != payment
    (tmp_path / "services" / "platform" / "app.py").write_text("1", encoding="utf-8")
    assert version_of("order", tmp_path) != order
