"""Small in-memory services behind the generated gateway, each a gRPC server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from shop.analytics.v1.analytics_grpc import AnalyticsServiceClient
from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.catalog_grpc import CatalogServiceClient, CatalogServiceMethods
from shop.checkout.v1 import checkout_pb2
from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient, add_checkout_service
from shop.common.v1 import error_pb2, money_pb2
from shop.customer.v1 import customer_pb2
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.customer_grpc import CustomerServiceClient, CustomerServiceMethods
from shop.gateway.v1.http.client import Client
from shop.gateway.v1.http.front import Front
from shop.gateway.v1.http.server import create_app
from shop.loyalty.v1.loyalty_grpc import LoyaltyServiceClient
from shop.order.v1 import order_pb2
from shop.order.v1.order_grpc import OrderServiceClient, add_order_service
from shop.payment.v1 import payment_pb2
from shop.payment.v1.payment_grpc import PaymentServiceClient, PaymentServiceMethods
from shop.runtime.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, RpcError
from shop.runtime.grpc_server import Call, GrpcServer, unary
from shop.runtime.http_host import HttpServer
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Credentials
from shop.runtime.http_server import ServerOptions
from shop.runtime.transcode import FrontOptions
from shop.shipping.v1.shipping_grpc import ShippingServiceClient
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

TOKEN = "token-of-ada"
DETAIL = "error-detail-bin"
NOW = Timestamp(seconds=1_770_000_000)


def euro(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="EUR")


def detail(code: str, **metadata: str) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata that carries a `common.v1.ErrorDetail`."""
    return ((DETAIL, error_pb2.ErrorDetail(code=code, metadata=metadata).SerializeToString()),)


@dataclass
class Journal:
    """What the services were asked."""

    requests: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def note(self, request: Message, call: Call) -> None:
        self.requests.append(request)
        self.calls.append(call)

    @property
    def request(self) -> Any:
        """The last one."""
        return self.requests[-1]

    @property
    def call(self) -> Call:
        """The last one."""
        return self.calls[-1]


class Checkouts:
    """checkout.v1.CheckoutService: a cart costs 35.69 EUR."""

    total = 3569

    def __init__(self, journal: Journal, orders: Orders) -> None:
        self._journal = journal
        self._orders = orders
        self._found: dict[str, checkout_pb2.GetCheckoutStatusResponse] = {}

    async def start_checkout(
        self, request: checkout_pb2.StartCheckoutRequest, call: Call, /
    ) -> checkout_pb2.StartCheckoutResponse:
        self._journal.note(request, call)
        id_ = f"chk_{len(self._found) + 1}"
        self._found[id_] = checkout_pb2.GetCheckoutStatusResponse(
            checkout_id=id_, status=checkout_pb2.CHECKOUT_STATUS_STARTED, created_at=NOW, updated_at=NOW
        )
        return checkout_pb2.StartCheckoutResponse(checkout_id=id_, status="started", created_at=NOW)

    async def preview_order(
        self, request: checkout_pb2.PreviewOrderRequest, call: Call, /
    ) -> checkout_pb2.PreviewOrderResponse:
        self._journal.note(request, call)
        self._of(request.checkout_id).status = checkout_pb2.CHECKOUT_STATUS_PREVIEWED
        return checkout_pb2.PreviewOrderResponse(
            checkout_id=request.checkout_id,
            items=[
                checkout_pb2.CheckoutItem(
                    product_id="prd_tea",
                    sku="TEA",
                    name="Tea",
                    quantity=2,
                    unit_price=euro(1000),
                    line_total=euro(2000),
                    in_stock=True,
                )
            ],
            subtotal=euro(2000),
            shipping_cost=euro(1000),
            tax=euro(569),
            discount=euro(0),
            total=euro(self.total),
            expires_at=NOW,
        )

    async def confirm_checkout(
        self, request: checkout_pb2.ConfirmCheckoutRequest, call: Call, /
    ) -> checkout_pb2.ConfirmCheckoutResponse:
        self._journal.note(request, call)
        found = self._of(request.checkout_id)
        if request.expected_total.minor_units != self.total:
            raise FailedPrecondition(
                "the total has changed",
                trailing_metadata=detail("PRICE_CHANGED", current_total=str(self.total), currency_code="EUR"),
            )
        found.status, found.order_id = checkout_pb2.CHECKOUT_STATUS_CONFIRMED, "ord_1"
        self._orders.add("ord_1")
        return checkout_pb2.ConfirmCheckoutResponse(
            checkout_id=found.checkout_id, order_id=found.order_id, status=found.status
        )

    async def get_checkout_status(
        self, request: checkout_pb2.GetCheckoutStatusRequest, call: Call, /
    ) -> checkout_pb2.GetCheckoutStatusResponse:
        self._journal.note(request, call)
        return self._of(request.checkout_id)

    def _of(self, id_: str) -> checkout_pb2.GetCheckoutStatusResponse:
        if id_ not in self._found:
            raise NotFound(f"there is no checkout {id_}", trailing_metadata=detail("NOT_FOUND", checkout_id=id_))
        return self._found[id_]


class Orders:
    """order.v1.OrderService; a page holds two orders at most."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._found: dict[str, order_pb2.Order] = {}

    def add(self, id_: str) -> order_pb2.Order:
        self._found[id_] = order_pb2.Order(
            order_id=id_,
            customer_id="cus_ada",
            status=order_pb2.ORDER_STATUS_PENDING,
            version=2**53 + 1,
            subtotal=euro(2000),
            shipping_cost=euro(1000),
            tax=euro(569),
            discount=euro(0),
            total=euro(3569),
            created_at=NOW,
            updated_at=NOW,
            metadata={"channel": "web"},
        )
        return self._found[id_]

    async def create_order(self, request: order_pb2.CreateOrderRequest, call: Call, /) -> order_pb2.CreateOrderResponse:
        self._journal.note(request, call)
        return order_pb2.CreateOrderResponse(order=self.add("ord_new"))

    async def get_order(self, request: order_pb2.GetOrderRequest, call: Call, /) -> order_pb2.GetOrderResponse:
        self._journal.note(request, call)
        return order_pb2.GetOrderResponse(order=self._of(request.order_id))

    async def cancel_order(self, request: order_pb2.CancelOrderRequest, call: Call, /) -> order_pb2.CancelOrderResponse:
        self._journal.note(request, call)
        order = self._of(request.order_id)
        order.status, order.status_reason = order_pb2.ORDER_STATUS_CANCELLED, request.reason
        return order_pb2.CancelOrderResponse(order=order)

    async def list_orders(self, request: order_pb2.ListOrdersRequest, call: Call, /) -> order_pb2.ListOrdersResponse:
        self._journal.note(request, call)
        start, size = int(request.page_token or 0), min(2, request.page_size)
        orders = list(self._found.values())
        following = start + size if start + size < len(orders) else ""
        return order_pb2.ListOrdersResponse(orders=orders[start : start + size], next_page_token=str(following))

    async def watch_order_status(
        self, request: order_pb2.WatchOrderStatusRequest, call: Call, /
    ) -> AsyncIterator[order_pb2.WatchOrderStatusResponse]:
        self._journal.note(request, call)
        self._of(request.order_id)
        journey = (order_pb2.ORDER_STATUS_PENDING, order_pb2.ORDER_STATUS_PAID, order_pb2.ORDER_STATUS_DELIVERED)
        for version, status in enumerate(journey, 1):
            if version > request.after_version:
                change = order_pb2.WatchOrderStatusResponse(
                    order_id=request.order_id, status=status, version=version, changed_at=NOW
                )
                if version > 1:
                    change.previous_status = journey[version - 2]
                yield change

    def _of(self, id_: str) -> order_pb2.Order:
        if id_ not in self._found:
            raise NotFound(f"there is no order {id_}", trailing_metadata=detail("NOT_FOUND", order_id=id_))
        return self._found[id_]


@dataclass
class Others:
    """Single RPCs of services of which no more is needed."""

    journal: Journal

    async def get_product(self, request: catalog_pb2.GetProductRequest, call: Call) -> catalog_pb2.GetProductResponse:
        self.journal.note(request, call)
        product = catalog_pb2.Product(
            product_id=request.product_id,
            sku="TEA",
            name="Tea",
            categories=["tea"],
            price=euro(1000),
            status=catalog_pb2.PRODUCT_STATUS_ACTIVE,
            version=1,
            created_at=NOW,
            updated_at=NOW,
        )
        product.handling_time.FromMilliseconds(1500)
        return catalog_pb2.GetProductResponse(product=product)

    async def ingest_webhook(
        self, request: payment_pb2.IngestWebhookRequest, call: Call
    ) -> payment_pb2.IngestWebhookResponse:
        self.journal.note(request, call)
        return payment_pb2.IngestWebhookResponse()

    async def create_customer(
        self, request: customer_pb2.CreateCustomerRequest, call: Call
    ) -> customer_pb2.CreateCustomerResponse:
        self.journal.note(request, call)
        if request.email == "taken@example.com":
            raise AlreadyExists("the address is in use", trailing_metadata=detail("EMAIL_TAKEN"))
        if request.email == "odd@example.com":
            violation = error_pb2.FieldViolation(field="email", detail="is not deliverable")
            odd = error_pb2.ErrorDetail(code="INVALID_ARGUMENT", errors=[violation])
            raise InvalidArgument("odd", trailing_metadata=((DETAIL, odd.SerializeToString()),))
        return customer_pb2.CreateCustomerResponse(
            customer=customer_pb2.Customer(
                customer_id="cus_ada",
                email=request.email,
                profile=request.profile,
                status=customer_pb2.CUSTOMER_STATUS_ACTIVE,
                version=1,
                created_at=NOW,
                updated_at=NOW,
            )
        )


def describe(error: RpcError) -> Mapping[str, Any]:
    """Members of the problem from `common.v1.ErrorDetail`, as the contract asks for."""
    sent = dict(error.trailing_metadata).get(DETAIL)
    if not isinstance(sent, bytes):
        return {}
    return dict(MessageToDict(error_pb2.ErrorDetail.FromString(sent), preserving_proto_field_name=True))


async def authenticate(credentials: Credentials, request: RequestContext) -> str | None:
    return "cus_ada" if credentials.value == TOKEN else None


@dataclass
class Platform:
    """The running platform."""

    journal: Journal
    orders: Orders
    client: Client
    """Of the gateway, with a token."""
    url: str
    target: str
    """Where the gRPC services are."""


@asynccontextmanager
async def started() -> AsyncIterator[Platform]:
    """Services, gateway and client, until the end of the block."""
    journal = Journal()
    orders, others = Orders(journal), Others(journal)
    server = GrpcServer()
    add_checkout_service(server, Checkouts(journal, orders))
    add_order_service(server, orders)
    catalog, payment, customer = (
        CatalogServiceMethods.GET_PRODUCT,
        PaymentServiceMethods.INGEST_WEBHOOK,
        CustomerServiceMethods.CREATE_CUSTOMER,
    )
    server.add(catalog.service, [unary(catalog, others.get_product)])
    server.add(payment.service, [unary(payment, others.ingest_webhook)])
    server.add(customer.service, [unary(customer, others.create_customer)])
    async with AsyncExitStack() as running:
        target = await server.start()
        running.push_async_callback(server.stop, 0)
        front = Front(
            authentication_service=await running.enter_async_context(AuthenticationServiceClient(target)),
            customer_service=await running.enter_async_context(CustomerServiceClient(target)),
            loyalty_service=await running.enter_async_context(LoyaltyServiceClient(target)),
            catalog_service=await running.enter_async_context(CatalogServiceClient(target)),
            warehouse_service=await running.enter_async_context(WarehouseServiceClient(target)),
            cart_service=await running.enter_async_context(CartServiceClient(target)),
            checkout_service=await running.enter_async_context(CheckoutServiceClient(target)),
            order_service=await running.enter_async_context(OrderServiceClient(target)),
            payment_service=await running.enter_async_context(PaymentServiceClient(target)),
            shipping_service=await running.enter_async_context(ShippingServiceClient(target)),
            analytics_service=await running.enter_async_context(AnalyticsServiceClient(target)),
            options=FrontOptions(describe=describe),
        )
        app = create_app(front, ServerOptions(authenticators={"bearerAuth": authenticate}, timeout=5.0))
        gateway = HttpServer(app)
        url = f"http://{await gateway.start()}"
        running.push_async_callback(gateway.stop, 1)
        client = await running.enter_async_context(Client(url, bearer_auth=TOKEN))
        yield Platform(journal=journal, orders=orders, client=client, url=url, target=target)
