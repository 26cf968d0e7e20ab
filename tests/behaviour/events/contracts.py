"""Contracts that the event tests generate from: one of CloudEvents, one of plain messages."""

from __future__ import annotations

ENVELOPE = """
components:
  schemas:
    CloudEvent:
      type: object
      required: [specversion, id, source, type, subject, time, datacontenttype, data]
      properties:
        specversion: {type: string, const: '1.0'}
        id: {type: string, minLength: 1}
        source: {type: string, format: uri-reference}
        type: {type: string}
        subject: {type: string}
        time: {type: string, format: date-time}
        datacontenttype: {type: string, const: application/json}
        aggregateversion: {type: integer, format: int32}
        traceparent: {type: string}
        tracestate: {type: string}
        data: {}
"""

ORDERS = """
asyncapi: 3.0.0
info: {title: Order events, version: 1.0.0}
defaultContentType: application/cloudevents+json
channels:
  orderCreated:
    address: order-created
    messages:
      created: {$ref: '#/components/messages/OrderCreated'}
    x-ordering-key: $message.payload#/subject
    x-retry: {max_attempts: 3, backoff: exponential, initial_delay: PT1S, max_delay: PT10S}
    x-dead-letter: orderDeadLetters
  orderDeadLetters:
    address: order-dead-letters
    messages:
      created: {$ref: '#/components/messages/OrderCreated'}
  orders:
    address: orders
    messages:
      created: {$ref: '#/components/messages/OrderCreated'}
      cancelled: {$ref: '#/components/messages/OrderCancelled'}
      archived: {$ref: '#/components/messages/OrderArchived'}
    x-dead-letter: '#/channels/orderDeadLetters'
operations:
  publishOrderCreated:
    action: send
    channel: {$ref: '#/channels/orderCreated'}
    x-service: order
  publishOrder:
    action: send
    channel: {$ref: '#/channels/orders'}
    x-service: order
    x-external: true
  handleCreated:
    action: receive
    summary: Notes the order.
    channel: {$ref: '#/channels/orderCreated'}
    x-service: shipping
    x-consumer-group: shipping
  followOrders:
    action: receive
    channel: {$ref: '#/channels/orders'}
    messages:
      - {$ref: '#/channels/orders/messages/created'}
      - {$ref: '#/channels/orders/messages/cancelled'}
    x-service: shipping
components:
  messages:
    OrderCreated: {payload: {$ref: '#/components/schemas/OrderCreatedEvent'}}
    OrderCancelled: {payload: {$ref: '#/components/schemas/OrderCancelledEvent'}}
    OrderArchived: {payload: {$ref: '#/components/schemas/OrderArchivedEvent'}}
  schemas:
    OrderCreatedEvent:
      allOf:
        - {$ref: ../../common/v1/cloudevents.yaml#/components/schemas/CloudEvent}
        - type: object
          properties:
            type: {const: order-created}
            data: {$ref: '#/components/schemas/OrderCreated'}
    OrderCancelledEvent:
      allOf:
        - {$ref: ../../common/v1/cloudevents.yaml#/components/schemas/CloudEvent}
        - type: object
          properties:
            type: {const: order-cancelled}
            data: {type: object, required: [reason], properties: {reason: {type: string}}}
    OrderArchivedEvent:
      allOf:
        - {$ref: ../../common/v1/cloudevents.yaml#/components/schemas/CloudEvent}
        - {type: object, properties: {type: {const: order-archived}}}
    OrderCreated:
      type: object
      required: [order_id, total, status]
      properties:
        order_id: {type: string}
        total: {type: number, format: decimal}
        status: {type: string, enum: [new, paid]}
"""

METERS = """
asyncapi: 3.0.0
info: {title: Meters, version: 1.0.0}
defaultContentType: application/json
channels:
  readings:
    address: meters/{region}/readings
    parameters:
      region: {enum: [north, south]}
    messages:
      reading:
        headers:
          type: object
          required: [meter-id]
          properties:
            meter-id: {type: string}
            hops: {type: integer}
        payload:
          type: object
          required: [value]
          properties: {value: {type: number}}
    x-ordering-key: $message.header#/meter-id
  mixed:
    address: mixed
    messages:
      first: {payload: {type: object, required: [a], properties: {a: {type: string}}}}
      second: {payload: {type: array, items: {type: integer}}}
  notes:
    address: notes
    messages:
      note: {contentType: text/plain, payload: {type: string}}
      blob: {contentType: application/octet-stream}
  sums:
    address: sums
    messages:
      sum:
        correlationId: {location: $message.header#/correlation_id}
        payload: {type: object, required: [numbers], properties: {numbers: {type: array, items: {type: integer}}}}
  results:
    address: results
    messages:
      result:
        correlationId: {location: $message.header#/correlation_id}
        payload: {type: object, required: [total], properties: {total: {type: integer}}}
  quotes:
    address: quotes
    messages:
      quote: {payload: {type: string}}
  quoted:
    address: null
    messages:
      price: {payload: {type: integer}}
operations:
  sendReading: {action: send, channel: {$ref: '#/channels/readings'}}
  onReading: {action: receive, channel: {$ref: '#/channels/readings'}, x-consumer-group: meters}
  sendMixed: {action: send, channel: {$ref: '#/channels/mixed'}}
  onMixed: {action: receive, channel: {$ref: '#/channels/mixed'}, x-consumer-group: meters}
  sendNote: {action: send, channel: {$ref: '#/channels/notes'}}
  onNote: {action: receive, channel: {$ref: '#/channels/notes'}, x-consumer-group: meters}
  requestSum: {action: send, channel: {$ref: '#/channels/sums'}, reply: {channel: {$ref: '#/channels/results'}}}
  addUp:
    action: receive
    channel: {$ref: '#/channels/sums'}
    reply: {channel: {$ref: '#/channels/results'}}
    x-consumer-group: meters
  requestQuote:
    action: send
    channel: {$ref: '#/channels/quotes'}
    reply: {channel: {$ref: '#/channels/quoted'}, address: {location: $message.header#/reply_to}}
  giveQuote:
    action: receive
    channel: {$ref: '#/channels/quotes'}
    reply: {channel: {$ref: '#/channels/quoted'}, address: {location: $message.header#/reply_to}}
    x-consumer-group: meters
"""

TICKS = """
asyncapi: 3.0.0
info: {title: Ticks, version: 1.0.0}
channels:
  socket:
    address: socket
    messages:
      ask: {payload: {$ref: '#/components/schemas/Ask'}, correlationId: {$ref: '#/components/correlationIds/id'}}
      ok: {payload: {$ref: '#/components/schemas/Ok'}, correlationId: {$ref: '#/components/correlationIds/id'}}
      no: {payload: {$ref: '#/components/schemas/No'}, correlationId: {$ref: '#/components/correlationIds/id'}}
      list: {payload: {type: array, items: {type: integer}}}
  sendTick:
    address: ticks/{payload}/{message}/{self}/{outgoing}/{transport}
    parameters: {payload: {}, message: {}, self: {}, outgoing: {}, transport: {}}
    messages:
      Tick.Up: {payload: {type: integer}}
      tick_up: {payload: {type: string}}
  late: {address: null, messages: {late: {payload: {type: integer}}}}
  later: {address: null, messages: {later: {payload: {type: integer}}}}
operations:
  ask:
    action: send
    channel: {$ref: '#/channels/socket'}
    messages: [{$ref: '#/channels/socket/messages/ask'}]
    reply: {$ref: '#/components/replies/all'}
  answer:
    action: receive
    channel: {$ref: '#/channels/socket'}
    messages: [{$ref: '#/channels/socket/messages/ask'}]
    reply: {$ref: '#/components/replies/all'}
    x-consumer-group: ticks
  sendTick: {action: send, channel: {$ref: '#/channels/sendTick'}}
  send_tick: {action: send, channel: {$ref: '#/channels/late'}}
  aclose: {action: send, channel: {$ref: '#/channels/later'}}
  str: {action: send, channel: {$ref: '#/channels/late'}}
  onTick: {action: receive, channel: {$ref: '#/channels/sendTick'}, x-consumer-group: ticks}
  on_tick: {action: receive, channel: {$ref: '#/channels/late'}, x-consumer-group: ticks}
  TicksEvents: {action: receive, channel: {$ref: '#/channels/later'}, x-consumer-group: ticks}
components:
  correlationIds: {id: {location: $message.payload#/id}}
  replies:
    all:
      channel: {$ref: '#/channels/socket'}
      messages:
        - $ref: '#/channels/socket/messages/ok'
        - $ref: '#/channels/socket/messages/no'
        - $ref: '#/channels/socket/messages/list'
  schemas:
    Ask: {type: object, required: [id, wants], properties: {id: {type: integer}, wants: {type: string}}}
    Ok: {type: object, required: [id], additionalProperties: false, properties: {id: {type: integer}}}
    No: {type: object, required: [id, why], properties: {id: {type: integer}, why: {type: string}}}
"""

CONTRACTS = {
    "ticks/v1/asyncapi.yaml": TICKS,
    "common/v1/cloudevents.yaml": ENVELOPE,
    "order/v1/asyncapi.yaml": ORDERS,
    "meters/v1/asyncapi.yaml": METERS,
}
