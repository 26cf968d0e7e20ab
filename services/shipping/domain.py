"""What parcels and shipments are, and what the shipping service asks of a carrier.

Names, addresses, telephone numbers and labels are left out of every `repr`, so that no log or traceback has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

MAX_PARCELS = 20
"""Of one shipment (contracts/shipping/v1)."""
_KEY = re.compile(r"[A-Za-z0-9._~/-]{1,108}")


class Carrier(StrEnum):
    """Who carries."""

    FEDEX = "fedex"
    UPS = "ups"


class ServiceLevel(StrEnum):
    """How fast, in business days: three to seven, two, one."""

    GROUND = "ground"
    TWO_DAY = "two_day"
    OVERNIGHT = "overnight"


class ShipmentStatus(StrEnum):
    """How far a parcel has come."""

    LABEL_CREATED = "label_created"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class LabelFormat(StrEnum):
    """Of the file of a label. UPS documents no PDF for shipments of its own."""

    PDF = "pdf"
    PNG = "png"
    ZPL = "zpl"


class AddressVerdict(StrEnum):
    """What a carrier says of an address."""

    VALID = "valid"
    AMBIGUOUS = "ambiguous"
    """There are several like it."""
    INVALID = "invalid"
    UNCHECKED = "unchecked"
    """The carrier does not check addresses of that country."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in the smallest unit of the currency (ISO 4217, upper case). ValueError for what is none."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError("`currency` is no ISO 4217 code")
        if self.amount < 0:
            raise ValueError("an amount of money is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where parcels come from or go to. `country` is ISO 3166-1 alpha-2, `phone` E.164. ValueError quotes nothing."""

    name: str = field(repr=False)
    """Person or company on the label."""
    line1: str = field(repr=False)
    line2: str = field(default="", repr=False)
    city: str = field(repr=False)
    region: str = field(default="", repr=False)
    """State or province, where the country's post asks for one."""
    postal_code: str = field(default="", repr=False)
    country: str
    phone: str = field(default="", repr=False)
    residential: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2}", self.country):
            raise ValueError("`country` is no ISO 3166-1 code")
        if not self.name.strip() or not self.line1.strip() or not self.city.strip():
            raise ValueError("an address needs a name, a first line and a city")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Packed: weight with packaging in grams, sides in millimetres."""

    weight_grams: int
    length_mm: int
    width_mm: int
    height_mm: int

    def __post_init__(self) -> None:
        if min(self.weight_grams, self.length_mm, self.width_mm, self.height_mm) <= 0:
            raise ValueError("the weight and the sides of a parcel are positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRequest:
    """What is to be sent where. `currency`: in which prices are wanted; a carrier may answer in the account's."""

    origin: Address
    destination: Address
    parcels: tuple[Parcel, ...]
    currency: str | None = None

    def __post_init__(self) -> None:
        _check_parcels(self.parcels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """An offer. `service` is the carrier's code, which a shipment is booked with."""

    carrier: Carrier
    service: str
    level: ServiceLevel
    price: Money
    transit_days: int = 0
    """Business days until delivery, 0 when the carrier promises nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentRequest:
    """A shipment to book. `key` is the idempotency key of this step; `service` is that of a `Rate`."""

    key: str
    order_id: str
    service: str
    origin: Address
    destination: Address
    parcels: tuple[Parcel, ...]
    label_format: LabelFormat = LabelFormat.PDF

    def __post_init__(self) -> None:
        _check_key(self.key)
        _check_parcels(self.parcels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The file to be stuck on one parcel."""

    tracking_number: str
    format: LabelFormat
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What was booked. `id` cancels and tracks the whole; `tracking_numbers` has one for each parcel."""

    carrier: Carrier
    id: str
    service: str
    tracking_numbers: tuple[str, ...]
    labels: tuple[Label, ...]
    cost: Money | None = None
    """What the carrier charges; None when it was recovered: then the price of the rate stands."""
    expected_on: date | None = None
    """Day of delivery, where the carrier says it."""
    recovered: bool = False
    """An earlier attempt had booked it; this one only found it."""

    @property
    def labels_missing(self) -> bool:
        """Not every parcel has its label.

        The answer with the labels was lost. UPS gives them again: call `ship` once more with `earlier`. FedEx does not:
        cancel the shipment and book another one with another key, or print the labels in FedEx's own ship manager.
        """
        return not set(self.tracking_numbers) <= {label.tracking_number for label in self.labels}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingEvent:
    """One stop. `at` with a time zone; `location` is empty when the carrier does not say."""

    status: ShipmentStatus
    description: str
    at: datetime
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """The journey of one parcel, the newest stop first. `expected_on` by the calendar of the destination."""

    tracking_number: str
    status: ShipmentStatus
    events: tuple[TrackingEvent, ...]
    expected_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressCheck:
    """`suggestion` is the address as the carrier would write it."""

    verdict: AddressVerdict
    suggestion: Address | None = None
    residential: bool | None = None
    """None when the carrier does not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupRequest:
    """A courier to come between two times of one day, by the clock of the place."""

    key: str
    address: Address
    day: date
    ready: time
    closes: time
    parcels: tuple[Parcel, ...]
    level: ServiceLevel = ServiceLevel.GROUND

    def __post_init__(self) -> None:
        _check_key(self.key)
        _check_parcels(self.parcels)
        if self.ready >= self.closes:
            raise ValueError("`closes` must be later than `ready`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickup:
    """A courier that will come. All of it is needed to cancel: keep it as a whole."""

    carrier: Carrier
    id: str
    day: date
    level: ServiceLevel
    location: str = ""
    """The carrier's depot, where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Attempts with a key whose outcome nobody saw. Times with a time zone.

    `first` is when the first of them began. `last` is when something can have been sent at the latest: when the last
    call raised `OutcomeUnknown`, or when its process died.
    """

    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        if self.first.tzinfo is None or self.last.tzinfo is None:
            raise ValueError("`first` and `last` need a time zone")
        if self.last < self.first:
            raise ValueError("`last` is before `first`")


class ShippingCarrier(Protocol):
    """What every carrier offers. All methods raise `services.platform.gateways.errors.GatewayError`.

    Carriers know no idempotency keys: `key` travels as the reference of a shipment, by which it is found again.
    """

    async def rates(self, request: RateRequest) -> tuple[Rate, ...]:
        """Offers, the cheapest first; none when the carrier does not carry that, or not there."""
        ...

    async def ship(self, request: ShipmentRequest, *, earlier: Earlier | None = None) -> Shipment:
        """Book a shipment once.

        With `earlier`, after a crash for example, the carrier is asked before anything is sent. None says that the key
        is used for the first time. `OutcomeUnknown` when it cannot be told whether it was booked: call again later,
        with `earlier`. `KeyReused` when the shipment of the key is another one, or was cancelled.
        """
        ...

    async def track(self, tracking_number: str) -> Tracking:
        """Where a parcel is; `UnknownReference` when the carrier does not know it, or not yet."""
        ...

    async def cancel(self, shipment_id: str, *, key: str) -> None:
        """Void a shipment. It is no error when it was voided before; `Rejected` when the carrier has it already."""
        ...

    async def validate_address(self, address: Address) -> AddressCheck:
        """Whether the carrier can deliver there."""
        ...

    async def schedule_pickup(self, request: PickupRequest, *, earlier: Earlier | None = None) -> Pickup:
        """Ask for a courier once.

        No carrier can be asked what pickups there are: after an ambiguous outcome, and with `earlier`, nothing is sent
        and it is `OutcomeUnknown`. A person decides, or the risk of a second courier is taken with a new key.
        """
        ...

    async def cancel_pickup(self, pickup: Pickup, *, key: str) -> None:
        """Send the courier away. It is no error when that was done before."""
        ...


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError("an idempotency key is needed: at most 108 letters, digits and . _ ~ / -")


def _check_parcels(parcels: tuple[Parcel, ...]) -> None:
    if not 1 <= len(parcels) <= MAX_PARCELS:
        raise ValueError(f"there must be 1 to {MAX_PARCELS} parcels")
