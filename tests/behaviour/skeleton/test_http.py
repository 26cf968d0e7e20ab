"""Service skeletons that serve HTTP: real processes, called over sockets with the generated client, told to stop."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.behaviour.skeleton.contracts import CONTRACTS
from tests.behaviour.skeleton.running import run, started, type_check

CALL = """
import asyncio, sys
from parts.{domain}.v1.http.client import Client
from parts.runtime.errors import HttpError

async def main() -> None:
    async with Client("http://" + sys.argv[1]{credentials}) as client:
        try:
            print(await client.{call})
        except HttpError as error:
            print(error)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The services of all domains, written by the command."""
    folder = tmp_path_factory.mktemp("http_services")
    (folder / "treaty.toml").write_text('package = "parts"\n')
    for path, content in CONTRACTS.items():
        target = folder / "contracts" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    for arguments in (["generate"], *(["service", name] for name in ("gateway", "order", "stock", "hooks"))):
        done = run(folder, "-m", "codegen", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def called(project: Path, address: str, domain: str, call: str, credentials: str = "") -> str:
    """What the generated client prints."""
    done = run(project, "-c", CALL.format(domain=domain, call=call, credentials=credentials), address)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def get(address: str, path: str) -> int:
    return httpx.get(f"http://{address}{path}", timeout=10).status_code


def test_a_gateway_answers_with_what_the_rpc_behind_it_answers(project: Path) -> None:
    with (
        started(project, "order", 1) as order,
        started(project, "gateway", 1, ORDER_SERVICE_TARGET=order.addresses["order.v1.OrderService"]) as gateway,
    ):
        answer = called(project, gateway.addresses["Gateway"], "gateway", "show_order('1')")
        assert answer == "HTTP 501: Not Implemented: GetOrder is not implemented yet"
        assert gateway.stop() == 0


def test_an_operation_that_fronts_no_rpc_is_not_implemented(project: Path) -> None:
    with started(project, "gateway", 1) as gateway:
        answer = called(project, gateway.addresses["Gateway"], "gateway", "get_opening_hours()")
        assert answer == "HTTP 501: Not Implemented"


def test_nobody_is_let_in_before_somebody_wrote_who_may_call(project: Path) -> None:
    with started(project, "gateway", 1) as gateway:
        address = gateway.addresses["Gateway"]
        answer = called(project, address, "gateway", "get_order('1')", ", bearer_auth='token'")
        assert answer == "HTTP 401: Unauthorized: The credentials are not valid."
        assert "getOrder is refused: nothing checks the credentials of `bearerAuth` yet" in gateway.logged()


def test_a_service_behind_a_gateway_that_cannot_be_reached_is_a_503_without_addresses(project: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{unused.getsockname()[1]}"
        with started(project, "gateway", 1, ORDER_SERVICE_TARGET=target) as gateway:
            address = gateway.addresses["Gateway"]
            answer = called(project, address, "gateway", "show_order('1')")
            assert answer.startswith("HTTP 503: Service Unavailable")
            assert target not in answer


def test_grpc_http_and_events_of_a_service_run_in_one_process(project: Path) -> None:
    with started(project, "stock", 3) as stock:
        assert list(stock.addresses) == ["events", "stock.v1.StockService", "Stock"]
        answer = called(project, stock.addresses["Stock"], "stock", "read_stock('tea')")
        assert answer == "HTTP 501: Not Implemented: readStock is not implemented yet"
        assert stock.stop() == 0


def test_all_documents_of_a_domain_are_served_together(project: Path) -> None:
    with started(project, "stock", 3) as stock:
        assert get(stock.addresses["Stock"], "/v2/stock") == 501
        assert get(stock.addresses["Stock"], "/changes") == 501


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_service_that_serves_http_says_over_http_that_it_is_well(project: Path, path: str) -> None:
    with started(project, "stock", 3) as stock:
        assert get(stock.addresses["Stock"], path) == 200


def test_a_document_of_webhooks_only_makes_the_service_their_receiver(project: Path) -> None:
    with started(project, "hooks", 1) as hooks:
        address = hooks.addresses["Payment provider: webhooks"]
        answer = httpx.post(f"http://{address}/note_payment", json={}, timeout=10)
        assert answer.status_code == 501


def test_a_request_under_way_is_answered_before_the_process_ends(project: Path) -> None:
    handlers = project / "services/stock/handlers.py"
    text = handlers.read_text()
    slow = re.sub(
        r"raise HttpProblem\(501, .readStock [^)]*\)",
        "import asyncio; await asyncio.sleep(1); from parts.stock.v1.http.models import Stock; return Stock(count=3)",
        text,
    )
    assert slow != text
    handlers.write_text(slow)
    statuses: list[int] = []
    try:
        with started(project, "stock", 3) as stock:
            address = stock.addresses["Stock"]
            asking = threading.Thread(target=lambda: statuses.append(get(address, "/stock/tea")))
            asking.start()
            time.sleep(0.4)
            stock.tell_to_stop()
            assert "stopping" in stock.logged()
            time.sleep(0.2)
            with pytest.raises(httpx.ConnectError):
                get(address, "/livez")
            asking.join()
            assert stock.process.wait(timeout=15) == 0
    finally:
        handlers.write_text(text)
    assert statuses == [200]


def test_a_process_whose_port_is_taken_ends_and_says_so(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with started(project, "gateway", 0, HTTP_ADDRESS=address) as gateway:
            _, said = gateway.process.communicate(timeout=15)
            assert gateway.process.returncode == 1
            assert "Address already in use" in said


@pytest.mark.slow
def test_services_that_serve_http_pass_the_strict_type_check(project: Path) -> None:
    assert type_check(project).startswith("Success")


def test_what_serves_http_is_written_once(project: Path) -> None:
    mine = project / "services/gateway/adapters/authentication.py"
    before = mine.read_text()
    again = run(project, "-m", "codegen", "service", "gateway")
    assert again.returncode == 2
    assert mine.read_text() == before


def test_only_the_schemes_that_are_asked_for_have_a_place_for_their_check(project: Path) -> None:
    adapters = "services/{}/adapters/authentication.py"
    assert '"bearerAuth": refuse' in (project / adapters.format("gateway")).read_text()
    assert "unused" not in (project / adapters.format("gateway")).read_text()
    assert not (project / adapters.format("order")).exists()


def test_starting_a_service_needs_nothing_but_the_generated_package_and_its_requirements(project: Path) -> None:
    sources = "".join(path.read_text() for path in (project / "services").rglob("*.py"))
    imported = set(re.findall(r"^(?:from|import) ([a-z_]+)", sources, re.MULTILINE))
    assert imported <= {*sys.stdlib_module_names, "fastapi", "parts", "services"}
