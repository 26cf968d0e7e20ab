"""The mock of SendGrid.

Keys: any `SG.` key is taken, except those that contain `invalid`, `expired` or `revoked` (401); one that contains
`restricted` may read and not send (403). A sender whose local part is `unverified` is refused (403). `delivery` says
which addresses bounce.

In the ledger: one entry `mail` for each recipient, its id the `sg_message_id`, its status processing, delivered,
deferred, bounced or dropped, its reference the custom argument `reference` or `order_id`, else the first one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shop.external.sendgrid.http import operations, server

from harness.gateways.gateway import Action, Gateway
from harness.gateways.outcomes import ControlError
from harness.gateways.sendgrid.api import SendGridApi
from harness.gateways.sendgrid.delivery import Delivery
from harness.gateways.sendgrid.errors import Mistake, SendGridProblem, common_message
from harness.gateways.sendgrid.rules import check_mail
from harness.gateways.sendgrid.state import KINDS, MailState

if TYPE_CHECKING:
    from shop.runtime.http_operation import Operation, Scheme
    from shop.runtime.http_requests import RequestContext
    from shop.runtime.http_security import Authenticator, Credentials
    from shop.runtime.http_server import Route
    from shop.runtime.problem import HttpProblem

    from harness.gateways.gateway import World

API_KEY = "SG.treaty-mock.0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
_KEY = re.compile(r"SG\.[\w.-]+", re.ASCII)
_REFUSED = ("invalid", "expired", "revoked")
_CHOICE = ("event", "email", "msg_id", "custom_args")
_TEXTS = ("attempt", "reason", "response", "status", "type", "url")
_DECLINES = {
    "unverified_sender": (
        403,
        Mistake(
            "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
            "resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the "
            "Sender Identity requirements",
            "from",
        ),
    ),
    "credits_exceeded": (401, Mistake("Maximum credits exceeded")),
}


class SendgridGateway(Gateway):
    """Mail send, email activity, event webhook."""

    name = "sendgrid"
    title = "SendGrid"
    hosts = ("api.sendgrid.com", "api.eu.sendgrid.com")
    max_body_bytes = 30 * 1024 * 1024
    state: MailState

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.delivery = Delivery(self)
        self.api = SendGridApi(self)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Of the contract."""
        return operations.SCHEMES

    def routes(self) -> Sequence[Route]:
        """Of the contract."""
        return server.routes(self.api)

    def authenticators(self) -> Mapping[str, Authenticator]:
        """API keys."""
        return {"apiKey": self._authenticate}

    def reset(self) -> None:
        """No messages, no webhook."""
        self.state = MailState()

    def declined(self, code: str) -> SendGridProblem:
        """`unverified_sender`, `credits_exceeded`; anything else is a 400 with that message."""
        status, mistake = _DECLINES.get(code, (400, Mistake(code)))
        return SendGridProblem(status, mistake)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """`code` becomes the field. 429 says when the window ends."""
        headers = {name: str(value) for name, value in self.api.rate_headers().items()} if status == 429 else {}
        if headers:
            headers["X-RateLimit-Remaining"] = "0"
        return SendGridProblem(status, Mistake(message or common_message(status), code or None), headers=headers)

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """Faults of a mail are said by the rules of mail, those of other requests one by one."""
        headers = problem.headers
        if problem.status == 401:
            return SendGridProblem(401, Mistake("Permission denied, wrong credentials"), headers=headers)
        if request is not None and problem.status == 400:
            return self._bad_request(problem, request)
        return SendGridProblem(problem.status, headers=headers)

    def actions(self) -> Mapping[str, Action]:
        """`mail_event` lets something happen to mails, `deliver` says whether they are delivered by themselves."""
        return {"mail_event": self._mail_event, "deliver": self._deliver}

    def instructions(self, url: str) -> str:
        """For the Python SDK."""
        return f'from sendgrid import SendGridAPIClient\n\nclient = SendGridAPIClient("{API_KEY}", host="{url}")\n'

    async def _authenticate(self, credentials: Credentials, request: RequestContext) -> str:
        key = credentials.value
        if not _KEY.fullmatch(key) or any(word in key.lower() for word in _REFUSED):
            raise SendGridProblem(401)
        if "restricted" in key.lower() and request.method not in ("GET", "HEAD"):
            raise SendGridProblem(403)
        return key.split(".")[1]

    def _bad_request(self, problem: HttpProblem, request: RequestContext) -> HttpProblem:
        found: list[Mistake] = []
        if request.body:
            try:
                document = json.loads(request.body)
            except UnicodeDecodeError:
                return SendGridProblem(415, Mistake("Invalid UTF8 in request"))
            except (ValueError, RecursionError):
                return SendGridProblem(400)
            if request.operation.name == operations.SEND_MAIL.name:
                found = list(check_mail(document, self.world.clock.now()))
        if not found:
            found = [Mistake(each.detail, _field(each.parameter, each.pointer)) for each in problem.faults]
        return SendGridProblem(400, *found)

    def _mail_event(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{"event": "bounce", "email": ...}`, or `msg_id`, or `custom_args`; other members go into the event."""
        kind, address, msg_id = call.get("event"), call.get("email"), call.get("msg_id")
        arguments = call.get("custom_args", {})
        if kind not in (*KINDS, "block"):
            raise ControlError(400, f"`event` must be one of {', '.join(KINDS)}, block")
        if not isinstance(arguments, dict) or not (address or msg_id or arguments):
            raise ControlError(400, "say which mails: `email`, `msg_id` or `custom_args`")
        facts = {name: value for name, value in call.items() if name not in _CHOICE}
        if (
            not all(isinstance(facts.get(name, ""), str) for name in _TEXTS)
            or not facts.get("attempt", "1").isdecimal()
        ):
            raise ControlError(400, f"{', '.join(_TEXTS)} must be texts, `attempt` one of digits")
        ids = [
            each.msg_id
            for each in self.state.messages.values()
            if address in (None, each.to_email)
            and (msg_id is None or each.msg_id.startswith(str(msg_id)))
            and arguments.items() <= each.arguments.items()
        ]
        if not ids:
            raise ControlError(404, "there is no such mail")
        return {"events": self.delivery.happen(ids, str(kind), facts)}

    def _deliver(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{"automatic": false}`: mails stay processed until `mail_event` says more."""
        if not isinstance(call.get("automatic"), bool):
            raise ControlError(400, "`automatic` must be true or false")
        self.state.automatic = call["automatic"]
        return {"automatic": self.state.automatic}


def _field(parameter: str | None, pointer: str | None) -> str | None:
    return parameter or (pointer or "").lstrip("/").replace("/", ".") or None
