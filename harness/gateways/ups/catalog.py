"""UPS's services, label formats and codes of surcharges."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from harness.gateways.parcels.places import COUNTRIES
from harness.gateways.parcels.tariff import Service

_US, _CA = frozenset({"US"}), frozenset({"CA"})
_ELSEWHERE = COUNTRIES - _US - _CA
_GROUND_DAYS = (1, 2, 2, 3, 4, 4, 5)


def _at(hour: int, minute: int = 0) -> datetime.time:
    return datetime.time(hour, minute)


SERVICES: Sequence[Service] = (
    Service(
        code="14",
        name="UPS Next Day Air® Early",
        abroad=False,
        base=6700,
        per_pound=305,
        days=(1,),
        by=_at(8),
        countries=_US,
    ),
    Service(
        code="01",
        name="UPS Next Day Air®",
        abroad=False,
        base=3950,
        per_pound=268,
        days=(1,),
        by=_at(10, 30),
        countries=_US,
    ),
    Service(
        code="13",
        name="UPS Next Day Air Saver®",
        abroad=False,
        base=3450,
        per_pound=248,
        days=(1,),
        by=_at(15),
        countries=_US,
    ),
    Service(
        code="59",
        name="UPS 2nd Day Air A.M.®",
        abroad=False,
        base=2650,
        per_pound=158,
        days=(2,),
        by=_at(10, 30),
        countries=_US,
    ),
    Service(
        code="02",
        name="UPS 2nd Day Air®",
        abroad=False,
        base=2250,
        per_pound=138,
        days=(2,),
        by=_at(23),
        countries=_US,
    ),
    Service(
        code="12",
        name="UPS 3 Day Select®",
        abroad=False,
        base=1850,
        per_pound=118,
        days=(3,),
        by=_at(23),
        countries=_US,
    ),
    Service(
        code="03",
        name="UPS® Ground",
        abroad=False,
        base=960,
        per_pound=44,
        days=_GROUND_DAYS,
        by=_at(23),
        category="GROUND",
        countries=_US,
    ),
    Service(
        code="01",
        name="UPS Express®",
        abroad=False,
        base=4100,
        per_pound=270,
        days=(1, 1, 1, 1, 2),
        by=_at(10, 30),
        countries=_CA,
    ),
    Service(
        code="02",
        name="UPS Expedited®",
        abroad=False,
        base=2400,
        per_pound=150,
        days=(2, 2, 3),
        by=_at(23),
        countries=_CA,
    ),
    Service(
        code="13",
        name="UPS Express Saver®",
        abroad=False,
        base=3500,
        per_pound=240,
        days=(1, 1, 2),
        by=_at(15),
        countries=_CA,
    ),
    Service(
        code="11",
        name="UPS® Standard",
        abroad=False,
        base=1050,
        per_pound=52,
        days=_GROUND_DAYS,
        by=_at(23),
        category="GROUND",
        countries=COUNTRIES - _US,
    ),
    Service(
        code="07",
        name="UPS Express®",
        abroad=False,
        base=3200,
        per_pound=210,
        days=(1,),
        by=_at(12),
        countries=_ELSEWHERE,
    ),
    Service(
        code="65",
        name="UPS Express Saver®",
        abroad=False,
        base=2700,
        per_pound=190,
        days=(1,),
        by=_at(18),
        countries=_ELSEWHERE,
    ),
    Service(
        code="54",
        name="UPS Worldwide Express Plus®",
        abroad=True,
        base=11600,
        per_pound=610,
        days=(1,) * 8 + (2, 2, 3),
        by=_at(9),
    ),
    Service(
        code="07",
        name="UPS Worldwide Express®",
        abroad=True,
        base=8900,
        per_pound=530,
        days=(1,) * 8 + (2, 2, 3),
        by=_at(12),
    ),
    Service(
        code="65",
        name="UPS Worldwide Saver®",
        abroad=True,
        base=8400,
        per_pound=510,
        days=(1,) * 8 + (2, 3, 3),
        by=_at(18),
    ),
    Service(
        code="08",
        name="UPS Worldwide Expedited®",
        abroad=True,
        base=6700,
        per_pound=420,
        days=(2,) * 8 + (3, 4, 5),
        by=_at(23),
    ),
    Service(
        code="11",
        name="UPS® Standard",
        abroad=True,
        base=2000,
        per_pound=92,
        days=(3,) * 8 + (4,),
        by=_at(23),
        category="GROUND",
        countries=_US | _CA,
        destinations=_US | _CA | {"MX"},
    ),
)
CODES = frozenset(service.code for service in SERVICES)
LABEL_FORMATS: Mapping[str, str] = {"GIF": "GIF", "PNG": "PNG", "ZPL": "ZPL", "PDF": "PDF"}
FUEL, RESIDENTIAL = "375", "270"
"""Codes of itemized charges."""
