"""The rules of a mail about text, attachments, headers and settings; `rules` has those about people and the order."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from harness.gateways.sendgrid.errors import Mistake

MAX_AHEAD = 72 * 3600
RESERVED_HEADERS = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)
_TEMPLATE = re.compile(r"(?!.*(?:invalid|unknown))(?:d-[\w-]{1,64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")


def check_subject(mail: dict[str, Any]) -> Iterator[Mistake]:
    """A subject is needed unless the template or each personalization has one."""
    if mail.get("subject"):
        if not isinstance(mail["subject"], str):
            yield Mistake(
                "The subject of your email must be a string at least one character in length.",
                "subject",
                "message.subject",
            )
        return
    own = list_in(mail, "personalizations")
    if mail.get("template_id") or (own and all(isinstance(each, dict) and each.get("subject") for each in own)):
        return
    yield Mistake(
        "The subject is required. You can get around this requirement if you use a template with a subject defined "
        "or if every personalization has a subject defined.",
        "subject",
        "message.subject",
    )


def check_template(mail: dict[str, Any]) -> Iterator[Mistake]:
    """Any dynamic or legacy id will do, except those that contain `invalid` or `unknown`."""
    template = mail.get("template_id")
    if template is None or template == "":
        return
    if not isinstance(template, str) or not _TEMPLATE.fullmatch(template):
        yield Mistake(
            f"The Template ID must be a valid template id for your account. You provided {template}.",
            "template_id",
            "message.template_id",
        )


def check_content(mail: dict[str, Any]) -> Iterator[Mistake]:
    """Needed without a template; plain text first, then HTML."""
    found = mail.get("content")
    if not isinstance(found, list) or not found:
        if not mail.get("template_id") or found is not None:
            yield Mistake(
                "Unless a valid template_id is provided, the content parameter is required. There must be at least "
                "one defined content block. We typically suggest both text/plain and text/html blocks are included, "
                "but only one block is required.",
                "content",
                "message.content",
            )
        return
    kinds = []
    for index, each in enumerate(found):
        block = each if isinstance(each, dict) else {}
        kind, value = block.get("type"), block.get("value")
        kinds.append(str(kind).lower())
        if not isinstance(kind, str) or not kind:
            yield Mistake(
                "Your content type must be a string with length of at least one character.",
                f"content.{index}.type",
                "message.content.type",
            )
        elif re.search(r"[;,\r\n]", kind):
            yield Mistake("Cannot contain ';', or CRLF characters.", f"content.{index}.type", "message.content.type")
        if not isinstance(value, str) or not value:
            yield Mistake(
                "The content value must be a string at least one character in length.",
                f"content.{index}.value",
                "message.content.value",
            )
    ranks = [{"text/plain": 0, "text/html": 1}.get(kind, 2) for kind in kinds]
    if ranks != sorted(ranks):
        yield Mistake(
            "Following RFC 1341, section 7.2, if either text/html or text/plain are to be sent in your email: "
            "text/plain needs to be first, followed by text/html, followed by any other content.",
            "content",
            "message.content",
        )


def check_attachments(found: Any) -> Iterator[Mistake]:
    """Base64, with a file name."""
    for index, each in enumerate(found if isinstance(found, list) else ()):
        block = each if isinstance(each, dict) else {}
        path, anchor = f"attachments.{index}", "message.attachments"
        content, name = block.get("content"), block.get("filename")
        if not isinstance(content, str) or not content:
            yield Mistake(
                "The attachment content must be a string at least one character in length.",
                f"{path}.content",
                f"{anchor}.content",
            )
        elif not _is_base64(content):
            yield Mistake("The attachment content must be base64 encoded.", f"{path}.content", f"{anchor}.content")
        if not isinstance(name, str) or not name:
            yield Mistake("filename is required.", f"{path}.filename", f"{anchor}.filename")
        elif re.search(r"[\r\n]", name):
            yield Mistake(
                "The filename of your attachment cannot contain CRLF characters.",
                f"{path}.filename",
                f"{anchor}.filename",
            )
        disposition = block.get("disposition", "attachment")
        if disposition not in ("attachment", "inline"):
            yield Mistake(
                f'The disposition of your attachment can be either "inline" or "attachment". You provided '
                f"{disposition}.",
                f"{path}.disposition",
                f"{anchor}.disposition",
            )


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def check_categories(found: Any) -> Iterator[Mistake]:
    """At most 10, each once, 255 ASCII characters."""
    if found is None:
        return
    anchor = "message.categories"
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        yield Mistake("Categories must be an array of strings.", "categories", anchor)
        return
    if len(found) > 10:
        yield Mistake(
            f"There is a limit of 10 categories for each email that is sent. You provided {len(found)} categories.",
            "categories",
            anchor,
        )
    for index, each in enumerate(found):
        if len(each) > 255:
            yield Mistake(
                f"Each category must not be longer than 255 characters. {each} exceeds this limit",
                f"categories.{index}",
                anchor,
            )
        if not each.isascii():
            yield Mistake("Categories can not contain non-ASCII characters.", f"categories.{index}", anchor)
        if each in found[:index]:
            yield Mistake(
                f"The categories must be a unique list, and you have included {each} more than once.",
                "categories",
                anchor,
            )


def check_headers(found: Any, path: str, anchor: str) -> Iterator[Mistake]:
    """Texts, ASCII names, none of the reserved ones."""
    yield from check_texts(found, path, anchor, "The header values must be strings.")
    for name in found if isinstance(found, dict) else ():
        if name.lower() in RESERVED_HEADERS:
            yield Mistake("Header can not be one of the reserved keys.", f"{path}.{name}", anchor)
        elif not name.isascii() or " " in name:
            yield Mistake("Header keys cannot contain non-ASCII characters and empty spaces.", f"{path}.{name}", anchor)


def check_texts(found: Any, path: str, anchor: str, message: str) -> Iterator[Mistake]:
    """An object of texts."""
    if found is not None and (
        not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values())
    ):
        yield Mistake(message, path, anchor)


def check_send_at(found: Any, path: str, anchor: str, now: float) -> Iterator[Mistake]:
    """A whole number, at most 72 hours ahead."""
    if found is None:
        return
    if type(found) is not int:
        yield Mistake(
            "The send_at parameter is expecting a Unix timestamp as an integer. We will send immediately if you "
            "include a send_at timestamp that is in the past.",
            path,
            anchor,
        )
    elif found > now + MAX_AHEAD:
        yield Mistake("Scheduling more than 72 hours in advance is forbidden.", path, anchor)


def check_switches(mail: dict[str, Any]) -> Iterator[Mistake]:
    """`enable` of every setting is a boolean."""
    for group in ("mail_settings", "tracking_settings"):
        settings = mail.get(group)
        for name, setting in settings.items() if isinstance(settings, dict) else ():
            if isinstance(setting, dict) and not isinstance(setting.get("enable", False), bool):
                yield Mistake(
                    f"The {name.replace('_', ' ')} enable param should be a boolean value.",
                    f"{group}.{name}.enable",
                    f"message.{group}.{name}.enable",
                )


def list_in(holder: Any, name: str) -> list[Any]:
    """The list of that name; an empty one when there is none."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []
