"""Type checkers see the generated package as its users do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.behaviour.http.conftest import PACKAGE

USER = f"""
from collections.abc import AsyncIterator
from typing import assert_type

from {PACKAGE}.runtime.http_client import HttpResult
from {PACKAGE}.runtime.http_requests import RequestContext
from {PACKAGE}.shop.v1.http.client import Client
from {PACKAGE}.shop.v1.http.models import Filter, NewOrder, Order, OrderPage, Status
from {PACKAGE}.shop.v1.http.server import WebhookReceiver, create_webhook_app


async def use(client: Client, order: NewOrder) -> None:
    assert_type(await client.get_order("7"), Order)
    assert_type(await client.raw.list_orders(page_size=5), HttpResult[OrderPage])
    assert_type(await client.create_order(order), Order)
    assert_type(client.watch_order("7"), AsyncIterator[Order])
    assert_type(client.download_label("7"), AsyncIterator[bytes])
    assert_type(client.iter_list_orders(status=[Status.OPEN]), AsyncIterator[Order])
    assert_type(await client.list_linked(), list[int])


class Receiver:
    async def stock_low(self, context: RequestContext, *, body: Filter) -> None:
        print(body.customer)


receiver: WebhookReceiver = Receiver()
create_webhook_app(receiver)
"""

WRONG = f"""
from {PACKAGE}.shop.v1.http.client import Client


async def use(client: Client) -> None:
    await client.get_order(7)
    await client.create_order()
    await client.list_orders(page_sice=5)
"""


def _mypy(root: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(root / ".mypy_cache"), str(file)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_users_and_the_package_itself_pass_strict_checks(shop_root: Path, tmp_path: Path) -> None:
    user = tmp_path / "user.py"
    user.write_text(USER, encoding="utf-8")
    found = _mypy(shop_root, user)
    assert found.returncode == 0, found.stdout


def test_wrong_calls_are_found(shop_root: Path, tmp_path: Path) -> None:
    user = tmp_path / "wrong.py"
    user.write_text(WRONG, encoding="utf-8")
    found = _mypy(shop_root, user)
    assert [line.rpartition("[")[2] for line in found.stdout.splitlines() if ": error:" in line] == [
        "arg-type]",
        "call-arg]",
        "call-arg]",
    ], found.stdout


def test_the_client_module_is_imported_without_the_models(shop_root: Path) -> None:
    code = (
        f"import sys, {PACKAGE}.shop.v1.http.client\n"
        f"assert not [m for m in sys.modules if m.endswith(('.models', '.operations')) and '.shop.' in m]\n"
        "assert 'fastapi' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=shop_root, check=True, timeout=30)
