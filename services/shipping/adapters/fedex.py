"""FedEx: the REST APIs through the client that is generated from contracts/external/fedex.

FedEx has no idempotency keys. Every parcel of a shipment has the reference of the key (`references.reference_of`), and
so has the customer's transaction id. A shipment whose outcome is ambiguous is looked up by it, and booked again only
when FedEx says that there is none; its labels are lost then, see `Shipment.labels_missing`. How long tracking follows
a booking is not documented: `search.settle` says after how many seconds a search is believed.

Rates, tracking and addresses are repeated as they are, and so is a cancellation: the second one is told that it was
done. 429 is waited out.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from shop.external.fedex.http.client import SERVERS, Client
from shop.external.fedex.http.models import TokenRequest, TokenRequestGrantType
from shop.runtime.auth import Token
from shop.runtime.errors import HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.platform.gateways.calling import Caller, Policy
from services.platform.gateways.discreet import DiscreetClient
from services.platform.gateways.errors import OutcomeUnknown, Rejected, UnknownReference
from services.platform.gateways.once import Once, Search
from services.platform.gateways.tokens import NoToken, SharedToken
from services.shipping.adapters import fedex_requests
from services.shipping.adapters.fedex_answers import check_of, rates_of, recovered_of, shipment_of, tracking_of
from services.shipping.adapters.fedex_errors import CANCELLED_BEFORE, GATEWAY, NOT_OFFERED, judge
from services.shipping.adapters.references import check_age, days_of, reference_of
from services.shipping.domain import (
    Address,
    AddressCheck,
    Carrier,
    Earlier,
    Pickup,
    PickupRequest,
    Rate,
    RateRequest,
    Shipment,
    ShipmentRequest,
    Tracking,
)

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")
HISTORY = timedelta(days=30)
"""How far back a search by reference is relied on; tracking itself keeps 90 days."""
SEARCH = Search(settle=60.0, every=5.0)
"""Longer than the usual policy's deadline: what is not found by then is decided by the next call, with `earlier`."""
_NUMBER = re.compile(r"[A-Za-z0-9]{8,40}")
_LOCALE = "en_US"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """For mutual TLS, as PEM files. `authority`: whom to trust instead of the system's authorities."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Checks the server's name as usual, and shows the certificate. OSError for files that cannot be used."""
        context = ssl.create_default_context(cafile=None if self.authority is None else str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        return context


class FedexCarrier:
    """A `ShippingCarrier`. Use it as an asynchronous context manager, or close it with `aclose`.

    `account` pays for shipments. `clock` is that by which access tokens end, in seconds from any start.
    """

    carrier = Carrier.FEDEX

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        *,
        account: str,
        certificate: ClientCertificate | None = None,
        base_url: str = SERVERS[0],
        policy: Policy | None = None,
        search: Search = SEARCH,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        token = SharedToken(lambda: self._fetch_token(api_key, secret_key), clock=clock)
        self._http = DiscreetClient(verify=True if certificate is None else certificate.context())
        self._client = Client(base_url, bearer_auth=token, http=self._http)
        self._account = account
        self._caller = Caller(judge=judge, policy=policy or Policy(), token=token, sleep=sleep)
        self._once = Once(gateway=GATEWAY, caller=self._caller, search=search)
        self._options = CallOptions(timeout=self._caller.policy.timeout, retry=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def rates(self, request: RateRequest) -> tuple[Rate, ...]:
        """Offers, the cheapest first."""
        body = fedex_requests.rate_request(self._account, request)
        try:
            answer = await self._repeated(
                "rates", lambda: self._client.quote_rates(body, x_locale=_LOCALE, options=self._options)
            )
        except Rejected as problem:
            if problem.code in NOT_OFFERED:
                return ()
            raise
        return rates_of(answer, request.currency)

    async def ship(self, request: ShipmentRequest, *, earlier: Earlier | None = None) -> Shipment:
        """Book a shipment once."""
        body = fedex_requests.ship_request(self._account, request)
        days = days_of(earlier)

        async def send() -> Shipment:
            answer = await self._client.create_shipment(
                body, x_customer_transaction_id=reference_of(request.key), x_locale=_LOCALE, options=self._options
            )
            return shipment_of(answer, request.label_format)

        async def find() -> Shipment | None:
            sought = fedex_requests.reference_request(self._account, request.key, days)
            answer = await self._repeated(
                "find", lambda: self._client.track_by_reference(sought, x_locale=_LOCALE, options=self._options)
            )
            found = recovered_of(answer, request)
            if found is None:
                check_age(GATEWAY, earlier, HISTORY)
            return found

        return await self._once.send("ship", send, find, sent_until=earlier.last if earlier else None)

    async def track(self, tracking_number: str) -> Tracking:
        """Where a parcel is."""
        _check_number("track", tracking_number)
        body = fedex_requests.track_request(tracking_number)
        answer = await self._repeated(
            "track", lambda: self._client.track_by_number(body, x_locale=_LOCALE, options=self._options)
        )
        return tracking_of(tracking_number, answer)

    async def cancel(self, shipment_id: str, *, key: str) -> None:
        """Void a shipment."""
        _check_number("cancel", shipment_id)
        body = fedex_requests.cancel_request(self._account, shipment_id)
        try:
            answer = await self._repeated(
                "cancel",
                lambda: self._client.cancel_shipment(
                    body, x_customer_transaction_id=reference_of(key), x_locale=_LOCALE, options=self._options
                ),
            )
        except Rejected as problem:
            if problem.code not in CANCELLED_BEFORE:
                raise
            return
        if not answer.output.cancelled_shipment:
            raise Rejected(GATEWAY, "cancel", "FedEx did not cancel the shipment")

    async def validate_address(self, address: Address) -> AddressCheck:
        """Whether FedEx can deliver there."""
        body = fedex_requests.resolve_request(address)
        answer = await self._repeated(
            "validate_address", lambda: self._client.resolve_addresses(body, x_locale=_LOCALE, options=self._options)
        )
        if not answer.output.resolved_addresses:
            raise OutcomeUnknown(GATEWAY, "validate_address", "the answer shows no address")
        return check_of(answer.output.resolved_addresses[0], address)

    async def schedule_pickup(self, request: PickupRequest, *, earlier: Earlier | None = None) -> Pickup:
        """Ask for a courier, if nobody may have asked before."""
        if earlier is not None:
            raise OutcomeUnknown(GATEWAY, "schedule_pickup", "FedEx cannot be asked whether there is a pickup already")
        body = fedex_requests.pickup_request(self._account, request)
        answer = await self._caller.call(
            "schedule_pickup",
            lambda: self._client.create_pickup(
                body, x_customer_transaction_id=reference_of(request.key), x_locale=_LOCALE, options=self._options
            ),
            repeatable=False,
        )
        return Pickup(
            carrier=Carrier.FEDEX,
            id=answer.output.pickup_confirmation_code,
            day=request.day,
            level=request.level,
            location=answer.output.location,
        )

    async def cancel_pickup(self, pickup: Pickup, *, key: str) -> None:
        """Send the courier away."""
        body = fedex_requests.cancel_pickup_request(self._account, pickup)
        try:
            await self._repeated(
                "cancel_pickup",
                lambda: self._client.cancel_pickup(
                    body, x_customer_transaction_id=reference_of(key), x_locale=_LOCALE, options=self._options
                ),
            )
        except Rejected as problem:
            if problem.code not in CANCELLED_BEFORE:
                raise

    async def _repeated(self, operation: str, send: Callable[[], Awaitable[T]]) -> T:
        """Harmless to repeat: it reads, or is told that it was done before."""
        return await self._caller.call(operation, send, repeatable=True)

    async def _fetch_token(self, api_key: str, secret_key: str) -> Token:
        grant = TokenRequestGrantType.CLIENT_CREDENTIALS
        asked = TokenRequest(grant_type=grant, client_id=api_key, client_secret=secret_key)
        try:
            answer = await self._client.create_token(asked, options=self._options)
        except HttpError as problem:
            if problem.status >= 500:
                raise NoToken("no access token") from problem
            raise
        except TreatyError:
            # Its causes may show the answer, and so the token.
            raise NoToken("no access token") from None
        return Token(answer.access_token, answer.expires_in)


def _check_number(operation: str, number: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise UnknownReference(GATEWAY, operation, "this is no number of a parcel")
