"""What an answer that did not come means, and what is left of it in tracebacks and logs."""

from __future__ import annotations

import traceback

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from shop.runtime.errors import CircuitOpen, DeadlineExceeded, ProtocolError, TransportError, TreatyError

from services.platform.gateways.discreet import DiscreetClient
from services.platform.gateways.errors import GatewayError, OutcomeUnknown, Unavailable
from services.platform.gateways.tokens import NoToken
from services.platform.gateways.unanswered import unanswered


def caused(problem: TreatyError, cause: Exception) -> TreatyError:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "error", "repeat"),
    [
        (CircuitOpen("x", 1.0), Unavailable, False),
        (NoToken("x"), Unavailable, True),
        (caused(TransportError("x"), httpx.ConnectError("refused")), Unavailable, True),
        (caused(DeadlineExceeded("x"), httpx.ConnectTimeout("late")), Unavailable, True),
        (caused(TransportError("x"), httpx.ReadError("reset")), OutcomeUnknown, True),
        (caused(DeadlineExceeded("x"), httpx.ReadTimeout("late")), OutcomeUnknown, True),
        (DeadlineExceeded("x"), OutcomeUnknown, True),
        (ProtocolError("x"), OutcomeUnknown, True),
    ],
)
def test_only_what_never_left_is_known_not_to_have_happened(
    problem: TreatyError, error: type[GatewayError], repeat: bool
) -> None:
    verdict = unanswered("vendor", "send", problem)
    assert (type(verdict.error), verdict.repeat) == (error, repeat)


def test_a_traceback_does_not_quote_an_answer_that_cannot_be_read() -> None:
    number = "+14155552671"
    with pytest.raises(ValidationError) as cause:
        TypeAdapter(int).validate_python(number + "x")
    problem = caused(ProtocolError("the response breaks the contract"), cause.value)
    assert number in "".join(traceback.format_exception(problem))
    error = unanswered("vendor", "send", problem).error
    error.__cause__ = problem
    assert number not in "".join(traceback.format_exception(error))


async def test_a_discreet_client_sends_the_query_and_shows_none() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(204)

    async with DiscreetClient(transport=httpx.MockTransport(answer)) as client:
        request = client.build_request("GET", "https://u:secret@vendor.example:8443/a?api_secret=s&To=%2B1#f")
        await client.send(request)
    assert seen == ["/a?api_secret=s&To=%2B1"]
    assert str(request.url) == "https://vendor.example:8443/a"
    assert repr(request.url) == "DiscreetURL('https://vendor.example:8443/a')"
    assert request.headers["authorization"].startswith("Basic ")
