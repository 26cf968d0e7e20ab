"""What the gateway expects of the services that it fronts."""

from __future__ import annotations

from harness.pacts.expectations import gateway_buying, gateway_people, gateway_products
from harness.pacts.interactions import Expectations

EXPECTATIONS = (
    Expectations(consumer="gateway", provider="customer", interactions=gateway_people.CUSTOMER_INTERACTIONS),
    Expectations(consumer="gateway", provider="catalog", interactions=gateway_products.CATALOG),
    Expectations(consumer="gateway", provider="warehouse", interactions=gateway_products.WAREHOUSE),
    Expectations(consumer="gateway", provider="checkout", interactions=gateway_buying.CHECKOUT_SERVICE),
    Expectations(consumer="gateway", provider="order", interactions=gateway_buying.ORDERS),
    Expectations(consumer="gateway", provider="payment", interactions=gateway_buying.PAYMENTS),
)
