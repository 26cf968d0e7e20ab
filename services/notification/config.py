"""The environment of the notification service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from services.platform.redis_streams import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50057"
    health_address: str = "127.0.0.1:0"
    database_url: str = field(default="postgresql://treaty@127.0.0.1:5432/treaty", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
    data_key: str = field(repr=False)
    """32 bytes in base64: what personal data is sealed with."""
    sendgrid_key: str = field(repr=False)
    sendgrid_url: str = "https://api.sendgrid.com"
    sendgrid_settle: float = 20.0
    """After which a mail that was sent is found at SendGrid for sure."""
    sender_email: str = "orders@shop.example"
    sender_name: str = "The Shop"
    call_timeout: float = 10.0
    """Of one call of SendGrid."""
    send_deadline: float = 30.0
    """Of all calls of one attempt to send a mail."""
    processing_timeout: float = 60.0
    """After which the messages of a reader that is gone are taken over (`StreamSettings`)."""
    redeliver_interval: float = 15.0
    """Between looks for such messages."""
    otlp_endpoint: str = ""
    """Collector of traces, such as `http://127.0.0.1:4318/v1/traces`; empty: they are not sent."""
    start_timeout: float = 30.0
    """How long to wait for PostgreSQL and for Redis."""
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @property
    def attempt_limit(self) -> float:
        """An attempt to send a mail has ended by then: nothing is begun after its deadline."""
        return self.send_deadline + self.call_timeout + 1.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `NOTIFICATION_` and its name in capitals; loopback where it is not set.

        ValueError when a secret is missing: `NOTIFICATION_DATA_KEY`, `NOTIFICATION_SENDGRID_KEY`.
        """
        absent = [name for name in ("DATA_KEY", "SENDGRID_KEY") if not environment.get(f"NOTIFICATION_{name}")]
        if absent:
            raise ValueError(f"{' and '.join(f'NOTIFICATION_{name}' for name in absent)} must be set")

        def text(name: str) -> str:
            return environment.get(f"NOTIFICATION_{name.upper()}", str(_DEFAULTS[name]))

        return cls(
            grpc_address=text("grpc_address"),
            health_address=text("health_address"),
            database_url=text("database_url"),
            redis_url=text("redis_url"),
            transport_mode=Mode(environment.get("NOTIFICATION_TRANSPORT_MODE", Mode.DURABLE.value)),
            data_key=environment["NOTIFICATION_DATA_KEY"],
            sendgrid_key=environment["NOTIFICATION_SENDGRID_KEY"],
            sendgrid_url=text("sendgrid_url"),
            sendgrid_settle=float(text("sendgrid_settle")),
            sender_email=text("sender_email"),
            sender_name=text("sender_name"),
            call_timeout=float(text("call_timeout")),
            send_deadline=float(text("send_deadline")),
            processing_timeout=float(text("processing_timeout")),
            redeliver_interval=float(text("redeliver_interval")),
            otlp_endpoint=text("otlp_endpoint"),
            start_timeout=float(text("start_timeout")),
            drain=float(text("drain")),
        )


_DEFAULTS = {each.name: each.default for each in fields(Config)}
