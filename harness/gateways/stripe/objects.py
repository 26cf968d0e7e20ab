"""New objects, with every key that Stripe documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe.cards import Card

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: Mapping[str, Any] | None) -> Object | None:
    """An address with all its keys."""
    return {key: (given or {}).get(key) or None for key in _ADDRESS} if given else None


def shipping(given: Mapping[str, Any] | None) -> Object | None:
    """Where something is shipped, with all keys."""
    if not given:
        return None
    rest = {key: given.get(key) or None for key in ("carrier", "name", "phone", "tracking_number")}
    return {"address": address(given.get("address")), **rest}


def billing(given: Mapping[str, Any] | None) -> Object:
    """Whom a payment method belongs to, with all keys."""
    given = given or {}
    blank = dict.fromkeys(_ADDRESS)
    rest = {key: given.get(key) or None for key in ("email", "name", "phone", "tax_id")}
    return {"address": address(given.get("address")) or blank, **rest}


def payment_method(account: Account, card: Card, given: Mapping[str, Any]) -> Object:
    """A card payment method."""
    card_given = given.get("card") or {}
    year = int(account.world.clock.now() // 31_556_952) + 1971
    return {
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay") or "unspecified",
        "billing_details": billing(given.get("billing_details")),
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "unchecked"},
            "country": card.country,
            "description": None,
            "display_brand": card.brand,
            "exp_month": card_given.get("exp_month") or 12,
            "exp_year": card_given.get("exp_year") or year,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": card.funding,
            "generated_from": None,
            "iin": None,
            "issuer": None,
            "last4": card.number[-4:],
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "radar_options": {},
        "type": "card",
    }


_OPTIONS = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}


def method_options(given: Mapping[str, Any], old: Mapping[str, Any]) -> Object:
    """The options of card payments after a request."""
    card = (given.get("payment_method_options") or {}).get("card") or {}
    chosen = card.get("request_three_d_secure", old["card"]["request_three_d_secure"])
    return {"card": {**old["card"], "request_three_d_secure": chosen}}


def payment_intent(account: Account, given: Mapping[str, Any]) -> Object:
    """A payment intent before its first confirmation."""
    id = f"pi_3{account.world.ids.token(23)}"
    automatic = given.get("automatic_payment_methods")
    listed = given.get("payment_method_types")
    if automatic is None and listed is None:
        automatic = {"enabled": True}
    if automatic is not None:
        automatic = {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": automatic["enabled"]}
    kept = (
        "application_fee_amount", "customer_account", "description", "on_behalf_of", "receipt_email",
        "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
    )  # fmt: skip
    usage = given.get("setup_future_usage")
    return {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": given.get("allowed_payment_method_types"),
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method") or "automatic_async",
        "client_secret": f"{id}_secret_{account.world.ids.token(25)}",
        "confirmation_method": given.get("confirmation_method") or "automatic",
        "created": account.now(),
        "currency": given["currency"].lower(),
        "customer": given.get("customer") or None,
        "excluded_payment_method_types": given.get("excluded_payment_method_types"),
        "hooks": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_action": None,
        "payment_details": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": method_options(given, _OPTIONS),
        "payment_method_types": listed or ["card"],
        "payment_record": None,
        "presentment_details": None,
        "processing": None,
        "review": None,
        "setup_future_usage": None if usage in (None, "", "none") else usage,
        "shipping": shipping(given.get("shipping")),
        "source": None,
        "status": "requires_payment_method",
        "transfer_data": given.get("transfer_data") or None,
        **{key: given.get(key) or None for key in kept},
    }


def charge(account: Account, intent: Object, method: Object, *, captured: bool) -> Object:
    """A charge that succeeds; `payments` turns it into a failed one."""
    card = method["card"]
    id = f"ch_3{account.world.ids.token(23)}"
    amount = intent["amount"]
    copied = (
        "application_fee_amount", "currency", "customer", "description", "metadata", "on_behalf_of", "receipt_email",
        "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
    )  # fmt: skip
    return {
        **{key: intent[key] for key in copied},
        "metadata": dict(intent["metadata"]),
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if captured else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "authorization_code": account.world.ids.digits(6),
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": (intent["statement_descriptor"] or "TREATY")[:22].upper(),
        "captured": captured,
        "created": account.now(),
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "level3": None,
        "livemode": False,
        "outcome": outcome("approved_by_network", None, "Payment complete.", "authorized"),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": _charged_card(account, intent, card, captured=captured)},
        "presentment_details": None,
        "radar_options": {},
        "receipt_number": None,
        "receipt_url": f"{account.world.url}/receipts/{id}",
        "refunded": False,
        "refunds": None,
        "review": None,
        "source": None,
        "source_transfer": None,
        "status": "succeeded",
        "transfer": None,
    }


def _charged_card(account: Account, intent: Object, card: Mapping[str, Any], *, captured: bool) -> Object:
    unavailable = {"status": "unavailable"}
    same = (
        "brand",
        "country",
        "description",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "iin",
        "issuer",
        "last4",
    )
    return {
        **{key: card[key] for key in same},
        "amount_authorized": intent["amount"],
        "authorization_code": account.world.ids.digits(6),
        "capture_before": None if captured else account.now() + 7 * 86_400,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "electronic_commerce_indicator": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": unavailable,
        "installments": None,
        "mandate": None,
        "moto": None,
        "multicapture": {"status": "unavailable" if captured else "available"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": account.world.ids.digits(15),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": card["regulated_status"],
        "setup_credential_usage": None,
        "stored_credential_usage": None,
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }


def outcome(network: str, reason: str | None, message: str, type: str, *, blocked: bool = False) -> Object:
    """Why a charge was accepted or refused."""
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 99 if blocked else 12,
        "rule": None,
        "seller_message": message,
        "type": type,
    }


def balance_transaction(account: Account, type: str, source: Object, amount: int) -> Object:
    """A movement of the balance; charges cost 2.9 % and 30 units."""
    fee = round(amount * 0.029) + 30 if type == "charge" else 0
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": source["currency"],
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return account.add(
        {
            "id": f"txn_3{account.world.ids.token(23)}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": account.now() + 2 * 86_400,
            "balance_type": "payments",
            "created": account.now(),
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": {"adjustment": "dispute"}.get(type, type),
            "source": source["id"],
            "status": "pending",
            "type": type,
        }
    )


def refund(account: Account, charge: Object, amount: int, given: Mapping[str, Any]) -> Object:
    """A refund that succeeded."""
    return {
        "id": f"re_3{account.world.ids.token(23)}",
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": {
            "type": "card",
            "card": {
                "reference": None,
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        },
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": given.get("instructions_email"),
        "metadata": {},
        "next_action": None,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "presentment_details": None,
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute(account: Account, charge: Object, reason: str, status: str) -> Object:
    """A customer's objection to a charge."""
    evidence = (
        "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
        "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
        "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
        "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
        "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
        "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file",
        "uncategorized_text",
    )  # fmt: skip
    return {
        "id": account.new_id("dp"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(evidence), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": account.now() + 9 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "intended_submission_method": None,
        "is_charge_refundable": status.startswith("warning"),
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if reason == "fraudulent" else "13.1",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "chargeback",
                "network": charge["payment_method_details"]["card"]["network"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def customer(account: Account, given: Mapping[str, Any]) -> Object:
    """A customer."""
    kept = ("business_name", "description", "email", "individual_name", "name", "phone")
    return {
        "id": f"cus_{account.world.ids.token(14)}",
        "object": "customer",
        "address": address(given.get("address")),
        "balance": given.get("balance") or 0,
        "cash_balance": None,
        "created": account.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_credit_balance": {},
        "invoice_prefix": given.get("invoice_prefix") or account.world.ids.upper(8),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": given.get("next_invoice_sequence") or 1,
        "preferred_locales": given.get("preferred_locales") or [],
        "shipping": shipping(given.get("shipping")),
        "sources": None,
        "subscriptions": None,
        "tax": None,
        "tax_exempt": given.get("tax_exempt") or "none",
        "tax_ids": None,
        "test_clock": given.get("test_clock") or None,
        **{key: given.get(key) or None for key in kept},
    }


def webhook_endpoint(account: Account, given: Mapping[str, Any]) -> Object:
    """A URL that events are sent to; its secret is kept apart."""
    return {
        "id": account.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version") or None,
        "application": None,
        "created": account.now(),
        "description": given.get("description") or None,
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": given["url"],
    }
