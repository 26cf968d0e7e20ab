"""Contracts of a small shop: a gateway in front of an RPC, a service with all three protocols, a webhook receiver."""

from __future__ import annotations

ORDER_PROTO = """
syntax = "proto3";
package order.v1;
message GetOrderRequest { string order_id = 1; }
message GetOrderResponse { string order_id = 1; string status = 2; }
service OrderService { rpc GetOrder(GetOrderRequest) returns (GetOrderResponse); }
"""

GATEWAY = """
openapi: 3.1.0
info: {title: Gateway, version: '1'}
paths:
  /public/orders/{id}:
    get:
      operationId: showOrder
      x-grpc-method: order.v1.OrderService/GetOrder
      security: []
      parameters: &id
        - {name: id, in: path, required: true, x-grpc-field: order_id, schema: {type: string}}
      responses: &order
        '200': {description: One., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        default: {description: No., content: {application/problem+json: {schema: {type: object}}}}
  /orders/{id}:
    get:
      operationId: getOrder
      x-grpc-method: order.v1.OrderService/GetOrder
      security: [{bearerAuth: []}]
      parameters: *id
      responses: *order
  /opening-hours:
    get:
      operationId: getOpeningHours
      responses: {'204': {description: Always.}}
components:
  securitySchemes:
    bearerAuth: {type: http, scheme: bearer, description: "A token.\\n\\"\\"\\" # of ours"}
    unused: {type: apiKey, in: header, name: X-Key}
  schemas:
    Order: {type: object, properties: {order_id: {type: string}, status: {type: string}}}
"""

STOCK_PROTO = """
syntax = "proto3";
package stock.v1;
message CountRequest { string sku = 1; }
message CountResponse { int64 count = 1; }
service StockService { rpc Count(CountRequest) returns (CountResponse); }
"""

STOCK_HTTP = """
openapi: 3.1.0
info: {title: Stock, version: '1'}
paths:
  /stock/{sku}:
    get:
      operationId: readStock
      summary: Read the stock of an article
      parameters: [{name: sku, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: How many., content: {application/json: {schema: {$ref: '#/components/schemas/Stock'}}}}
    put:
      operationId: countStock
      security: [{stockKey: []}]
      parameters: [{name: sku, in: path, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Stock'}}}}
      responses: {'204': {description: Counted.}}
  /changes:
    get:
      operationId: watchStock
      responses:
        '200': {description: News., content: {text/event-stream: {schema: {$ref: '#/components/schemas/Stock'}}}}
components:
  securitySchemes:
    stockKey: {type: apiKey, in: header, name: X-Key}
  schemas:
    Stock: {type: object, required: [count], properties: {count: {type: integer}}}
"""

STOCK_HTTP_2 = """
openapi: 3.1.0
info: {title: Stock, version: '2'}
paths:
  /v2/stock:
    get:
      operationId: listStock
      responses: {'204': {description: None.}}
"""

STOCK_EVENTS = """
asyncapi: 3.0.0
info: {title: Stock events, version: '1'}
channels:
  counted:
    address: stock-counted
    messages: {Counted: {payload: {type: object, properties: {sku: {type: string}}}}}
operations:
  noteCount:
    action: receive
    x-service: stock
    x-external: true
    channel: {$ref: '#/channels/counted'}
"""

HOOKS = """
openapi: 3.1.0
info: {title: Payment provider, version: '1'}
webhooks:
  paid:
    post:
      operationId: notePayment
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {'204': {description: Noted.}}
"""

CONTRACTS = {
    "order/v1/order.proto": ORDER_PROTO,
    "gateway/v1/openapi.yaml": GATEWAY,
    "stock/v1/stock.proto": STOCK_PROTO,
    "stock/v1/openapi.yaml": STOCK_HTTP,
    "stock/v2/openapi.yaml": STOCK_HTTP_2,
    "stock/v1/asyncapi.yaml": STOCK_EVENTS,
    "hooks/v1/openapi.yaml": HOOKS,
}
