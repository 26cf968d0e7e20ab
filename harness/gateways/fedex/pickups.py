"""Pickups: availability, create, cancel."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

from shop.external.fedex.http.models import (
    CancelPickupRequest,
    CancelPickupResponse,
    CreatePickupRequest,
    CreatePickupResponse,
    PickupAvailabilityRequest,
    PickupAvailabilityResponse,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.fedex.desk import Desk, refuse_if_scripted
from harness.gateways.fedex.errors import customer_transaction, refused
from harness.gateways.fedex.requests import check_account, place_of
from harness.gateways.parcels.places import postal_code_fits, served
from harness.gateways.parcels.tariff import business_day

PICKUP_CHARGE = 400
"""In cents."""
_CUT_OFF, _LATEST = "16:00:00", "18:00:00"
_READY_HOURS = range(8, 17)
_ACCESS_HOURS = 1


class Pickups(Desk):
    """`/pickup/v1`."""

    async def check_pickup_availability(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: PickupAvailabilityRequest,
    ) -> PickupAvailabilityResponse:
        """An option for each carrier and day; ground needs a day's notice."""
        place = place_of(body.pickup_address)
        if not served(place):
            raise refused("SHIPPER.COUNTRY.UNSERVICED")
        if not postal_code_fits(place):
            raise refused("COUNTRY.POSTALCODE.INVALID")
        now = self._now()
        asked = max(body.dispatch_date or now.date(), now.date())
        options = []
        for carrier in map(str, body.carriers):
            for schedule in map(str, body.pickup_request_type):
                later = schedule == "FUTURE_DAY" and asked == now.date()
                day = business_day(asked + datetime.timedelta(days=int(later)))
                available = schedule == "FUTURE_DAY" or (
                    carrier == "FDXE" and day == now.date() and f"{now:%H:%M:%S}" < _CUT_OFF
                )
                options.append(_option(carrier, schedule, day, available, str(body.country_relationship)))
        output = {"requestTimestamp": f"{now:%Y-%m-%d}", "options": options}
        return self.answer(PickupAvailabilityResponse, context, output)

    async def create_pickup(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: CreatePickupRequest,
    ) -> CreatePickupResponse:
        """Every call makes a pickup."""
        account = check_account(body.associated_account_number.value)
        origin = body.origin_detail
        place = place_of(origin.pickup_location.address)
        if not served(place):
            raise refused("SHIPPER.COUNTRY.UNSERVICED")
        if not postal_code_fits(place):
            raise refused("COUNTRY.POSTALCODE.INVALID")
        if body.total_weight is not None and body.total_weight.value <= 0:
            raise refused("PACKAGE.WEIGHT.INVALID")
        ready = self._ready(origin.ready_date_timestamp)
        closing = _closing(ready, origin.customer_close_time)
        refuse_if_scripted(context)
        code = self._confirmation_code()
        self.state.pickups[code] = {"account": account, "day": ready.date().isoformat(), "status": "scheduled"}
        self._record(code, body, customer_transaction(context))
        self.world.agenda.after(closing.timestamp() - self.world.clock.now(), partial(self._collect, code))
        output = {
            "pickupConfirmationCode": code,
            "message": "Courier on the way",
            "location": _location(place.postal_code),
        }
        return self.answer(CreatePickupResponse, context, output)

    def _record(self, code: str, body: CreatePickupRequest, number: str) -> None:
        self.world.ledger.record(
            "pickup",
            id=f"pickup-{code}",
            amount=PICKUP_CHARGE,
            currency="USD",
            reference=number,
            key=number,
            data={
                "confirmation": code,
                "day": self.state.pickups[code]["day"],
                "carrier": str(body.carrier_code),
                "packages": body.package_count,
            },
        )

    async def cancel_pickup(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: CancelPickupRequest,
    ) -> CancelPickupResponse:
        """Only before the courier has come."""
        account = check_account(body.associated_account_number.value)
        code = body.pickup_confirmation_code
        pickup = self.state.pickups.get(code)
        if pickup is None or pickup["day"] != body.scheduled_date.isoformat():
            raise refused("PICKUP.CONFIRMATIONCODE.INVALID")
        if pickup["account"] != account:
            raise refused("SHIPMENT.USER.UNAUTHORIZED")
        if pickup["status"] == "cancelled":
            raise refused("PICKUP.ALREADY.CANCELLED")
        if pickup["status"] == "collected":
            raise refused("PICKUP.ALREADY.COMPLETED")
        refuse_if_scripted(context)
        pickup["status"] = "cancelled"
        self.world.ledger.update(f"pickup-{code}", status="cancelled")
        output = {
            "pickupConfirmationCode": code,
            "cancelConfirmationMessage": f"Requested pickup has been cancelled Successfully. Number: {code}",
        }
        return self.answer(CancelPickupResponse, context, output)

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.world.clock.now(), datetime.UTC)

    def _ready(self, text: str) -> datetime.datetime:
        """A time of today or later."""
        try:
            found = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise refused("PICKUP.READYDATE.INVALID") from None
        found = found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
        if found.date() < self._now().date():
            raise refused("PICKUP.READYDATE.INVALID")
        return found

    def _confirmation_code(self) -> str:
        while (code := self.world.ids.digits(6)) in self.state.pickups:
            continue
        return code

    def _collect(self, code: str) -> None:
        pickup = self.state.pickups.get(code)
        if pickup is not None and pickup["status"] == "scheduled":
            pickup["status"] = "collected"
            self.world.ledger.update(f"pickup-{code}", status="succeeded", collected=True)


def _closing(ready: datetime.datetime, text: str) -> datetime.datetime:
    """When the place closes; a courier needs an hour."""
    try:
        closing = datetime.datetime.combine(ready.date(), datetime.time.fromisoformat(text), ready.tzinfo)
    except ValueError:
        raise refused("PICKUP.CLOSETIME.INVALID") from None
    if closing < ready + datetime.timedelta(hours=_ACCESS_HOURS):
        raise refused("PICKUP.CLOSETIME.INVALID")
    return closing


def _option(carrier: str, schedule: str, day: datetime.date, available: bool, relationship: str) -> dict[str, Any]:
    return {
        "carrier": carrier,
        "available": available,
        "pickupDate": day.isoformat(),
        "cutOffTime": _CUT_OFF,
        "accessTime": {"hours": _ACCESS_HOURS, "minutes": 0},
        "residentialAvailable": True,
        "countryRelationship": relationship,
        "scheduleDay": schedule,
        "defaultReadyTime": "10:00:00",
        "defaultLatestTimeOptions": _LATEST,
        "readyTimeOptions": [f"{hour:02}:00:00" for hour in _READY_HOURS],
        "latestTimeOptions": [f"{hour + 1:02}:00:00" for hour in _READY_HOURS],
    }


def _location(postal_code: str) -> str:
    """Four letters for the area of a postal code."""
    letters = [chr(ord("A") + ord(letter) % 26) for letter in f"{postal_code}0000"[:3]]
    return "".join(letters) + "A"
