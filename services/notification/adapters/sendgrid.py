"""SendGrid: mails through the client that is generated from contracts/external/sendgrid.

SendGrid has no idempotency keys. The key travels as a custom argument, by which the email activity finds the mail
again. 429 is repeated when `X-RateLimit-Reset` says so; everything ambiguous only after a search.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from shop.external.sendgrid.http.client import SERVERS, Client
from shop.external.sendgrid.http.models import Content, EmailAddress, Failure, MailSendRequest, Personalization
from shop.external.sendgrid.http.models import MessageSummary as Found
from shop.runtime.errors import HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.notification.domain import Address, DeliveryStatus, Earlier, Mail, Receipt
from services.platform.gateways.calling import Caller, Policy, Verdict
from services.platform.gateways.discreet import DiscreetClient
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    UnknownReference,
)
from services.platform.gateways.once import Once, Search
from services.platform.gateways.unanswered import unanswered

if TYPE_CHECKING:
    from types import TracebackType

GATEWAY = "sendgrid"
KEY_ARGUMENT = "idempotency_key"
HISTORY = timedelta(days=3)
"""How far back the email activity goes when nothing more is booked."""
SEARCH = Search(settle=20.0)
_STATUS: Mapping[str, DeliveryStatus] = {
    "delivered": DeliveryStatus.DELIVERED,
    "not_delivered": DeliveryStatus.FAILED,
}
_SERVER_PART = re.compile(r"\.(?:filter|recv).*")
_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
_MAIL_ID = re.compile(r"[A-Za-z0-9_.-]+")


class SendGridMail:
    """A `MailSender`. Use it as an asynchronous context manager, or close it with `aclose`.

    `sender` is a verified identity of the account; the key needs the rights to send and to read the email activity.
    """

    def __init__(
        self,
        api_key: str,
        *,
        sender: Address,
        base_url: str = SERVERS[0],
        policy: Policy | None = None,
        search: Search = SEARCH,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = DiscreetClient()
        self._client = Client(base_url, api_key=api_key, http=self._http)
        self._sender = EmailAddress(email=sender.email, name=sender.name or None)
        self._caller = Caller(judge=judge, policy=policy or Policy(), sleep=sleep)
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

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        """Send a mail once."""
        body = self._request(mail)

        async def send() -> Receipt:
            result = await self._client.raw.send_mail(body, options=self._options)
            return Receipt(id=result.headers.get("x-message-id", ""), status=DeliveryStatus.PENDING)

        async def find() -> Receipt | None:
            return await self._sent(mail, earlier)

        return await self._once.send("send", send, find, sent_until=earlier.last if earlier else None)

    async def status(self, mail_id: str) -> Receipt:
        """What became of a mail; some seconds late, as the email activity is."""
        if not _MAIL_ID.fullmatch(mail_id):
            raise UnknownReference(GATEWAY, "status", "this is no id of a mail")
        found = await self._search("status", f'msg_id LIKE "{mail_id}%"')
        if not found:
            raise UnknownReference(GATEWAY, "status", "there is no such mail")
        return _receipt(found[0])

    async def _sent(self, mail: Mail, earlier: Earlier | None) -> Receipt | None:
        """The mail of a key, if there is one."""
        found = await self._search("find", f"unique_args['{KEY_ARGUMENT}']=\"{mail.key}\"")
        if any(each.to_email.lower() != mail.to.email.lower() for each in found):
            raise KeyReused(GATEWAY, "find", "the key was used for a mail to somebody else")
        if found:
            return _receipt(found[0], recovered=True)
        if earlier is not None and datetime.now(UTC) - earlier.first > HISTORY:
            raise OutcomeUnknown(GATEWAY, "find", "the attempt is older than what the email activity keeps")
        return None

    async def _search(self, operation: str, query: str) -> list[Found]:
        found = await self._caller.call(
            operation, lambda: self._client.search_messages(query=query, options=self._options), repeatable=True
        )
        return found.messages

    def _request(self, mail: Mail) -> MailSendRequest:
        content = [Content(type="text/plain", value=mail.text)]
        if mail.html:
            content.append(Content(type="text/html", value=mail.html))
        arguments = {KEY_ARGUMENT: mail.key}
        if mail.order_id:
            arguments["order_id"] = mail.order_id
        to = EmailAddress(email=mail.to.email, name=mail.to.name or None)
        return MailSendRequest(
            personalizations=[Personalization(to=[to], custom_args=arguments)],
            from_=self._sender,
            subject=mail.subject,
            content=content,
        )


def _receipt(found: Found, *, recovered: bool = False) -> Receipt:
    status = _STATUS.get(found.status, DeliveryStatus.PENDING)
    return Receipt(id=_SERVER_PART.sub("", found.msg_id), status=status, recovered=recovered)


def judge(operation: str, problem: TreatyError) -> Verdict:
    """What an error of the client means at SendGrid. Its messages quote addresses, so that only fields are kept."""
    if not isinstance(problem, HttpError):
        return unanswered(GATEWAY, operation, problem)
    status = problem.status
    if status == 429:
        limited = RateLimited(GATEWAY, operation, "too many requests", status=status)
        limited.retry_after = _until_reset(problem)
        return Verdict(limited, repeat=True, wait=limited.retry_after)
    if status >= 500 or status == 408:
        return Verdict(OutcomeUnknown(GATEWAY, operation, f"HTTP {status}", status=status), repeat=True)
    return Verdict(_refusal(operation, problem))


def _refusal(operation: str, problem: HttpError) -> GatewayError:
    mistakes = problem.model.errors if isinstance(problem.model, Failure) else []
    field = next((each.field for each in mistakes if each.field and _FIELD.fullmatch(each.field)), "")
    about: dict[str, Any] = {"status": problem.status}
    if problem.status == 401 and any("credits" in each.message.lower() for each in mistakes):
        return Rejected(GATEWAY, operation, "the account has no credits left", code="credits_exceeded", **about)
    if problem.status in (401, 403):
        text = f"HTTP {problem.status} for `{field}`" if field else f"HTTP {problem.status}"
        return CredentialsRefused(GATEWAY, operation, text, **about)
    if problem.status == 404:
        return UnknownReference(GATEWAY, operation, "not found", **about)
    rejected = Rejected(GATEWAY, operation, f"`{field}` is wrong" if field else f"HTTP {problem.status}", **about)
    rejected.field = field
    return rejected


def _until_reset(problem: HttpError) -> float | None:
    """Seconds until the window ends, by SendGrid's page on rate limits; else those of `Retry-After`."""
    reset = problem.headers.get("x-ratelimit-reset", "")
    return max(0.0, int(reset) - time.time()) if re.fullmatch(r"[0-9]{1,12}", reset) else problem.retry_after
