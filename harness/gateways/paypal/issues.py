"""The issue codes of PayPal's errors: which status each one has, and what it says."""

from __future__ import annotations

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    405: ("METHOD_NOT_SUPPORTED", "The server does not implement the requested HTTP method."),
    406: (
        "MEDIA_TYPE_NOT_ACCEPTABLE",
        "The server does not implement the media type that would be acceptable to the client.",
    ),
    408: ("REQUEST_TIMEOUT", "The request took too long."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    413: ("PAYLOAD_TOO_LARGE", "The request is larger than the server is willing to process."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The server does not support the request payload's media type."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error has occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}
"""The `name` and `message` of an error by its status (PayPal REST APIs, HTTP status codes and errors)."""

_STATUS = {
    400: (
        "INVALID_ARRAY_MAX_ITEMS", "INVALID_ARRAY_MIN_ITEMS", "INVALID_COUNTRY_CODE", "INVALID_JSON_POINTER_FORMAT",
        "INVALID_PARAMETER", "INVALID_PARAMETER_SYNTAX", "INVALID_PARAMETER_VALUE", "INVALID_STRING_LENGTH",
        "INVALID_STRING_MAX_LENGTH", "MALFORMED_REQUEST_JSON", "MISSING_REQUIRED_PARAMETER", "NOT_SUPPORTED",
        "PATCH_PATH_REQUIRED", "PATCH_VALUE_REQUIRED", "PAYPAL_REQUEST_ID_REQUIRED",
    ),
    401: ("INVALID_ACCOUNT_STATUS",),
    403: (
        "CONSENT_NEEDED", "NOT_ENABLED_FOR_CARD_PROCESSING", "PAYEE_ACCOUNT_NOT_SUPPORTED",
        "PAYEE_ACCOUNT_NOT_VERIFIED", "PAYEE_NOT_CONSENTED", "PERMISSION_DENIED",
    ),
    404: ("INVALID_RESOURCE_ID",),
    409: ("PREVIOUS_REQUEST_IN_PROGRESS",),
    429: ("RATE_LIMIT_REACHED",),
    500: ("INTERNAL_SERVER_ERROR", "INTERNAL_SERVICE_ERROR"),
    503: ("SERVICE_UNAVAILABLE",),
}  # fmt: skip
_STATUS_OF = {issue: status for status, issues in _STATUS.items() for issue in issues}

PENDING_REASONS = frozenset({
    "ECHECK", "INTERNATIONAL_WITHDRAWAL", "OTHER", "PENDING_REVIEW", "RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION",
    "TRANSACTION_APPROVED_AWAITING_FUNDING", "UNILATERAL", "VERIFICATION_REQUIRED",
})  # fmt: skip
"""Why a capture may be `PENDING` (`capture_status_details.reason`)."""

_DESCRIPTIONS = {
    "ACTION_DOES_NOT_MATCH_INTENT": "The order was created with another intent. Use the call of that intent, or create"
    " an order with the intent of this one.",
    "AMOUNT_MISMATCH": "Should equal item_total + tax_total + shipping + handling + insurance - shipping_discount"
    " - discount.",
    "AUTHORIZATION_ALREADY_CAPTURED": "Authorization has previously been captured.",
    "AUTHORIZATION_AMOUNT_EXCEEDED": "Authorization amount specified exceeded allowable limit. Specify a different"
    " amount and try the request again.",
    "AUTHORIZATION_DENIED": "A denied authorization cannot be captured.",
    "AUTHORIZATION_EXPIRED": "An expired authorization cannot be captured.",
    "AUTHORIZATION_VOIDED": "A voided authorization cannot be captured or reauthorized.",
    "AUTH_CAPTURE_CURRENCY_MISMATCH": "Currency of capture must be the same as currency of authorization.",
    "AUTH_CURRENCY_MISMATCH": "The currency specified during reauthorization should be the same as the currency"
    " specified in the original authorization.",
    "CANNOT_BE_NEGATIVE": "Must be greater than or equal to 0. If the currency supports decimals, only two decimal"
    " place precision is supported.",
    "CANNOT_BE_VOIDED": "A reauthorization cannot be voided. Please void the original parent authorization.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero. If the currency supports decimals, only two decimal"
    " place precision is supported.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "CARD_EXPIRED": "The card is expired",
    "DECIMALS_NOT_SUPPORTED": "Currency does not support decimals. Please refer to"
    " https://developer.paypal.com/api/rest/reference/currency-codes/ for more information.",
    "DECIMAL_PRECISION": "If the currency supports decimals, only two decimal place precision is supported.",
    "DUPLICATE_INVOICE_ID": "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account"
    " setting requires that Invoice Id be unique for each transaction.",
    "DUPLICATE_REFERENCE_ID": "`reference_id` must be unique if multiple `purchase_unit` are provided.",
    "DUPLICATE_REQUEST_ID": "The value of PayPal-Request-Id header has already been used. Specify a different value"
    " and try the request again.",
    "INSTRUMENT_DECLINED": "The instrument presented was either declined by the processor or bank, or it can't be"
    " used for this payment.",
    "INVALID_ARRAY_MAX_ITEMS": "The number of items in an array parameter is too large.",
    "INVALID_ARRAY_MIN_ITEMS": "The number of items in an array parameter is too small.",
    "INVALID_CURRENCY_CODE": "Currency code is invalid or is not currently supported. Please refer"
    " https://developer.paypal.com/api/rest/reference/currency-codes/ for list of supported currency codes.",
    "INVALID_JSON_POINTER_FORMAT": "Path should be a valid JSON Pointer that references a location within the request"
    " where the operation is performed.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "The value of a field is invalid.",
    "INVALID_PATCH_OPERATION": "The operation cannot be honored. Cannot add a property that is already present, use"
    " replace. Cannot remove or replace a property that is not present, use add.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "INVALID_STRING_LENGTH": "The value of a field is either too short or too long.",
    "ITEM_TOTAL_MISMATCH": "Should equal sum of (unit_amount * quantity) across all items for a given purchase_unit.",
    "ITEM_TOTAL_REQUIRED": "If item details are specified (items.unit_amount and items.quantity) corresponding"
    " amount.breakdown.item_total is required.",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MAX_CAPTURE_AMOUNT_EXCEEDED": "Capture amount exceeds allowable limit. The default overage limit is 115%, which"
    " allows the sum of all captures to be up to 115% of the order amount.",
    "MAX_VALUE_EXCEEDED": "Should be less than or equal to 999999999999999.99.",
    "MISSING_REQUIRED_PARAMETER": "A required field / parameter is missing.",
    "MULTI_CURRENCY_ORDER": "Multiple differing values of currency_code are not supported. Entire Order request must"
    " have the same currency_code.",
    "NOT_PATCHABLE": "Cannot be patched.",
    "ORDER_ALREADY_AUTHORIZED": "Order already authorized. If 'intent=AUTHORIZE' only one authorization per order is"
    " allowed.",
    "ORDER_ALREADY_CAPTURED": "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed.",
    "ORDER_ALREADY_COMPLETED": "The order cannot be patched after it is completed.",
    "ORDER_COMPLETED_OR_VOIDED": "Order is voided or completed and hence cannot be authorized.",
    "ORDER_EXPIRED": "Order is expired and hence cannot be authorized.",
    "ORDER_NOT_APPROVED": "Payer has not yet approved the Order for payment. Please redirect the payer to the"
    " 'rel':'approve' url returned as part of the HATEOAS links within the Create Order call or provide a valid"
    " payment_source in the request.",
    "PATCH_PATH_REQUIRED": "Specify a 'path' for the field for which the operation needs to be performed.",
    "PATCH_VALUE_REQUIRED": "Specify a 'value' for the field that is being patched.",
    "PAYER_CANNOT_PAY": "Payer cannot pay for this transaction. Please contact the payer to find other ways to pay"
    " for this transaction.",
    "PAYPAL_REQUEST_ID_REQUIRED": "A PayPal-Request-Id is required if you are trying to process payment for an Order."
    " Please specify a PayPal-Request-Id or Create the Order without a 'payment_source' specified.",
    "PENDING_CAPTURE": "Cannot initiate a refund as the capture is pending. Capture is typically pending when the"
    " payer has funded the transaction using e-check/bank funded.",
    "PERMISSION_DENIED": "You do not have permission to access or perform operations on this resource.",
    "PREVIOUSLY_CAPTURED": "Authorization has been previously captured and hence cannot be voided.",
    "PREVIOUSLY_VOIDED": "Authorization has been previously voided and hence cannot be voided again.",
    "PREVIOUS_REQUEST_IN_PROGRESS": "A previous request on this resource is currently in progress. Please wait for"
    " sometime and try again.",
    "REAUTHORIZATION_NOT_SUPPORTED": "A reauthorize cannot be attempted on an authorization_id that is the result of"
    " a prior reauthorization.",
    "REAUTHORIZATION_TOO_SOON": "A reauthorization is only allowed once from Day 4 to Day 29 since the date of the"
    " original authorization.",
    "REFERENCE_ID_REQUIRED": "'reference_id' is required for each 'purchase_unit' if multiple 'purchase_unit' are"
    " provided.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet"
    " been refunded.",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
    "REFUND_TIME_LIMIT_EXCEEDED": "You are over the time limit to perform a refund on this capture",
    "TAX_TOTAL_MISMATCH": "Should equal sum of (tax * quantity) across all items for a given purchase_unit.",
    "TAX_TOTAL_REQUIRED": "If item details are specified (items.tax_total and items.quantity) corresponding"
    " amount.breakdown.tax_total is required.",
    "UNSUPPORTED_INTENT": "`intent=AUTHORIZE` is not supported for multiple purchase units. Only `intent=CAPTURE` is"
    " supported.",
}


def status_of(issue: str) -> int:
    """The HTTP status under which PayPal reports an issue: 422 unless it is one of another status."""
    return _STATUS_OF.get(issue, 422)


def description_of(issue: str) -> str:
    """What PayPal says of an issue; its code as a sentence where that is all there is to say."""
    return _DESCRIPTIONS.get(issue) or issue.replace("_", " ").capitalize() + "."
