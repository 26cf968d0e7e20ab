"""A sender of mails whose calls are seen in traces and metrics."""

from __future__ import annotations

from services.notification.adapters.sendgrid import GATEWAY
from services.notification.domain import Earlier, Mail, MailSender, Receipt
from services.platform.telemetry import Telemetry


class Watched:
    """A `MailSender` around another one."""

    def __init__(self, sender: MailSender, telemetry: Telemetry) -> None:
        self._sender = sender
        self._telemetry = telemetry

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        """Send a mail once, within a span."""
        async with self._telemetry.external_call(GATEWAY, "send") as span:
            receipt = await self._sender.send(mail, earlier=earlier)
            span.set_attribute("recovered", receipt.recovered)
            return receipt

    async def status(self, mail_id: str) -> Receipt:
        """What became of a mail, within a span."""
        async with self._telemetry.external_call(GATEWAY, "status"):
            return await self._sender.status(mail_id)
