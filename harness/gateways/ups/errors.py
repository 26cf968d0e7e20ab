"""UPS's error bodies and codes, as its developer guides list them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shop.external.ups.http.models import ErrorEnvelope
from shop.runtime.http_operation import Operation
from shop.runtime.problem import Fault, HttpProblem

RATING_OFFSET = 10_000
"""The rules that rating and shipping share have rating codes lower by this: 121030 and 111030."""
_MESSAGES: Mapping[str, str] = {
    "10001": "The JSON document is not well formed",
    "10002": "The JSON document is well formed but the document is not valid",
    "10400": "Invalid/Missing Authorization Header",
    "10401": "ClientId is Invalid",
    "10404": "The requested resource does not exist",
    "10405": "The HTTP method is not supported by the requested resource",
    "10406": "The requested media type is not available",
    "10413": "The message is too large to be processed by the Application",
    "10415": "The content type of the request is not supported",
    "10429": "Too Many Requests",
    "10500": "Internal Server Error",
    "10503": "Service Unavailable",
    "250002": "Invalid Authentication Information.",
    "250003": "Invalid Access License number",
    "120020": "Max packages per shipment exceeded.",
    "120100": "Missing or Invalid shipper number",
    "120101": "Missing/Invalid shipper name",
    "120102": "Missing/Invalid shipper address line 1",
    "120105": "Missing/Invalid Shipper City",
    "120106": "Missing/Invalid Shipper StateProvinceCode",
    "120107": "Missing/Invalid Shipper PostalCode",
    "120108": "Missing/Invalid Shipper CountryCode",
    "120200": "Missing/Invalid ShipTo CompanyName",
    "120202": "Missing/Invalid ShipTo AddressLine1",
    "120205": "Missing/Invalid ShipTo City",
    "120206": "Missing/Invalid ShipTo StateProvinceCode",
    "120207": "Missing/Invalid ShipTo PostalCode",
    "120208": "Missing/Invalid/Unsupported ShipTo CountryCode",
    "120300": "Missing/Invalid ShipFrom CompanyName",
    "120302": "Missing/Invalid ShipFrom AddressLine1",
    "120305": "Missing/Invalid ShipFrom City",
    "120306": "Missing/Invalid ShipFrom StateProvinceCode",
    "120307": "Missing/Invalid ShipFrom PostalCode",
    "120308": "Missing/Invalid/Unsupported ShipFrom CountryCode",
    "120317": "The ShipFrom country must be the same as the Shipper country",
    "120400": "Missing/Invalid shipment payment method",
    "120410": "One payment method is required.",
    "120500": "Missing/Invalid Service/Code",
    "120501": "Invalid Shipment/ReferenceNumber/Value",
    "120502": "InvoiceLineTotal/MonetaryValue must be greater than 0",
    "120526": "InvoiceLineTotal/MonetaryValue may not exceed the length of 8",
    "120546": "The unit of measurement is not valid for weight for this shipment",
    "120547": "The unit of measurement is not valid for dimensions.",
    "120600": "Missing Package/PackagingType/Code",
    "120601": "Missing/Invalid Package weight",
    "120602": "Missing/Invalid Combination of package length, width, and height values.",
    "120608": "Package weight is required",
    "120609": "All Package Dimensions are required and each must be greater than 0",
    "120702": "Missing/Invalid LabelSpecification/LabelImageFormat/Code",
    "121030": "Packages must weigh more than zero pounds.",
    "121031": "Packages must weigh more than zero kilogram",
    "121035": "The maximum per package weight for the selected service from the selected country is 150 pounds.",
    "121050": "Package exceeds the maximum size total constraints of 165 inches.",
    "121055": "Package exceeds the maximum length constraint of 108 inches.",
    "121100": "The requested service is invalid from the selected origin.",
    "121210": "The requested service is unavailable between the selected locations.",
    "121266": "The currency code is invalid for the shipment.",
    "110002": "No packages in shipment",
    "190100": "Invalid ShipmentIdentificationNumber.",
    "190101": "Time for voiding has expired.",
    "190102": "No shipment found within the allowed void period",
    "190109": "Invalid TrackingNumber",
    "190117": "The Shipment has already been voided",
    "300005": "Either tracking number or combination of reference plus shipper number required",
    "300007": (
        "The shipment for the requested tracking number or the combination of reference number plus shipper number "
        "could not be found. Please check the submitted data or wait until the shipment is processed."
    ),
    "300014": "Invalid Tracking Number",
    "300033": "The shipment for which you are trying to recover a label or Receipt has been voided.",
    "151018": "Invalid tracking number",
    "151044": "No tracking information available",
    "VSS002": "Missing transId.",
    "VSS003": "Missing transactionSrc.",
    "264002": "The country code is missing or not supported",
    "264003": "Please enter a valid address",
    "9510101": "The pickup date or time is missing or invalid",
    "9510102": "The pickup address is missing or invalid",
    "9510103": "The account number is missing or invalid",
    "9510104": "The weight or the number of pieces is invalid",
    "9510115": "The pickup request number is missing or invalid",
    "9510116": "The pickup was cancelled already",
    "9510117": "The pickup cannot be cancelled any more",
}
_CODE_OF_STATUS: Mapping[int, str] = {
    400: "10002",
    401: "250002",
    404: "10404",
    405: "10405",
    406: "10406",
    413: "10413",
    415: "10415",
    429: "10429",
    500: "10500",
    503: "10503",
}
_SHIPPING_RULES = (
    (r"/Shipper/ShipperNumber", "120100"),
    (r"/Shipper/Name", "120101"),
    (r"/Shipper/Address/AddressLine", "120102"),
    (r"/Shipper/Address/City", "120105"),
    (r"/Shipper/Address/PostalCode", "120107"),
    (r"/Shipper(/Address(/CountryCode)?)?$", "120108"),
    (r"/ShipTo/Name", "120200"),
    (r"/ShipTo/Address/AddressLine", "120202"),
    (r"/ShipTo/Address/City", "120205"),
    (r"/ShipTo/Address/PostalCode", "120207"),
    (r"/ShipTo(/Address(/CountryCode)?)?$", "120208"),
    (r"/ShipFrom/Name", "120300"),
    (r"/ShipFrom/Address/AddressLine", "120302"),
    (r"/ShipFrom/Address/City", "120305"),
    (r"/ShipFrom/Address/PostalCode", "120307"),
    (r"/ShipFrom(/Address(/CountryCode)?)?$", "120308"),
    (r"/PaymentInformation", "120400"),
    (r"/Service(/Code)?$", "120500"),
    (r"/ReferenceNumber", "120501"),
    (r"/InvoiceLineTotal", "120502"),
    (r"/PackageWeight", "120601"),
    (r"/Dimensions", "120602"),
    (r"/Packag(e|ing)", "120600"),
    (r"/LabelSpecification", "120702"),
)
"""What is missing or wrong in a ship request, by a pattern of its place."""
_PICKUP_RULES = (
    (r"/PickupDateInfo", "9510101"),
    (r"/PickupAddress", "9510102"),
    (r"/Shipper", "9510103"),
    (r"/(PickupPiece|TotalWeight)", "9510104"),
)
_ADDRESS_RULES = ((r"/CountryCode$", "264002"), (r"/AddressKeyFormat", "264003"))
_RULES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ship": _SHIPPING_RULES,
    "rate": _SHIPPING_RULES,
    "createPickup": _PICKUP_RULES,
    "validateAddress": _ADDRESS_RULES,
    "recoverLabel": ((r"/LabelImageFormat", "120702"), (r"/(TrackingNumber|ReferenceValues)", "300005")),
}
_PARAMETERS: Mapping[str, str] = {"transId": "VSS002", "transactionSrc": "VSS003"}


class UpsProblem(HttpProblem):
    """An error in UPS's words."""

    def __init__(self, status: int, code: str, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        text = message or message_of(code)
        body = {"response": {"errors": [{"code": code, "message": text}]}}
        words = {"errorcode": code, "errordescription": text.encode("ascii", "replace").decode()}
        super().__init__(status, headers={**words, **(headers or {})}, model=ErrorEnvelope.from_dict(body))


def refused(code: str, message: str = "") -> UpsProblem:
    """Status 400."""
    return UpsProblem(400, code, message)


def rating_code(shipping_code: str) -> str:
    """The code of rating for a rule that shipping has, too."""
    return str(int(shipping_code) - RATING_OFFSET)


def message_of(code: str) -> str:
    """What UPS says with a code."""
    found = _MESSAGES.get(code)
    if found is None and code.isdigit():
        found = _MESSAGES.get(str(int(code) + RATING_OFFSET))
    return found or "The request cannot be processed"


def translated(problem: HttpProblem, operation: Operation[Any] | None) -> UpsProblem:
    """An error of the framework."""
    name = operation.name if operation is not None else ""
    if problem.faults:
        return _invalid(problem.faults[0], name)
    if name == "createToken" and problem.status == 401:
        return UpsProblem(401, "10400")
    if problem.status == 401:
        return UpsProblem(401, "250003")
    status = problem.status if problem.status in _CODE_OF_STATUS else 503 if problem.status > 500 else 400
    headers = {key: value for key, value in problem.headers.items() if key.lower() in ("allow", "retry-after")}
    return UpsProblem(status, _CODE_OF_STATUS[status], headers=headers)


def failed(status: int, code: str, message: str) -> UpsProblem:
    """A failure that was scripted."""
    return UpsProblem(status, code or _CODE_OF_STATUS.get(status, "10503" if status >= 500 else "10002"), message)


def _invalid(fault: Fault, operation: str) -> UpsProblem:
    """UPS complains of one thing at a time."""
    if fault.parameter is not None:
        if fault.parameter == "version":
            return UpsProblem(404, "10404")
        return refused(_PARAMETERS.get(fault.parameter, "10002"))
    if fault.kind == "json_invalid":
        return refused("10001")
    for pattern, code in _RULES.get(operation, ()):
        if re.search(pattern, fault.pointer or ""):
            return refused(rating_code(code) if operation == "rate" else code)
    place = (fault.pointer or "").strip("/").replace("/", ".")
    return refused("10002", f"{message_of('10002')}: {place or 'body'}: {fault.detail}")
