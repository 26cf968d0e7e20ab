"""The gateway, the catalog and the warehouse: what everybody may see."""

from __future__ import annotations

from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.catalog.v1.catalog_pb2 import (
    GetPriceRequest,
    GetPricesRequest,
    GetProductRequest,
    ListProductsRequest,
    SearchProductsRequest,
)
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient
from shop.warehouse.v1.warehouse_pb2 import CheckAvailabilityRequest, StockLine

from harness.pacts.expectations.shapes import PRODUCT, price, product
from harness.pacts.interactions import RpcInteraction, given
from harness.pacts.matching import identifier, int64

SERVICE = "catalog.v1.CatalogService"
FOR_SALE = (given("a product for sale"),)
CATALOG = (
    RpcInteraction(
        rpc=f"{SERVICE}/GetProduct",
        case="a product for sale",
        client=CatalogServiceClient,
        call=lambda client: client.get_product(GetProductRequest(product_id=PRODUCT)),
        answer={"product": product()},
        states=FOR_SALE,
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/GetProduct",
        case="a product that does not exist",
        client=CatalogServiceClient,
        call=lambda client: client.get_product(GetProductRequest(product_id="prd_of_nobody")),
        status="NOT_FOUND",
        answer={},
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/ListProducts",
        case="the first page",
        client=CatalogServiceClient,
        call=lambda client: client.list_products(ListProductsRequest(page_size=5)),
        answer={"products": [product()]},
        states=FOR_SALE,
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/ListProducts",
        case="a page token of nobody",
        client=CatalogServiceClient,
        call=lambda client: client.list_products(ListProductsRequest(page_token="not-a-page-token")),  # noqa: S106 a page
        status="INVALID_ARGUMENT",
        answer={},
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/SearchProducts",
        case="words of a name",
        client=CatalogServiceClient,
        call=lambda client: client.search_products(SearchProductsRequest(query="green tea")),
        answer={"hits": [{"product": product()}], "total_size": 1},
        states=(given("a product that the index knows"),),
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/GetPrice",
        case="the price of now",
        client=CatalogServiceClient,
        call=lambda client: client.get_price(GetPriceRequest(product_id=PRODUCT, currency_code="EUR")),
        answer={"price": price()},
        states=FOR_SALE,
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/GetPrice",
        case="a product that does not exist",
        client=CatalogServiceClient,
        call=lambda client: client.get_price(GetPriceRequest(product_id="prd_of_nobody")),
        status="NOT_FOUND",
        answer={},
    ),
    RpcInteraction(
        rpc=f"{SERVICE}/GetPrices",
        case="one that exists and one that does not",
        client=CatalogServiceClient,
        call=lambda client: client.get_prices(
            GetPricesRequest(product_ids=[PRODUCT, "prd_of_nobody"], currency_code="EUR")
        ),
        answer={"prices": {PRODUCT: price()}, "missing_product_ids": ["prd_of_nobody"]},
        states=FOR_SALE,
    ),
)
WAREHOUSE = (
    RpcInteraction(
        rpc="warehouse.v1.WarehouseService/CheckAvailability",
        case="one that is there and one that nobody knows",
        client=WarehouseServiceClient,
        call=lambda client: client.check_availability(
            CheckAvailabilityRequest(
                lines=[
                    StockLine(product_id=PRODUCT, quantity=2),
                    StockLine(product_id="prd_of_nobody", quantity=1),
                ]
            )
        ),
        answer={"lines": [{"product_id": identifier(PRODUCT), "requested": 2, "available": int64(120)}]},
        states=(given("a product in stock"),),
    ),
)
