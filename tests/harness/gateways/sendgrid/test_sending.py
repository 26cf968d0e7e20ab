"""Mail send through the official SDK, and what SendGrid says of bad mails."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from python_http_client.exceptions import (
    BadRequestsError,
    ForbiddenError,
    PayloadTooLargeError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Attachment,
    Category,
    Disposition,
    FileContent,
    FileName,
    FileType,
    MailSettings,
    SandBoxMode,
    SendAt,
)

from harness.gateways.inprocess import RunningMock
from harness.gateways.sendgrid.gateway import API_KEY

Maker = Callable[..., Any]
HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#"
TO = {"email": "ada@example.com"}
GOOD: dict[str, Any] = {
    "personalizations": [{"to": [TO]}],
    "from": {"email": "shop@example.com"},
    "subject": "Hello",
    "content": [{"type": "text/plain", "value": "Hello"}],
}


def send(mock: RunningMock, body: Any, key: str | None = API_KEY, kind: str = "application/json") -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": kind} | ({"authorization": f"Bearer {key}"} if key else {})
    return httpx.post(f"{mock.url}/v3/mail/send", content=raw, headers=headers)


def test_a_mail_is_accepted_with_an_empty_body_an_id_and_the_rate_window(
    mock: RunningMock, client: Any, mail: Maker
) -> None:
    answer = client.send(mail())
    assert (answer.status_code, answer.body) == (202, b"")
    assert len(answer.headers["X-Message-Id"]) == 22
    assert answer.headers["X-RateLimit-Limit"] == "600"
    assert answer.headers["X-RateLimit-Remaining"] == "599"
    assert int(answer.headers["X-RateLimit-Reset"]) > time.time()


def test_every_recipient_is_one_mail_in_the_ledger_with_the_callers_reference(
    mock: RunningMock, client: Any, mail: Maker
) -> None:
    message_id = client.send(mail("ada@example.com", "bob@example.com", order_id="o1", step="7")).headers[
        "X-Message-Id"
    ]
    entries = mock.control.ledger("mail", reference="o1")
    assert [each["data"]["to"] for each in entries] == ["ada@example.com", "bob@example.com"]
    assert all(each["id"].startswith(f"{message_id}.") for each in entries)
    assert entries[0]["data"]["custom_args"] == {"order_id": "o1", "step": "7"}
    assert "Thank you" not in json.dumps(entries)


def test_everything_the_sdk_can_put_into_a_mail_is_accepted(mock: RunningMock, client: Any, mail: Maker) -> None:
    full = mail(order_id="o1")
    full.attachment = Attachment(
        FileContent(base64.b64encode(b"%PDF-").decode()),
        FileName("invoice.pdf"),
        FileType("application/pdf"),
        Disposition("attachment"),
    )
    full.category = Category("receipts")
    full.send_at = SendAt(int(time.time()) + 3600)
    assert client.send(full).status_code == 202


def test_sandbox_mode_answers_200_and_sends_nothing(mock: RunningMock, client: Any, mail: Maker) -> None:
    tried = mail()
    tried.mail_settings = MailSettings(sandbox_mode=SandBoxMode(True))
    answer = client.send(tried)
    assert (answer.status_code, answer.body) == (200, b"")
    assert mock.control.ledger() == []


@pytest.mark.parametrize("key", ["SG.invalid.x", "SG.expired.x", "sk_test_1", "SG."])
def test_a_wrong_key_answers_401(mock: RunningMock, mail: Maker, key: str) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        SendGridAPIClient(key, host=mock.url).send(mail())
    message = "The provided authorization grant is invalid, expired, or revoked"
    assert caught.value.to_dict == {"errors": [{"message": message, "field": None, "help": None}]}


def test_no_key_answers_401(mock: RunningMock) -> None:
    answer = send(mock, GOOD, key=None)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "Permission denied, wrong credentials"


def test_a_key_without_the_scope_may_read_and_not_send(mock: RunningMock, mail: Maker) -> None:
    restricted = SendGridAPIClient("SG.restricted.x", host=mock.url)
    with pytest.raises(ForbiddenError) as caught:
        restricted.send(mail())
    assert caught.value.to_dict["errors"][0]["message"] == "access forbidden"
    assert restricted.client.user.webhooks.event.settings.get().status_code == 200


def test_a_sender_that_is_not_verified_answers_403(mock: RunningMock, client: Any, mail: Maker) -> None:
    refused = mail()
    refused.from_email = "unverified@example.com"
    with pytest.raises(ForbiddenError) as caught:
        client.send(refused)
    assert caught.value.to_dict["errors"][0]["field"] == "from"


NINE_KB = {f"key{number}": "x" * 995 for number in range(10)}
CASES = [
    ({"personalizations": None}, "personalizations", "The personalizations field is required"),
    ({"personalizations": []}, "personalizations", "The personalizations field is required"),
    ({"personalizations": "x"}, "personalizations", "The personalizations field is required"),
    ({"personalizations": [{"to": [TO]}] * 1001}, "personalizations", "You have provided 1001 personalizations"),
    ({"personalizations": [{}]}, "personalizations.0.to", "The to array is required"),
    ({"personalizations": [{"to": []}]}, "personalizations.0.to", "The to array is required"),
    ({"personalizations": [{"to": [{"email": "ada@"}]}]}, "personalizations.0.to.0.email", "valid address"),
    ({"personalizations": [{"to": [{"email": "a b@example.com"}]}]}, "personalizations.0.to.0.email", "valid address"),
    ({"personalizations": [{"to": [{}]}]}, "personalizations.0.to.0.email", "valid address"),
    (
        {"personalizations": [{"to": [TO], "cc": [TO]}]},
        "personalizations.0",
        "should be unique between to, cc, and bcc",
    ),
    ({"personalizations": [{"to": [TO], "subject": ""}]}, "personalizations.0.subject", "at least one character"),
    (
        {"personalizations": [{"to": [{"email": f"a{n}@example.com"} for n in range(1001)]}]},
        "personalizations",
        "limit of 1000 total recipients",
    ),
    ({"from": None}, "from.email", "The from object must be provided for every email send"),
    ({"from": {"name": "Shop"}}, "from.email", "The from object must be provided for every email send"),
    ({"from": {"email": "shop"}}, "from.email", "The from email does not contain a valid address."),
    ({"subject": None}, "subject", "The subject is required"),
    ({"subject": ""}, "subject", "The subject is required"),
    ({"content": None}, "content", "Unless a valid template_id is provided"),
    ({"content": []}, "content", "Unless a valid template_id is provided"),
    ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value", "must be a string at least one character"),
    ({"content": [{"type": "", "value": "x"}]}, "content.0.type", "at least one character"),
    (
        {"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]},
        "content",
        "text/plain needs to be first",
    ),
    ({"template_id": "nonsense"}, "template_id", "must be a valid template id"),
    ({"reply_to": {"email": "no"}}, "reply_to.email", "valid address"),
    ({"send_at": int(time.time()) + 73 * 3600}, "send_at", "Scheduling more than 72 hours in advance is forbidden."),
    ({"send_at": "tomorrow"}, "send_at", "expecting a Unix timestamp as an integer"),
    ({"attachments": [{"content": "%%%", "filename": "a"}]}, "attachments.0.content", "must be base64 encoded"),
    ({"attachments": [{"content": "", "filename": "a"}]}, "attachments.0.content", "at least one character"),
    ({"attachments": [{"content": "YQ=="}]}, "attachments.0.filename", "filename is required."),
    (
        {"attachments": [{"content": "YQ==", "filename": "a", "disposition": "up"}]},
        "attachments.0.disposition",
        'can be either "inline" or "attachment"',
    ),
    ({"custom_args": {"order": 1}}, "custom_args", "must be strings"),
    ({"custom_args": {**NINE_KB, "k": "x" * 20}}, "personalizations.0.custom_args", "may not exceed 10,000 bytes"),
    ({"categories": ["a"] * 2}, "categories", "must be a unique list"),
    ({"categories": [str(n) for n in range(11)]}, "categories", "limit of 10 categories"),
    ({"categories": ["x" * 256]}, "categories.0", "must not be longer than 255 characters"),
    ({"headers": {"Subject": "x"}}, "headers.Subject", "reserved"),
    ({"mail_settings": {"sandbox_mode": {"enable": "yes"}}}, "mail_settings.sandbox_mode.enable", "boolean value"),
]


@pytest.mark.parametrize(("change", "field", "message"), CASES)
def test_a_bad_mail_answers_400_with_the_field_and_the_rule(
    mock: RunningMock, change: dict[str, Any], field: str, message: str
) -> None:
    body = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    answer = send(mock, body)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert message in error["message"]
    assert error["help"].startswith(HELP)
    assert mock.control.ledger() == []


def test_all_that_is_wrong_is_said_at_once(mock: RunningMock) -> None:
    errors = send(mock, {"personalizations": [{"to": [{"email": "x"}]}]}).json()["errors"]
    assert [each["field"] for each in errors] == ["personalizations.0.to.0.email", "from.email", "subject", "content"]


def test_custom_arguments_of_exactly_10_000_bytes_are_accepted(mock: RunningMock) -> None:
    sizes = sum(len(name) + len(value) for name, value in NINE_KB.items())
    assert send(mock, {**GOOD, "custom_args": {**NINE_KB, "k": "x" * (10_000 - sizes - 1)}}).status_code == 202


def test_a_template_needs_neither_subject_nor_content(mock: RunningMock) -> None:
    body = {"personalizations": [{"to": [TO]}], "from": GOOD["from"], "template_id": "d-" + "0" * 32}
    assert send(mock, body).status_code == 202


@pytest.mark.parametrize(
    ("raw", "kind", "status", "message"),
    [
        (b"{", "application/json", 400, "Bad Request"),
        (b"[]", "application/json", 400, "Bad Request"),
        (b"", "application/json", 400, ""),
        (b"[" * 100_000, "application/json", 400, "Bad Request"),
        (b'{"subject": "\xff"}', "application/json", 415, "Invalid UTF8 in request"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "Content-Type should be application/json."),
    ],
)
def test_what_is_no_json_is_refused_in_sendgrids_words(
    mock: RunningMock, raw: bytes, kind: str, status: int, message: str
) -> None:
    answer = send(mock, raw, kind=kind)
    assert answer.status_code == status
    assert message in answer.json()["errors"][0]["message"]


def test_more_than_30_mb_answer_413(mock: RunningMock, client: Any) -> None:
    large = {**GOOD, "attachments": [{"content": "A" * (30 * 1024 * 1024), "filename": "a"}]}
    with pytest.raises(PayloadTooLargeError) as caught:
        client.client.mail.send.post(request_body=large)
    assert caught.value.to_dict["errors"][0]["message"] == "Payload Too Large"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v3/mail/send", 405), ("POST", "/v3/mail/sent", 404), ("GET", "/v3/messages", 400)],
)
def test_unknown_paths_and_methods_are_refused_in_sendgrids_words(
    mock: RunningMock, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, f"{mock.url}{path}", headers={"authorization": f"Bearer {API_KEY}"})
    assert answer.status_code == status
    assert set(answer.json()["errors"][0]) == {"message", "field", "help"}


def test_a_scripted_429_says_when_the_window_ends(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.script({"status": 429}, {"status": 503}, operation="sendMail")
    with pytest.raises(TooManyRequestsError) as caught:
        client.send(mail())
    assert caught.value.to_dict["errors"][0]["message"] == "too many requests"
    assert caught.value.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < int(caught.value.headers["X-RateLimit-Reset"]) - time.time() <= 60
    with pytest.raises(ServiceUnavailableError):
        client.send(mail())
    assert mock.control.ledger() == []
    assert client.send(mail()).status_code == 202


def test_a_scripted_refusal_sends_nothing(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.script({"decline": "credits_exceeded"}, {"decline": "no mails on Sundays"})
    with pytest.raises(UnauthorizedError):
        client.send(mail())
    with pytest.raises(BadRequestsError):
        client.send(mail())
    assert mock.control.ledger() == []
