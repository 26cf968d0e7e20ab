"""Twilio: text messages through the client that is generated from contracts/external/twilio.

Twilio has no idempotency keys for messages. The key travels in the query of the StatusCallback, which the list of
messages does not show: after an ambiguous outcome the messages to the number since the attempt are compared, see
`twilio_search`. 429 was not processed and is repeated (Twilio's error 20429).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from weakref import WeakValueDictionary

from shop.external.twilio.http.client import SERVERS, Client
from shop.external.twilio.http.models import CreateMessageRequest, Failure, Message
from shop.runtime.auth import Basic
from shop.runtime.errors import HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.notification.adapters.twilio_search import Sought, TwilioSearch, folded
from services.notification.domain import DeliveryStatus, Earlier, Receipt, Sms, SmsKeys
from services.platform.gateways.calling import Caller, Policy, Verdict
from services.platform.gateways.discreet import DiscreetClient
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    UnknownReference,
)
from services.platform.gateways.once import Once, Search
from services.platform.gateways.unanswered import unanswered

if TYPE_CHECKING:
    from types import TracebackType

GATEWAY = "twilio"
KEY_PARAMETER = "idempotency_key"
SEARCH = Search(settle=10.0)
_STATUS: Mapping[str, DeliveryStatus] = {
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}
_ERRORS: Mapping[int, tuple[type[GatewayError], str]] = {
    20003: (CredentialsRefused, "the credentials are not accepted"),
    20005: (CredentialsRefused, "the account is not active"),
    20008: (CredentialsRefused, "test credentials may not do this"),
    20403: (CredentialsRefused, "the credentials may not do this"),
    20404: (UnknownReference, "not found"),
    20429: (RateLimited, "too many requests"),
    21211: (Rejected, "the recipient is no valid number"),
    21212: (Rejected, "the sender is no valid number"),
    21408: (Rejected, "messages to the region of the recipient are not enabled"),
    21606: (Rejected, "the sender is no number of the account for this recipient"),
    21609: (Rejected, "the status callback is no valid URL"),
    21610: (Rejected, "the recipient has unsubscribed"),
    21611: (RateLimited, "the queue of the sender is full"),
    21612: (Rejected, "the sender cannot reach the recipient"),
    21614: (Rejected, "the recipient is no mobile number"),
    21617: (Rejected, "the text is too long"),
}
"""By Twilio's dictionary of errors and warnings. Its own messages quote numbers."""
_FIELDS = {21211: "To", 21212: "From", 21606: "From", 21609: "StatusCallback", 21610: "To", 21614: "To", 21617: "Body"}


class TwilioSms:
    """An `SmsSender`. Use it as an asynchronous context manager, or close it with `aclose`.

    `secret` is the auth token, or that of `api_key` (SK...). `sender` is a number, a short code, a name, or a messaging
    service (MG...). `callback_url` gets the status callbacks, the key in its query; what they told is asked of `keys`.
    """

    def __init__(
        self,
        account_sid: str,
        secret: str,
        *,
        sender: str,
        callback_url: str,
        api_key: str = "",
        keys: SmsKeys | None = None,
        base_url: str = SERVERS[0],
        policy: Policy | None = None,
        search: Search = SEARCH,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = DiscreetClient()
        self._client = Client(base_url, basic_auth=Basic(api_key or account_sid, secret), http=self._http)
        self._account, self._callback = account_sid, callback_url
        self._service = sender if sender.startswith("MG") else None
        self._sender = None if self._service else sender
        self._caller = Caller(judge=judge, policy=policy or Policy(), sleep=sleep)
        self._once = Once(gateway=GATEWAY, caller=self._caller, search=search)
        self._options = CallOptions(timeout=self._caller.policy.timeout, retry=False)
        self._search = TwilioSearch(self._client, self._caller, self._options, account_sid, keys)
        self._alike: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, sms: Sms, *, earlier: Earlier | None = None) -> Receipt:
        """Send a text message once. Equal texts to one number go one after the other: a search tells them apart."""
        body = CreateMessageRequest(
            to=sms.to,
            from_=self._sender,
            messaging_service_sid=self._service,
            body=sms.text,
            status_callback=self._callback_of(sms),
        )

        async def send() -> Receipt:
            message = await self._client.create_message(self._account, body, options=self._options)
            self._search.remember(message.sid, sms.key)
            return _receipt(message)

        async with self._alone(sms):
            sought = Sought(
                key=sms.key,
                to=sms.to,
                text=sms.text,
                since=earlier.first if earlier else datetime.now(UTC),
                sender=self._sender,
                service=self._service,
            )

            async def find() -> Receipt | None:
                found = await self._search.find(sought)
                return None if found is None else _receipt(found, recovered=True)

            return await self._once.send("send", send, find, sent_until=earlier.last if earlier else None)

    async def status(self, sms_id: str) -> Receipt:
        """What became of a text message."""
        found = await self._caller.call(
            "status",
            lambda: self._client.fetch_message(self._account, sms_id, options=self._options),
            repeatable=True,
        )
        return _receipt(found)

    def _callback_of(self, sms: Sms) -> str:
        own = {KEY_PARAMETER: sms.key, **({"order_id": sms.order_id} if sms.order_id else {})}
        parts = urlsplit(self._callback)
        return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *own.items()])))

    def _alone(self, sms: Sms) -> asyncio.Lock:
        name = hashlib.sha256(f"{sms.to} {folded(sms.text)}".encode()).digest()
        return self._alike.setdefault(name, asyncio.Lock())


def _receipt(message: Message, *, recovered: bool = False) -> Receipt:
    return Receipt(
        id=message.sid,
        status=_STATUS.get(message.status, DeliveryStatus.PENDING),
        failure="" if message.error_code is None else str(message.error_code),
        recovered=recovered,
    )


def judge(operation: str, problem: TreatyError) -> Verdict:
    """What an error of the client means at Twilio."""
    if not isinstance(problem, HttpError):
        return unanswered(GATEWAY, operation, problem)
    status = problem.status
    code = (problem.model.code if isinstance(problem.model, Failure) else None) or 0
    about: dict[str, Any] = {
        "code": str(code) if code else "",
        "request_id": problem.headers.get("twilio-request-id", ""),
        "status": status,
    }
    if status >= 500 or status == 408:
        return Verdict(OutcomeUnknown(GATEWAY, operation, f"HTTP {status}", **about), repeat=True)
    if status == 429 or code in (20429, 21611):
        limited = RateLimited(GATEWAY, operation, _ERRORS.get(code, _ERRORS[20429])[1], **about)
        limited.retry_after = problem.retry_after
        # A full queue empties in hours.
        return Verdict(limited, repeat=code != 21611, wait=problem.retry_after)
    by_status = {401: CredentialsRefused, 403: CredentialsRefused, 404: UnknownReference}.get(status, Rejected)
    kind, text = _ERRORS.get(code, (by_status, f"HTTP {status}"))
    error = kind(GATEWAY, operation, text, **about)
    if isinstance(error, Rejected):
        error.field = _FIELDS.get(code, "")
    return Verdict(error)
