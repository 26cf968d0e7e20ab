"""Events over Redis Streams, in the layout of Dapr's Redis component: services with and without a sidecar meet.

`RedisStreams` is a `shop.runtime.transport.Transport` in one of two modes:

* `durable` (ours): a message is acknowledged only after its handler succeeded or its dead letter is written. What is
  not finished stays pending and is delivered again: by its own reader with back-off, by another one when the reader
  is gone for `processing_timeout` (entries that are held are kept alive). Order per key: see `subscription.py`.
* `dapr`: what daprd 1.17 and 1.18 do, to test against: see `dapr_mode.py`.

Modules: `wire` fields of an entry, `scripts` what must happen at once within Redis, `connection` clients without
retries, `lanes` what may run next, `reader` reading a stream, `handling` and `settling` outcomes,
`subscription` and `dapr_mode` the two modes, `upkeep` trimming and figures, `transport` all of it together.
"""

from services.platform.redis_streams.settings import Mode, StreamSettings
from services.platform.redis_streams.transport import RedisStreams

__all__ = ["Mode", "RedisStreams", "StreamSettings"]
