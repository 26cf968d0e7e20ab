"""Delivers notifications: one mail each, however often it is asked for it and wherever it is interrupted.

An attempt is noted before anything is sent, with the time by which it ends. What an attempt before may have sent is
looked for at the provider before anything is sent again, by the notification's key.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification.adapters.contacts import Contacts
from services.notification.adapters.news import News
from services.notification.adapters.notifications import Notifications
from services.notification.domain import Address, Earlier, Mail, MailSender, Receipt, letters
from services.notification.domain.notifications import (
    Failure,
    Notification,
    Wait,
    begun,
    earlier,
    failed,
    in_doubt,
    sent,
    undone,
)
from services.notification.postbox import utc_now
from services.platform.database import Database
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
)
from services.platform.outbox import Outbox

LOG = logging.getLogger(__name__)
_NOTHING_DONE = (CredentialsRefused, RateLimited, Unavailable)
_OF_RECIPIENT = ("email", "personalizations")


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again, after so many seconds or when the queue says."""

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It will never be delivered."""

    reason: str


Result = Done | Again | GivenUp


@dataclass(frozen=True, slots=True)
class _Attempt:
    notification: Notification
    mail: Mail
    earlier: Earlier | None


class Delivering:
    """`limit` is how long an attempt may take; it must be longer than the sender's own deadline."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        notifications: Notifications,
        contacts: Contacts,
        sender: MailSender,
        *,
        limit: timedelta,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._notifications = notifications
        self._contacts = contacts
        self._sender = sender
        self._limit = limit
        self._now = now

    async def deliver(self, notification_id: str, *, last: bool) -> Result:
        """Make an attempt. `last`: none follows, so that what fails is given up."""
        attempt = await self._database.run(lambda connection: self._begin(connection, notification_id, last=last))
        if not isinstance(attempt, _Attempt):
            return attempt
        try:
            async with asyncio.timeout(self._limit.total_seconds()):
                receipt = await self._sender.send(attempt.mail, earlier=attempt.earlier)
        except GatewayError as error:
            problem = error
        except TimeoutError:
            problem = OutcomeUnknown("mail", "send", "the attempt took too long")
        else:
            return await self._database.run(lambda connection: self._sent(connection, attempt, receipt))
        LOG.warning("%s: attempt %d: %s", notification_id, attempt.notification.attempts, problem)
        return await self._database.run(lambda connection: self._failed(connection, attempt, problem, last=last))

    async def _begin(self, connection: AsyncConnection, notification_id: str, *, last: bool) -> _Attempt | Result:
        notification = await self._notifications.find(connection, notification_id, lock=True)
        if notification is None:
            return GivenUp("there is no such notification")
        started = begun(notification, secrets.token_hex(8), self._now(), self._limit)
        if started is None:
            return Done()
        if isinstance(started, Wait):
            return Again(started.why, started.seconds)
        mail = await self._mail(connection, started)
        if isinstance(mail, Mail):
            # Every attempt goes to the same address: that is how one finds what another has sent.
            started = replace(started, recipient=mail.to)
            await self._notifications.save(connection, started)
            return _Attempt(started, mail, earlier(started))
        if isinstance(mail, Again) and not last:
            return mail
        return await self._give_up(connection, notification, Failure.INVALID_RECIPIENT, mail.reason)

    async def _mail(self, connection: AsyncConnection, notification: Notification) -> Mail | Again | GivenUp:
        contact = await self._contacts.find(connection, notification.customer_id)
        to = notification.recipient
        if to is None:
            if contact is not None and contact.erased:
                return GivenUp("the customer was erased")
            if contact is None or not contact.email:
                return Again("there is no contact data of the customer yet")
            try:
                to = Address(email=contact.email, name=contact.profile.name)
            except ValueError:
                return GivenUp("the contact data has no valid address")
        locale = notification.locale or (contact.profile.locale if contact else "")
        letter = letters.written(notification.template_id, notification.variables, locale=locale, name=to.name)
        return Mail(
            key=notification.key,
            to=to,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            order_id=notification.order_id,
        )

    async def _sent(self, connection: AsyncConnection, attempt: _Attempt, receipt: Receipt) -> Result:
        current = await self._current(connection, attempt)
        if current is not None:
            done = sent(current, receipt.id or current.notification_id, self._now())
            await self._notifications.save(connection, done)
            await News(self._outbox.within(connection)).sent(done)
        return Done()

    async def _failed(
        self, connection: AsyncConnection, attempt: _Attempt, problem: GatewayError, *, last: bool
    ) -> Result:
        current = await self._current(connection, attempt)
        if current is None:
            return Done()
        if not isinstance(problem, (*_NOTHING_DONE, OutcomeUnknown)):
            return await self._give_up(connection, current, _failure(problem), str(problem))
        if last:
            return await self._give_up(connection, current, Failure.PROVIDER_ERROR, str(problem))
        now = self._now()
        nothing_done = isinstance(problem, _NOTHING_DONE)
        await self._notifications.save(
            connection, undone(current, now) if nothing_done else in_doubt(current, self._limit, now)
        )
        return Again(str(problem), problem.retry_after if isinstance(problem, RateLimited) else None)

    async def _current(self, connection: AsyncConnection, attempt: _Attempt) -> Notification | None:
        """The notification, locked; None when another attempt has taken it over."""
        found = await self._notifications.find(connection, attempt.notification.notification_id, lock=True)
        return found if found is not None and found.attempt == attempt.notification.attempt else None

    async def _give_up(
        self, connection: AsyncConnection, notification: Notification, failure: Failure, reason: str
    ) -> GivenUp:
        done = failed(notification, failure, self._now())
        await self._notifications.save(connection, done)
        await News(self._outbox.within(connection)).failed(done)
        return GivenUp(reason)


def _failure(problem: GatewayError) -> Failure:
    """Whose fault it is that the provider refuses a mail."""
    of_recipient = isinstance(problem, Rejected) and any(part in problem.field for part in _OF_RECIPIENT)
    return Failure.INVALID_RECIPIENT if of_recipient else Failure.PROVIDER_ERROR
