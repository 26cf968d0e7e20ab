"""The mock of Twilio's messages.

Credentials: `ACCOUNT_SID` with `AUTH_TOKEN`, and any other well-formed account (AC and 32 letters or digits), whose
first token is taken as its own; any well-formed API key (SK...) with any account, which its first use binds to secret
and account. What contains `invalid`, `expired` or `revoked` is refused, and so is an account other than the path's.

In the ledger: one entry `message` for each message, its status that of the message, its reference out of the query of
the StatusCallback: `reference` or `order_id`, else the first value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shop.external.twilio.http import operations, server

from harness.gateways.gateway import Action, Gateway
from harness.gateways.outcomes import ControlError
from harness.gateways.twilio.api import TwilioApi
from harness.gateways.twilio.errors import DELIVERY_ERRORS, TwilioProblem, status_of
from harness.gateways.twilio.progress import Progress
from harness.gateways.twilio.state import SmsState

if TYPE_CHECKING:
    from shop.runtime.http_operation import Operation, Scheme
    from shop.runtime.http_requests import RequestContext
    from shop.runtime.http_security import Authenticator, Credentials
    from shop.runtime.http_server import Route
    from shop.runtime.problem import Fault, HttpProblem

    from harness.gateways.gateway import World

ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "fedcba9876543210fedcba9876543210"
_ACCOUNT = re.compile(r"AC[0-9a-zA-Z]{32}", re.ASCII)
_API_KEY = re.compile(r"SK[0-9a-zA-Z]{32}", re.ASCII)
_REFUSED = ("invalid", "expired", "revoked")
_SETTABLE = ("queued", "sending", "sent", "delivered", "undelivered", "failed", "read")


class TwilioGateway(Gateway):
    """Create, fetch, list, redact, cancel and delete messages; status callbacks."""

    name = "twilio"
    title = "Twilio"
    hosts = ("api.twilio.com",)
    state: SmsState

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.progress = Progress(self)
        self.api = TwilioApi(self)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Of the contract."""
        return operations.SCHEMES

    def routes(self) -> Sequence[Route]:
        """Of the contract."""
        return server.routes(self.api)

    def authenticators(self) -> Mapping[str, Authenticator]:
        """Both kinds of credentials."""
        return {"basicAuth": self._authenticate}

    def reset(self) -> None:
        """No messages; one account."""
        self.state = SmsState(tokens={ACCOUNT_SID: AUTH_TOKEN})

    def auth_token(self, account: str) -> str:
        """What callbacks of an account are signed with; `AUTH_TOKEN` for one that only API keys have used."""
        return self.state.tokens.get(account, AUTH_TOKEN)

    def declined(self, code: str) -> TwilioProblem:
        """A refusal by its code, such as `21610`; anything else is the message of a 400."""
        if code.isdigit() and code.isascii() and len(code) == 5:
            return TwilioProblem(status_of(int(code)), int(code))
        return TwilioProblem(400, 20001, code)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """Twilio's error document; a `code` that is no number is left out."""
        number = int(code) if code.isdigit() and code.isascii() and len(code) == 5 else 0
        return TwilioProblem(status, number, message)

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """A body that is no form has no `To`; other faults name the parameter."""
        creating = operation is not None and operation.name == operations.CREATE_MESSAGE.name
        if problem.status == 415:
            return TwilioProblem(400, 21604) if creating else TwilioProblem(400, 20001)
        if problem.status == 404:
            path = f"The requested resource {problem.problem.instance if problem.problem else ''} was not found"
            return TwilioProblem(404, 20404, path)
        if problem.status == 400 and problem.faults:
            return _bad_request(problem.faults[0], creating=creating)
        return TwilioProblem(problem.status, headers=problem.headers)

    def actions(self) -> Mapping[str, Action]:
        """`message_status` moves a message, `deliver` says whether messages are sent by themselves."""
        return {"message_status": self._message_status, "deliver": self._deliver}

    def instructions(self, url: str) -> str:
        """For the Python SDK."""
        return (
            f'from twilio.rest import Client\n\nclient = Client("{ACCOUNT_SID}", "{AUTH_TOKEN}")\n'
            f'client.api.base_url = "{url}"\n'
        )

    async def _authenticate(self, credentials: Credentials, request: RequestContext) -> str | None:
        user, secret = credentials.username, credentials.password
        account = request.path.split("/")[3]
        if not secret or any(word in f"{user} {secret}".lower() for word in _REFUSED):
            return None
        if not _ACCOUNT.fullmatch(account):
            return None
        if _ACCOUNT.fullmatch(user):
            known = self.state.tokens.setdefault(user, secret)
            return user if known == secret and user == account else None
        if _API_KEY.fullmatch(user):
            return user if self.state.keys.setdefault(user, (secret, account)) == (secret, account) else None
        return None

    def _message_status(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{"sid": ..., "status": "undelivered", "error_code": 30003}`; what was planned is off."""
        message = self.state.messages.get(str(call.get("sid")))
        status, error = call.get("status"), call.get("error_code", 0)
        if message is None:
            raise ControlError(404, "there is no such message")
        if status not in _SETTABLE:
            raise ControlError(400, f"`status` must be one of {', '.join(_SETTABLE)}")
        if type(error) is not int or (error and error not in DELIVERY_ERRORS):
            raise ControlError(400, f"`error_code` must be one of {', '.join(map(str, DELIVERY_ERRORS))}")
        message.generation += 1
        if not error and status in ("undelivered", "failed"):
            error = 30008
        self.progress.move(message, status, error)
        return message.as_dict()

    def _deliver(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{"automatic": false}`: new messages stay as they are until `message_status` moves them."""
        if not isinstance(call.get("automatic"), bool):
            raise ControlError(400, "`automatic` must be true or false")
        self.state.automatic = call["automatic"]
        return {"automatic": self.state.automatic}


def _bad_request(fault: Fault, *, creating: bool) -> TwilioProblem:
    field = fault.parameter or (fault.pointer or "").strip("/").partition("/")[0]
    if creating and field in ("", "To"):
        return TwilioProblem(400, 21604)
    return TwilioProblem(400, 20001, f"Invalid parameter: '{field}' {fault.detail}")
