"""FedEx's error bodies and codes, as its API documentation lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shop.external.fedex.http.models import ErrorResponse
from shop.runtime.http_operation import Operation
from shop.runtime.http_requests import RequestContext
from shop.runtime.problem import Fault, HttpProblem

TRANSACTION_HEADER = "x-customer-transaction-id"
_MESSAGES: Mapping[str, str] = {
    "BAD.REQUEST.ERROR": "Missing or duplicate parameters. Please modify your request and try again.",
    "NOT.AUTHORIZED.ERROR": "Access token expired. Please modify your request and try again.",
    "FORBIDDEN.ERROR": "We could not authorize your credentials. Please check your permissions and try again.",
    "NOT.FOUND.ERROR": "The resource you requested is no longer available. Please modify your request and try again.",
    "METHOD.NOT.ALLOWED.ERROR": "The method is not supported for this resource. Please modify your request.",
    "NOT.ACCEPTABLE.ERROR": "The requested media type is not available.",
    "REQUEST.TOO.LARGE.ERROR": "The request is too large.",
    "UNSUPPORTED.MEDIA.TYPE.ERROR": "The content type of the request is not supported.",
    "TOO.MANY.REQUESTS.ERROR": "The quota of requests is used up. Please try again later.",
    "INTERNAL.SERVER.ERROR": (
        "We encountered an unexpected error and are working to resolve the issue. "
        "We apologize for any inconvenience. Please check back at a later time."
    ),
    "SERVICE.UNAVAILABLE.ERROR": (
        "The service is currently unavailable and we are working to resolve the issue. "
        "We apologize for any inconvenience. Please check back at a later time."
    ),
    "ACCOUNT.NUMBER.INVALID": "Invalid account number. Please modify your request and try again.",
    "ACCOUNT.NUMBER.MISMATCH": "Account numbers of shipper and payor must match for this payment type.",
    "SHIPMENT.USER.UNAUTHORIZED": "Requested user is not authorized to perform the operation.",
    "SHIPPER.COUNTRY.UNSERVICED": "The country of the shipper is invalid or not serviced.",
    "RECIPIENT.COUNTRY.UNSERVICED": "The country of the recipient is invalid or not serviced.",
    "COUNTRY.POSTALCODE.INVALID": "Invalid postal code of the shipper. Please update and try again.",
    "DESTINATION.POSTALCODE.MISSING.ORINVALID": "Destination postal code missing or invalid.",
    "SHIPPER.POSTALSTATE.MISMATCH": "Shipper Postal-State Mismatch. Please update and try again.",
    "RECIPIENT.POSTALSTATE.MISMATCH": "Recipient Postal-State Mismatch. Please update and try again.",
    "SHIPPER.CONTACT.PHONENUMBER.INVALID": "Phone number of the shipper is missing or invalid.",
    "RECIPIENT.CONTACT.PHONENUMBER.INVALID": "Phone number of the recipient is missing or invalid.",
    "SERVICETYPE.NOT.ALLOWED": "Service type not allowed between the selected locations. Please update and try again.",
    "SERVICE.PACKAGECOMBINATION.INVALID": "Invalid service and packaging combination. Please update and try again.",
    "PACKAGE.WEIGHT.INVALID": "Package weight is missing or invalid. Please update and try again.",
    "MAXIMUM.WEIGHT.EXCEEDED": "Weight exceeds the maximum of the service. Please update and try again.",
    "PACKAGEDIMENSION.TYPE.ERROR": "Each dimension must be at least 1. Please update and try again.",
    "DIMENSIONS.EXCEEDS.LIMITS": "Package dimensions exceed the limits. Please update and try again.",
    "CURRENCY.TYPE.INVALID": "Currency type is invalid or not supported. Please update and try again.",
    "DECLAREDVALUE.AMOUNT.INVALID": "Declared value is invalid. Please update and try again.",
    "LABELIMAGETYPE.INVALID": "Label image type is invalid or not supported. Please update and try again.",
    "ONELABELATATIME.NOTSUPPORTED": "All packages of a shipment must be in one request.",
    "CANCELSHIPMENT.TRACKINGNUMBER.DELETED": "Shipment was requested to be deleted for a number already deleted.",
    "TRACKINGIDS.TRACKINGNUMBER.CLOSED": "The shipment cannot be cancelled any more: FedEx has the package.",
    "TRACKING.TRACKINGNUMBER.EMPTY": "Please provide tracking number.",
    "TRACKING.TRACKINGNUMBER.NOTFOUND": (
        "Tracking number cannot be found. Please correct the tracking number and try again."
    ),
    "TRACKING.TRACKINGNUMBERS.LIMITEXCEEDED": "Please limit your inquiry to 30 tracking numbers or references.",
    "TRACKING.REFERENCENUMBER.NOTFOUND": (
        "Reference number cannot be found. Please correct the reference number and try again."
    ),
    "TRACKING.REFERENCEVALUE.EMPTY": "Missing or invalid shipment. Please enter a valid shipment number.",
    "TRACKING.REFERENCETYPE.INVALID": "Please provide a valid reference/associated type.",
    "TRACKING.REFERENCEDATA.INCOMPLETE": (
        "Please enter an account number or destination country/territory and postal code."
    ),
    "PICKUP.READYDATE.INVALID": "The ready date and time of the pickup is invalid or in the past.",
    "PICKUP.CLOSETIME.INVALID": "The close time is invalid, or too near to the ready time.",
    "PICKUP.CONFIRMATIONCODE.INVALID": "The pickup confirmation code is invalid.",
    "PICKUP.ALREADY.CANCELLED": "The pickup was cancelled already.",
    "PICKUP.ALREADY.COMPLETED": "The pickup cannot be cancelled any more.",
}
_CODE_OF_STATUS: Mapping[int, str] = {
    400: "BAD.REQUEST.ERROR",
    401: "NOT.AUTHORIZED.ERROR",
    403: "FORBIDDEN.ERROR",
    404: "NOT.FOUND.ERROR",
    405: "METHOD.NOT.ALLOWED.ERROR",
    406: "NOT.ACCEPTABLE.ERROR",
    413: "REQUEST.TOO.LARGE.ERROR",
    415: "UNSUPPORTED.MEDIA.TYPE.ERROR",
    429: "TOO.MANY.REQUESTS.ERROR",
    500: "INTERNAL.SERVER.ERROR",
    503: "SERVICE.UNAVAILABLE.ERROR",
}


class FedexProblem(HttpProblem):
    """An error in FedEx's words; `transactionId` is filled in where it is answered."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        *,
        parameters: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        error: dict[str, Any] = {"code": code, "message": message or message_of(code)}
        listed = [dict(each) for each in parameters]
        if listed:
            error["parameterList"] = listed
        body = {"transactionId": "", "errors": [error]}
        super().__init__(status, headers=headers, model=ErrorResponse.from_dict(body))


def refused(code: str, message: str = "") -> FedexProblem:
    """Status 400."""
    return FedexProblem(400, code, message)


def message_of(code: str) -> str:
    """What FedEx says with a code."""
    return _MESSAGES.get(code, "The request cannot be processed. Please update and try again.")


def track_error(code: str) -> dict[str, Any]:
    """The member `error` of a track result."""
    return {"code": code, "message": message_of(code)}


def translated(problem: HttpProblem, operation: Operation[Any] | None) -> FedexProblem:
    """An error of the framework."""
    is_token = operation is not None and operation.name == "createToken"
    if problem.faults and is_token:
        return FedexProblem(400, "BAD.REQUEST.ERROR")
    if problem.faults:
        return _invalid_input(problem.faults)
    if is_token and problem.status == 415:
        return FedexProblem(400, "BAD.REQUEST.ERROR")
    status = problem.status if problem.status in _CODE_OF_STATUS else 503 if problem.status > 500 else 400
    headers = {name: value for name, value in problem.headers.items() if name.lower() in ("allow", "retry-after")}
    return FedexProblem(status, _CODE_OF_STATUS[status], headers=headers)


def failed(status: int, code: str, message: str) -> FedexProblem:
    """A failure that was scripted."""
    default = _CODE_OF_STATUS.get(status, "SERVICE.UNAVAILABLE.ERROR" if status >= 500 else "BAD.REQUEST.ERROR")
    return FedexProblem(status, code or default, message)


def _invalid_input(faults: Iterable[Fault]) -> FedexProblem:
    """Bean validation's way of saying what is wrong with a request."""
    parameters = []
    for fault in faults:
        key = fault.parameter or (fault.pointer or "").strip("/").replace("/", ".")
        rule = "NotNull" if fault.kind == "missing" else "Invalid"
        parameters.append({"key": f"{rule}.{key}" if key else rule, "value": fault.detail})
    message = f"Validation failed for object='request'. Error count: {len(parameters)}"
    return FedexProblem(400, "INVALID.INPUT.EXCEPTION", message, parameters=parameters)


def customer_transaction(context: RequestContext | None) -> str:
    """The caller's own number of a request; empty when there is none that could come back."""
    number = context.headers.get(TRANSACTION_HEADER, "") if context is not None else ""
    return number if len(number) <= 40 else ""
