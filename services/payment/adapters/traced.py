"""A gateway whose calls are spans and metrics of their own, of the type external_api_call."""

from __future__ import annotations

from datetime import datetime

from services.payment.domain import ChargeRequest, Money, Payment, PaymentGateway, Refund, Searching
from services.platform.telemetry import Telemetry


def traced(vendor: str, gateway: PaymentGateway, telemetry: Telemetry) -> PaymentGateway:
    """The same gateway, seen; it searches if the gateway does."""
    if isinstance(gateway, Searching):
        return _TracedSearching(vendor, gateway, gateway, telemetry)
    return _Traced(vendor, gateway, telemetry)


class _Traced:
    def __init__(self, vendor: str, gateway: PaymentGateway, telemetry: Telemetry) -> None:
        self._vendor = vendor
        self._gateway = gateway
        self._telemetry = telemetry

    async def charge(self, request: ChargeRequest) -> Payment:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "charge"):
            return await self._gateway.charge(request)

    async def capture(self, payment_id: str, *, key: str, amount: Money | None = None) -> Payment:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "capture"):
            return await self._gateway.capture(payment_id, key=key, amount=amount)

    async def cancel(self, payment_id: str, *, key: str) -> Payment:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "cancel"):
            return await self._gateway.cancel(payment_id, key=key)

    async def refund(self, payment_id: str, *, key: str, amount: Money | None = None, shop_id: str = "") -> Refund:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "refund"):
            return await self._gateway.refund(payment_id, key=key, amount=amount, shop_id=shop_id)

    async def payment(self, payment_id: str) -> Payment:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "payment"):
            return await self._gateway.payment(payment_id)

    async def refund_status(self, refund_id: str) -> Refund:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "refund_status"):
            return await self._gateway.refund_status(refund_id)


class _TracedSearching(_Traced):
    def __init__(self, vendor: str, gateway: PaymentGateway, searching: Searching, telemetry: Telemetry) -> None:
        super().__init__(vendor, gateway, telemetry)
        self._searching = searching

    async def find(self, shop_id: str, *, since: datetime) -> Payment | None:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "find"):
            return await self._searching.find(shop_id, since=since)

    async def find_refund(self, payment_id: str, shop_id: str) -> Refund | None:
        """As the gateway."""
        async with self._telemetry.external_call(self._vendor, "find_refund"):
            return await self._searching.find_refund(payment_id, shop_id)
