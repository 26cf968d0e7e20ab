"""Notifications in PostgreSQL; a recipient of their own is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification.adapters.sealing import Vault
from services.notification.adapters.tables import NOTIFICATIONS
from services.notification.domain import Address
from services.notification.domain.notifications import Failure, Notification, State, Trace


class Notifications:
    """Works in transactions of its callers."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def add(self, connection: AsyncConnection, notification: Notification) -> bool:
        """Store a new notification; false when there is one of that id."""
        made = insert(NOTIFICATIONS).values(**self._row(notification)).on_conflict_do_nothing()
        return (await connection.execute(made.returning(NOTIFICATIONS.c.version))).first() is not None

    async def find(
        self, connection: AsyncConnection, notification_id: str, *, lock: bool = False
    ) -> Notification | None:
        """A notification; with `lock` nobody else works on it until the transaction ends."""
        query = select(NOTIFICATIONS).where(NOTIFICATIONS.c.notification_id == notification_id)
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
        return None if row is None else self._read(row)

    async def save(self, connection: AsyncConnection, notification: Notification) -> None:
        """Store the new state of a notification that is locked."""
        this = NOTIFICATIONS.c.notification_id == notification.notification_id
        await connection.execute(update(NOTIFICATIONS).where(this).values(**self._row(notification)))

    def _row(self, notification: Notification) -> Mapping[str, Any]:
        recipient, trace = notification.recipient, notification.trace
        sealed = None
        if recipient is not None:
            record = {"email": recipient.email, "name": recipient.name}
            sealed = self._vault.seal(record, of=notification.notification_id)
        return {
            "notification_id": notification.notification_id,
            "key": notification.key,
            "customer_id": notification.customer_id,
            "template_id": notification.template_id,
            "order_id": notification.order_id,
            "variables": dict(notification.variables),
            "locale": notification.locale,
            "recipient": sealed,
            "correlation_id": notification.correlation_id,
            "send_after": notification.send_after,
            "state": notification.state.value,
            "attempts": notification.attempts,
            "attempt": notification.attempt,
            "busy_until": notification.busy_until,
            "doubt_since": trace.since if trace else None,
            "doubt_until": trace.until if trace else None,
            "provider_message_id": notification.provider_message_id,
            "failure": notification.failure.value if notification.failure else None,
            "version": notification.version,
            "created_at": notification.created_at,
            "updated_at": notification.updated_at,
        }

    def _read(self, row: Row[Any]) -> Notification:
        recipient = None
        if row.recipient is not None:
            recipient = Address(**self._vault.open(row.recipient, of=row.notification_id))
        plain = {
            name: value
            for name, value in row._mapping.items()
            if name not in ("recipient", "doubt_since", "doubt_until", "state", "failure")
        }
        return Notification(
            **plain,
            recipient=recipient,
            trace=Trace(since=row.doubt_since, until=row.doubt_until) if row.doubt_since else None,
            state=State(row.state),
            failure=Failure(row.failure) if row.failure else None,
        )
