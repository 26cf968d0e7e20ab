"""UPS: the REST APIs through the client that is generated from contracts/external/ups.

UPS has no idempotency keys. A shipment has the reference of the key (`references.reference_of`) as its reference
number, and the key as its customer context. A shipment whose outcome is ambiguous is looked up by the reference, and
booked again only when UPS says that there is none; its labels are recovered. How long tracking follows a booking is
not documented: `search.settle` says after how many seconds a search is believed.

Rates, tracking and addresses are repeated as they are, and so is a void: the second one is told that it was done. 429
is waited out.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self, TypeVar

from shop.external.ups.http.client import SERVERS, Client
from shop.external.ups.http.models import (
    CancelPickupCancelBy,
    RateRequestoption,
    TokenRequest,
    ValidateAddressRequestoption,
)
from shop.runtime.auth import Basic, Token
from shop.runtime.errors import HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.platform.gateways.calling import Caller, Policy
from services.platform.gateways.discreet import DiscreetClient
from services.platform.gateways.errors import OutcomeUnknown, Rejected, UnknownReference
from services.platform.gateways.once import Once, Search
from services.platform.gateways.tokens import NoToken, SharedToken
from services.shipping.adapters import ups_requests
from services.shipping.adapters.references import reference_of
from services.shipping.adapters.ups_answers import check_of, rates_of, shipment_of, tracking_of
from services.shipping.adapters.ups_errors import (
    CANCELLED_BEFORE,
    GATEWAY,
    NO_SUCH_COUNTRY,
    NOT_OFFERED,
    judge,
)
from services.shipping.adapters.ups_search import SOURCE, UpsSearch
from services.shipping.domain import (
    Address,
    AddressCheck,
    AddressVerdict,
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
SEARCH = Search(settle=60.0, every=5.0)
"""Longer than the usual policy's deadline: what is not found by then is decided by the next call, with `earlier`."""
VERSION, ADDRESS_VERSION = "v2409", "v2"
_NUMBER = re.compile(r"[A-Za-z0-9]{7,40}")


class UpsCarrier:
    """A `ShippingCarrier`. Use it as an asynchronous context manager, or close it with `aclose`.

    `account` is the shipper number, which pays. `clock` is that by which access tokens end, in seconds from any start.
    """

    carrier = Carrier.UPS

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        account: str,
        base_url: str = SERVERS[0],
        policy: Policy | None = None,
        search: Search = SEARCH,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        token = SharedToken(self._fetch_token, clock=clock)
        self._http = DiscreetClient()
        self._client = Client(
            base_url, bearer_auth=token, client_credentials=Basic(client_id, client_secret), http=self._http
        )
        self._account = account
        self._caller = Caller(judge=judge, policy=policy or Policy(), token=token, sleep=sleep)
        self._once = Once(gateway=GATEWAY, caller=self._caller, search=search)
        self._options = CallOptions(timeout=self._caller.policy.timeout, retry=False)
        self._search = UpsSearch(self._client, self._caller, self._options)

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
        body = ups_requests.rate_request(self._account, request)
        try:
            answer = await self._repeated(
                "rates",
                lambda: self._client.rate(
                    VERSION,
                    RateRequestoption.SHOP,
                    body,
                    additionalinfo="timeintransit",
                    transaction_src=SOURCE,
                    options=self._options,
                ),
            )
        except Rejected as problem:
            if problem.code in NOT_OFFERED:
                return ()
            raise
        return rates_of(answer)

    async def ship(self, request: ShipmentRequest, *, earlier: Earlier | None = None) -> Shipment:
        """Book a shipment once."""
        body = ups_requests.ship_request(self._account, request)

        async def send() -> Shipment:
            answer = await self._client.ship(
                VERSION,
                body,
                trans_id=reference_of(request.key),
                transaction_src=SOURCE,
                options=self._options,
            )
            return shipment_of(answer, request)

        async def find() -> Shipment | None:
            return await self._search.find(request, earlier)

        return await self._once.send("ship", send, find, sent_until=earlier.last if earlier else None)

    async def track(self, tracking_number: str) -> Tracking:
        """Where a parcel is."""
        _check_number("track", tracking_number)
        answer = await self._repeated(
            "track",
            lambda: self._client.track(
                tracking_number,
                locale="en_US",
                trans_id=uuid.uuid4().hex,
                transaction_src=SOURCE,
                options=self._options,
            ),
        )
        return tracking_of(tracking_number, answer)

    async def cancel(self, shipment_id: str, *, key: str) -> None:
        """Void a shipment with all its parcels."""
        _check_number("cancel", shipment_id)
        try:
            answer = await self._repeated(
                "cancel",
                lambda: self._client.void_shipment(
                    VERSION,
                    shipment_id,
                    trans_id=reference_of(key),
                    transaction_src=SOURCE,
                    options=self._options,
                ),
            )
        except Rejected as problem:
            if problem.code not in CANCELLED_BEFORE:
                raise
            return
        if answer.void_shipment_response.summary_result.status.code != "1":
            raise Rejected(GATEWAY, "cancel", "UPS did not void the whole shipment")

    async def validate_address(self, address: Address) -> AddressCheck:
        """Whether UPS can deliver there."""
        body = ups_requests.address_request(address)
        try:
            answer = await self._repeated(
                "validate_address",
                lambda: self._client.validate_address(
                    ADDRESS_VERSION,
                    ValidateAddressRequestoption("3"),
                    body,
                    transaction_src=SOURCE,
                    options=self._options,
                ),
            )
        except Rejected as problem:
            if problem.code == NO_SUCH_COUNTRY:
                return AddressCheck(verdict=AddressVerdict.UNCHECKED)
            raise
        return check_of(answer.xav_response, address)

    async def schedule_pickup(self, request: PickupRequest, *, earlier: Earlier | None = None) -> Pickup:
        """Ask for a driver, if nobody may have asked before."""
        if earlier is not None:
            raise OutcomeUnknown(GATEWAY, "schedule_pickup", "it cannot be told whether there is a pickup already")
        body = ups_requests.pickup_request(self._account, request)
        answer = await self._caller.call(
            "schedule_pickup",
            lambda: self._client.create_pickup(
                VERSION,
                body,
                trans_id=reference_of(request.key),
                transaction_src=SOURCE,
                options=self._options,
            ),
            repeatable=False,
        )
        number = answer.pickup_creation_response.prn
        return Pickup(carrier=Carrier.UPS, id=number, day=request.day, level=request.level)

    async def cancel_pickup(self, pickup: Pickup, *, key: str) -> None:
        """Send the driver away."""
        try:
            await self._repeated(
                "cancel_pickup",
                lambda: self._client.cancel_pickup(
                    VERSION,
                    CancelPickupCancelBy("02"),
                    prn=pickup.id,
                    trans_id=reference_of(key),
                    transaction_src=SOURCE,
                    options=self._options,
                ),
            )
        except Rejected as problem:
            if problem.code not in CANCELLED_BEFORE:
                raise

    async def _repeated(self, operation: str, send: Callable[[], Awaitable[T]]) -> T:
        """Harmless to repeat: it reads, or is told that it was done before."""
        return await self._caller.call(operation, send, repeatable=True)

    async def _fetch_token(self) -> Token:
        try:
            answer = await self._client.create_token(
                TokenRequest(grant_type="client_credentials"), options=self._options
            )
            return Token(answer.access_token, float(answer.expires_in))
        except HttpError as problem:
            if problem.status >= 500:
                raise NoToken("no access token") from problem
            raise
        except (TreatyError, ValueError):
            # Their causes may show the answer, and so the token.
            raise NoToken("no access token") from None


def _check_number(operation: str, number: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise UnknownReference(GATEWAY, operation, "this is no number of a parcel")
