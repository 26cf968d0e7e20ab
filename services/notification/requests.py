"""Requests of NotificationService as values; what breaks the contract is refused with the field's path."""

from __future__ import annotations

import re
from datetime import UTC

from shop.notification.v1 import notification_pb2 as pb
from shop.runtime.errors import InvalidArgument, NotFound, Unimplemented
from shop.runtime.grpc_server import Call

from services.notification.domain import Address, letters
from services.notification.postbox import Wish
from services.platform.refusals import invalid, refusal

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_ID = "must be 1 to 64 letters, digits and . _ : -"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LONGEST_VALUE = 1000


def checked(request: pb.SendNotificationRequest, call: Call) -> tuple[Wish, str]:
    """What to tell whom, and the idempotency key. Text messages are not offered yet."""
    if request.channel == pb.NOTIFICATION_CHANNEL_SMS:
        raise refusal(Unimplemented, "NOT_OFFERED", "text messages are not offered yet")
    wrong: dict[str, str] = {}
    if request.channel != pb.NOTIFICATION_CHANNEL_EMAIL:
        wrong["channel"] = "must be NOTIFICATION_CHANNEL_EMAIL"
    recipient = _recipient(request, wrong)
    if request.HasField("locale") and not _LOCALE.fullmatch(request.locale):
        wrong["locale"] = "must be a BCP 47 language"
    key = request.idempotency_key or call.idempotency_key or ""
    if not _KEY.fullmatch(key):
        wrong["idempotency_key"] = "must be 1 to 255 visible ASCII characters"
    wrong |= {f"variables.{name}": rule for name, rule in _variables(request).items()}
    if wrong:
        text = "; ".join(f"{field} {rule}" for field, rule in wrong.items())
        raise refusal(InvalidArgument, "INVALID_ARGUMENT", text, fields=tuple(wrong.items()))
    if not letters.is_known(request.template_id):
        raise refusal(NotFound, "NOT_FOUND", "there is no such template")
    order_id = request.variables.get("order_id", "")
    wish = Wish(
        template_id=request.template_id,
        customer_id=request.customer_id,
        order_id=order_id if _ID.fullmatch(order_id) else "",
        variables=dict(request.variables),
        locale=request.locale,
        recipient=recipient,
        send_after=request.send_after.ToDatetime(UTC) if request.HasField("send_after") else None,
    )
    return wish, key


def notification_id_of(request: pb.GetNotificationStatusRequest) -> str:
    """The notification that is asked for."""
    if not _ID.fullmatch(request.notification_id):
        raise invalid("notification_id", _NO_ID)
    return request.notification_id


def _recipient(request: pb.SendNotificationRequest, wrong: dict[str, str]) -> Address | None:
    given = request.WhichOneof("recipient")
    if request.customer_id and not _ID.fullmatch(request.customer_id):
        wrong["customer_id"] = _NO_ID
    if given == "phone_number":
        wrong["phone_number"] = "does not fit the channel"
    elif given == "email":
        try:
            return Address(email=request.email)
        except ValueError:
            wrong["email"] = "must be the address of a mailbox"
    elif not request.customer_id:
        wrong["email"] = "must be given where there is no customer_id"
    return None


def _variables(request: pb.SendNotificationRequest) -> dict[str, str]:
    needed = letters.places(request.template_id) if letters.is_known(request.template_id) else frozenset[str]()
    absent = dict.fromkeys(sorted(needed - set(request.variables)), "must be given for this template")
    long = {
        name: f"must have at most {LONGEST_VALUE} characters"
        for name, value in sorted(request.variables.items())
        if len(value) > LONGEST_VALUE
    }
    return absent | long
