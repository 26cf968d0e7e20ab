"""The rules of `POST /v3/mail/send` beyond types, with the messages of SendGrid's page of mail errors.

They look at the JSON as it came, so that a request which breaks the contract, too, hears everything at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.gateways.sendgrid.content_rules import (
    check_attachments,
    check_categories,
    check_content,
    check_headers,
    check_send_at,
    check_subject,
    check_switches,
    check_template,
    check_texts,
    list_in,
)
from harness.gateways.sendgrid.errors import Mistake

MAX_PERSONALIZATIONS = 1000
MAX_RECIPIENTS = 1000
MAX_CUSTOM_ARGS = 10_000
MAX_ADDRESS = 320
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?!\.)(?!.*\.\.){_LOCAL}(?<!\.)@{_LABEL}(?:\.{_LABEL})+")
_EXAMPLE = 'e.g. {"email" : "example@example.com"}  or {"email" : "example@example.com", "name" : "Example Recipient"}.'


def check_mail(mail: Any, now: float) -> Iterator[Mistake]:
    """Everything that is wrong with the body of a request; `now` in Unix seconds."""
    if not isinstance(mail, dict):
        yield Mistake("Bad Request")
        return
    yield from _personalizations(mail, now)
    yield from _sender(mail.get("from"))
    yield from _reply_to(mail)
    yield from check_subject(mail)
    yield from check_template(mail)
    yield from check_content(mail)
    yield from check_attachments(mail.get("attachments"))
    yield from check_categories(mail.get("categories"))
    yield from check_headers(mail.get("headers"), "headers", "message.headers")
    yield from check_send_at(mail.get("send_at"), "send_at", "message.send_at", now)
    yield from check_texts(mail.get("sections"), "sections", "message.sections", "The section values must be strings.")
    yield from check_switches(mail)


def is_address(value: Any) -> bool:
    """Whether it is an address (RFC 5321 section 4.1.2, without quoted local parts)."""
    return isinstance(value, str) and len(value) <= MAX_ADDRESS and _ADDRESS.fullmatch(value) is not None


def merged_arguments(mail: Mapping[str, Any], personalization: Mapping[str, Any]) -> dict[str, str]:
    """The custom arguments of one message: the common ones and its own, which win."""
    return {**(mail.get("custom_args") or {}), **(personalization.get("custom_args") or {})}


def _personalizations(mail: dict[str, Any], now: float) -> Iterator[Mistake]:
    found = mail.get("personalizations")
    anchor = "message.personalizations"
    if not isinstance(found, list) or not found:
        yield Mistake(
            "The personalizations field is required and must have at least one personalization.",
            "personalizations",
            "-Personalizations-Errors",
        )
        return
    if len(found) > MAX_PERSONALIZATIONS:
        yield Mistake(
            f"The personalization block is limited to 1000 personalizations per API request. You have provided "
            f"{len(found)} personalizations. Please consider splitting this into multiple requests and resending "
            f"your request.",
            "personalizations",
            anchor,
        )
        return
    if sum(len(list_in(each, kind)) for each in found for kind in ("to", "cc", "bcc")) > MAX_RECIPIENTS:
        yield Mistake(
            "There is a limit of 1000 total recipients (to + cc + bcc) per request.", "personalizations", anchor
        )
    for index, each in enumerate(found):
        if not isinstance(each, dict):
            yield Mistake("Bad Request", f"personalizations.{index}")
        else:
            yield from _personalization(mail, each, f"personalizations.{index}", now)


def _personalization(mail: dict[str, Any], own: dict[str, Any], path: str, now: float) -> Iterator[Mistake]:
    if not list_in(own, "to"):
        yield Mistake(
            "The to array is required for all personalization objects, and must have at least one email object with "
            "a valid email address.",
            f"{path}.to",
            "message.personalizations.to",
        )
    yield from _recipients(own, path)
    if "subject" in own and (not isinstance(own["subject"], str) or not own["subject"]):
        yield Mistake(
            "The subject of your email must be a string at least one character in length.",
            f"{path}.subject",
            "message.personalizations.subject",
        )
    if "from" in own:
        yield from _sender(own["from"], f"{path}.from")
    yield from _custom_arguments(mail, own, path)
    yield from check_headers(own.get("headers"), f"{path}.headers", "message.personalizations.headers")
    yield from check_send_at(own.get("send_at"), f"{path}.send_at", "message.personalizations.send_at", now)
    yield from check_texts(
        own.get("substitutions"),
        f"{path}.substitutions",
        "message.personalizations.substitutions",
        "The substitution values must be an object of key/value pairs, where the values are all strings.",
    )


def _recipients(own: dict[str, Any], path: str) -> Iterator[Mistake]:
    seen: set[str] = set()
    for kind in ("to", "cc", "bcc"):
        for index, recipient in enumerate(list_in(own, kind)):
            address = recipient.get("email") if isinstance(recipient, dict) else None
            if not is_address(address):
                yield Mistake(
                    "Does not contain a valid address.",
                    f"{path}.{kind}.{index}.email",
                    f"message.personalizations.{kind}",
                )
            elif str(address).lower() in seen:
                yield Mistake(
                    f"Each email address in the personalization block should be unique between to, cc, and bcc. We "
                    f"found the first duplicate instance of [{address}] in the {path}.{kind} field.",
                    path,
                    "message.personalizations",
                )
                return
            seen.add(str(address).lower())


def _custom_arguments(mail: dict[str, Any], own: dict[str, Any], path: str) -> Iterator[Mistake]:
    field, anchor = f"{path}.custom_args", "message.personalizations.custom_args"
    for value, place in ((own.get("custom_args"), field), (mail.get("custom_args"), "custom_args")):
        if value is None:
            continue
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            yield Mistake("All values of custom arguments object must be strings", place, anchor)
            return
    merged = merged_arguments(mail, own)
    size = sum(len(name.encode()) + len(text.encode()) for name, text in merged.items())
    if size > MAX_CUSTOM_ARGS:
        yield Mistake(
            "The combined size of both global and personalization custom arguments may not exceed 10,000 bytes per "
            "personalization.",
            field,
            anchor,
        )


def _sender(sender: Any, path: str = "from") -> Iterator[Mistake]:
    address = sender.get("email") if isinstance(sender, dict) else None
    if address is None:
        yield Mistake(
            "The from object must be provided for every email send. It is an object that requires the email "
            f"parameter, but may also contain a name parameter.  {_EXAMPLE}",
            f"{path}.email",
            "message.from",
        )
    elif not is_address(address):
        yield Mistake("The from email does not contain a valid address.", f"{path}.email", "message.from")


def _reply_to(mail: dict[str, Any]) -> Iterator[Mistake]:
    several = mail.get("reply_to_list")
    if several is not None and mail.get("reply_to") is not None:
        yield Mistake("reply_to and reply_to_list are mutually exclusive.", "reply_to", "message.reply_to")
    listed = [("reply_to", mail["reply_to"])] if "reply_to" in mail else []
    listed += [(f"reply_to_list.{index}", each) for index, each in enumerate(list_in(mail, "reply_to_list"))]
    for path, reply in listed:
        if not is_address(reply.get("email") if isinstance(reply, dict) else None):
            yield Mistake("The reply_to email does not contain a valid address.", f"{path}.email", "message.reply_to")
