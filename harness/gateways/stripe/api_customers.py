"""Customers and payment methods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shop.external.stripe.http.models import (
    Customer,
    CustomerList,
    DeletedCustomer,
    PaymentMethod,
    PaymentMethodList,
)

from harness.gateways.stripe import methods, objects
from harness.gateways.stripe.errors import StripeError, invalid, missing, no_such
from harness.gateways.stripe.metadata import merged
from harness.gateways.stripe.resource import Resource
from harness.gateways.stripe.shown import created_within

if TYPE_CHECKING:
    from shop.external.stripe.http import models
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.stripe.state import Object

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TEXTS = ("business_name", "description", "email", "individual_name", "name", "phone")


class Customers(Resource):
    """Operations of customers and payment methods."""

    def _customer(self, id: str) -> Object:
        found = self.account.find("customer", id, "id", status=404)
        if found.get("deleted"):
            raise no_such("customer", id, "id", 404)
        return found

    def _check(self, given: dict[str, Any]) -> None:
        if given.get("email") and not _EMAIL.fullmatch(given["email"]):
            raise invalid("email", f"Invalid email address: {given['email']}", "email_invalid")

    async def create_customer(
        self, context: RequestContext, *, body: models.CustomerCreate | None, **_: Any
    ) -> Customer:
        """Create one."""
        given = body.to_dict() if body else {}
        self._check(given)
        found = objects.customer(self.account, given)
        found["metadata"] = merged({}, given.get("metadata"))
        found["invoice_settings"] = self._settings(found, given)
        if given.get("payment_method"):
            method = methods.resolve(self.account, given["payment_method"], "payment_method")
            methods.attach(self.account, method, found, "payment_method")
        self.account.add(found)
        self.account.emit("customer.created", found)
        return Customer.from_dict(self.shown(found, body.expand if body else None))

    def _settings(self, found: Object, given: dict[str, Any]) -> Object:
        settings = given.get("invoice_settings") or {}
        id = settings.get("default_payment_method")
        if id:
            self.account.find("payment_method", id, "invoice_settings[default_payment_method]")
        asked = {key: settings[key] or None for key in ("default_payment_method", "footer") if key in settings}
        return {**found["invoice_settings"], **asked}

    async def get_customer(
        self, context: RequestContext, *, customer: str, expand: list[str] | None, **_: Any
    ) -> Customer | DeletedCustomer:
        """Read one, also a deleted one."""
        found = self.account.find("customer", customer, "id", status=404)
        if found.get("deleted"):
            return DeletedCustomer.from_dict(found)
        return Customer.from_dict(self.shown(found, expand))

    async def list_customers(
        self, context: RequestContext, *, email: str | None, test_clock: str | None, created: Any, **page: Any
    ) -> CustomerList:
        """One page."""
        wanted = created_within(created)
        found = [
            each
            for each in self.account.state.customers.values()
            if not each.get("deleted")
            and wanted(each)
            and email in (None, each["email"])
            and test_clock in (None, each["test_clock"])
        ]
        return CustomerList.from_dict(self.page(found, context, "customer", page))

    async def update_customer(
        self, context: RequestContext, *, customer: str, body: models.CustomerUpdate | None, **_: Any
    ) -> Customer:
        """Change one."""
        found = self._customer(customer)
        given = body.to_dict() if body else {}
        self._check(given)
        before = dict(found)
        metadata, settings = merged(found["metadata"], given.get("metadata")), self._settings(found, given)
        found |= {key: given[key] or None for key in _TEXTS if key in given}
        found |= {"metadata": metadata, "invoice_settings": settings}
        for key in ("balance", "preferred_locales", "tax_exempt", "next_invoice_sequence", "invoice_prefix"):
            found[key] = given.get(key, found[key])
        if "address" in given:
            found["address"] = objects.address(given["address"] or None)
        if "shipping" in given:
            found["shipping"] = objects.shipping(given["shipping"] or None)
        self.account.emit("customer.updated", found, before)
        return Customer.from_dict(self.shown(found, body.expand if body else None))

    async def delete_customer(self, context: RequestContext, *, customer: str, **_: Any) -> DeletedCustomer:
        """Delete one; its payment methods are detached."""
        found = self._customer(customer)
        self.account.emit("customer.deleted", found)
        for method in self.account.state.payment_methods.values():
            if method["customer"] == customer:
                method["customer"] = None
        left: Object = {"id": customer, "object": "customer", "deleted": True}
        self.account.state.customers[customer] = left
        return DeletedCustomer.from_dict(left)

    async def list_customer_payment_methods(
        self, context: RequestContext, *, customer: str, type: str | None, allow_redisplay: str | None, **page: Any
    ) -> PaymentMethodList:
        """One page."""
        self._customer(customer)
        return self._methods(context, customer, type, allow_redisplay, page)

    async def list_payment_methods(
        self,
        context: RequestContext,
        *,
        customer: str | None,
        customer_account: str | None,
        type: str | None,
        allow_redisplay: str | None,
        **page: Any,
    ) -> PaymentMethodList:
        """One page: those of a customer, or all."""
        return self._methods(context, customer, type, allow_redisplay, page)

    def _methods(
        self, context: RequestContext, customer: str | None, type: str | None, redisplay: str | None, page: Any
    ) -> PaymentMethodList:
        found = [
            each
            for each in self.account.state.payment_methods.values()
            if customer in (None, each["customer"])
            and type in (None, each["type"])
            and redisplay in (None, each["allow_redisplay"])
        ]
        return PaymentMethodList.from_dict(self.page(found, context, "payment_method", page))

    async def create_payment_method(
        self, context: RequestContext, *, body: models.PaymentMethodCreate | None, **_: Any
    ) -> PaymentMethod:
        """Create one."""
        found = methods.create(self.account, body.to_dict() if body else {})
        return PaymentMethod.from_dict(self.shown(found, body.expand if body else None))

    async def get_payment_method(
        self, context: RequestContext, *, payment_method: str, expand: list[str] | None, **_: Any
    ) -> PaymentMethod:
        """Read one; `pm_card_visa` and the like make a new one."""
        return PaymentMethod.from_dict(self.shown(self._method(payment_method), expand))

    def _method(self, id: str) -> Object:
        try:
            return methods.resolve(self.account, id, "payment_method")
        except StripeError as problem:
            raise no_such("PaymentMethod", id, "payment_method", 404) from problem

    async def update_payment_method(
        self, context: RequestContext, *, payment_method: str, body: models.PaymentMethodUpdate | None, **_: Any
    ) -> PaymentMethod:
        """Change one."""
        found = self._method(payment_method)
        before = dict(found)
        given = body.to_dict() if body else {}
        found["metadata"] = merged(found["metadata"], given.get("metadata"))
        if "billing_details" in given:
            found["billing_details"] = objects.billing({**found["billing_details"], **given["billing_details"]})
        card = given.get("card") or {}
        found["card"] = {**found["card"], **{key: card[key] for key in ("exp_month", "exp_year") if key in card}}
        found["allow_redisplay"] = given.get("allow_redisplay", found["allow_redisplay"])
        self.account.emit("payment_method.updated", found, before)
        return PaymentMethod.from_dict(self.shown(found, body.expand if body else None))

    async def attach_payment_method(
        self, context: RequestContext, *, payment_method: str, body: models.PaymentMethodAttach | None, **_: Any
    ) -> PaymentMethod:
        """Attach one to a customer."""
        if body is None or not body.customer:
            raise missing("customer")
        customer = self.account.customer(body.customer)
        found = self._method(payment_method)
        methods.attach(self.account, found, customer)
        return PaymentMethod.from_dict(self.shown(found, body.expand))

    async def detach_payment_method(
        self, context: RequestContext, *, payment_method: str, body: models.OnlyExpand | None, **_: Any
    ) -> PaymentMethod:
        """Detach one."""
        found = self.account.find("payment_method", payment_method, "payment_method", status=404)
        if found["customer"] is None:
            text = "The payment method you provided is not attached to a customer so detachment is impossible."
            raise StripeError(400, text)
        before, found["customer"] = dict(found), None
        self.account.emit("payment_method.detached", found, before)
        return PaymentMethod.from_dict(self.shown(found, body.expand if body else None))
