"""Pickups: create, cancel."""

from __future__ import annotations

import datetime
import re
from functools import partial
from typing import Any

from shop.external.ups.http.models import (
    CancelPickupCancelBy,
    PickupCancelResponseEnvelope,
    PickupCreationRequest,
    PickupCreationRequestEnvelope,
    PickupCreationResponseEnvelope,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.places import Place, postal_code_fits, served
from harness.gateways.ups.desk import Desk, customer_context, money, refuse_if_scripted
from harness.gateways.ups.errors import refused
from harness.gateways.ups.rating import parsed_date

PICKUP_CHARGE = 1225
"""In cents; without an account it is paid by card, and costs the same."""
_QUANTITY = re.compile(r"0{0,2}[1-9][0-9]{0,2}")
_WEIGHT = re.compile(r"(0*[1-9][0-9]{0,5}(\.[0-9]*)?|0*\.0*[1-9][0-9]*)")
_TIME = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]")


class Pickups(Desk):
    """`/api/pickupcreation` and `/api/shipments/.../pickup`."""

    async def create_pickup(
        self,
        context: RequestContext,
        *,
        version: str,
        trans_id: str | None,
        transaction_src: str | None,
        body: PickupCreationRequestEnvelope,
    ) -> PickupCreationResponseEnvelope:
        """Every call makes a pickup."""
        asked = body.pickup_creation_request
        address = asked.pickup_address
        place = Place(country=address.country_code, postal_code=address.postal_code or "")
        if not served(place) or not postal_code_fits(place):
            raise refused("9510102")
        account = asked.shipper.account if asked.shipper is not None else None
        if asked.payment_method == "01" and account is None:
            raise refused("9510103")
        _check_pieces(asked)
        closing = self._closing(asked)
        refuse_if_scripted(context)
        number = self._request_number()
        self.state.pickups[number] = {
            "account": account.account_number if account is not None else "",
            "status": "scheduled",
        }
        self._record(number, asked)
        self.world.agenda.after(closing.timestamp() - self.world.clock.now(), partial(self._collect, number))
        response: dict[str, Any] = {
            "Response": self.response(asked.request),
            "PRN": number,
            "RateStatus": {"Code": "01", "Description": "Success"},
        }
        if asked.rate_pickup_indicator == "Y":
            response["RateResult"] = _rate_result()
        return PickupCreationResponseEnvelope.from_dict({"PickupCreationResponse": response})

    def _record(self, number: str, asked: PickupCreationRequest) -> None:
        context = customer_context(asked.request)
        self.world.ledger.record(
            "pickup",
            id=f"pickup-{number}",
            amount=PICKUP_CHARGE,
            currency="USD",
            reference=asked.reference_number or context,
            key=context,
            data={"prn": number, "day": asked.pickup_date_info.pickup_date},
        )

    async def cancel_pickup(
        self,
        context: RequestContext,
        *,
        version: str,
        cancel_by: CancelPickupCancelBy,
        prn: str | None,
        trans_id: str | None,
        transaction_src: str | None,
    ) -> PickupCancelResponseEnvelope:
        """By its number; by account UPS cancels the last one that is to come."""
        number = self._last() if cancel_by == "01" else (prn or "")
        pickup = self.state.pickups.get(number)
        if pickup is None:
            raise refused("9510115")
        if pickup["status"] == "cancelled":
            raise refused("9510116")
        if pickup["status"] == "collected":
            raise refused("9510117")
        refuse_if_scripted(context)
        pickup["status"] = "cancelled"
        self.world.ledger.update(f"pickup-{number}", status="cancelled")
        response = {"Response": self.response(), "PickupType": "01"}
        return PickupCancelResponseEnvelope.from_dict({"PickupCancelResponse": response})

    def _closing(self, asked: PickupCreationRequest) -> datetime.datetime:
        """When the place closes, today or later, after the packages are ready."""
        times = asked.pickup_date_info
        day = parsed_date(times.pickup_date)
        today = datetime.datetime.fromtimestamp(self.world.clock.now(), datetime.UTC).date()
        formed = _TIME.fullmatch(times.ready_time) and _TIME.fullmatch(times.close_time)
        if day is None or day < today or not formed or times.ready_time >= times.close_time:
            raise refused("9510101")
        closing = datetime.time(int(times.close_time[:2]), int(times.close_time[2:]))
        return datetime.datetime.combine(day, closing, datetime.UTC)

    def _request_number(self) -> str:
        """Eleven characters."""
        while (number := "29" + self.world.ids.upper(9)) in self.state.pickups:
            continue
        return number

    def _last(self) -> str:
        scheduled = [number for number, pickup in self.state.pickups.items() if pickup["status"] == "scheduled"]
        return scheduled[-1] if scheduled else ""

    def _collect(self, number: str) -> None:
        pickup = self.state.pickups.get(number)
        if pickup is not None and pickup["status"] == "scheduled":
            pickup["status"] = "collected"
            self.world.ledger.update(f"pickup-{number}", status="succeeded", collected=True)


def _check_pieces(asked: PickupCreationRequest) -> None:
    if not all(_QUANTITY.fullmatch(piece.quantity) for piece in asked.pickup_piece):
        raise refused("9510104")
    weight = asked.total_weight
    if weight is not None and not _WEIGHT.fullmatch(weight.weight):
        raise refused("9510104")


def _rate_result() -> dict[str, Any]:
    return {
        "RateType": "SD",
        "CurrencyCode": "USD",
        "ChargeDetail": [
            {"ChargeCode": "B", "ChargeDescription": "BASE CHARGE", "ChargedAmount": money(PICKUP_CHARGE - 150)},
            {"ChargeCode": "S", "ChargeDescription": "FUEL SURCHARGE", "ChargedAmount": money(150)},
        ],
        "GrandTotalOfAllCharge": money(PICKUP_CHARGE),
    }
