"""What must happen at once within Redis: taking over, keeping alive, giving back, burying, trimming.

Written for Redis 7.0 and Valkey. Each script touches one stream and keys that belong to it; in a Redis Cluster a
stream, its dead letters and its leases must share a hash slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from services.platform.redis_streams.connection import command_of

_CLAIM = """
-- Take over entries that nobody kept alive. Deleted entries leave the list of pending ones and are reported.
local group, me, idle, count, cursor, owner = unpack(ARGV, 1, 6)
local skip = {}
for i = 7, #ARGV do skip[ARGV[i]] = true end
local query = {'XPENDING', KEYS[1], group, 'IDLE', idle, cursor, '+', count}
if owner ~= '' then query[#query + 1] = owner end
local claimed, lost, last = {}, {}, ''
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, found in ipairs(redis.call(unpack(query))) do
  local id = found[1]
  last = id
  if not skip[id] then
    local entry = redis.call('XCLAIM', KEYS[1], group, me, 0, id)[1]
    if entry then
      local seen = redis.call('HGET', KEYS[2], id)
      if not seen and found[4] <= 1 then seen = string.format('%.0f', now - found[3]) end
      claimed[#claimed + 1] = {id, entry[2], found[4] + 1, seen or ''}
    else
      redis.call('XACK', KEYS[1], group, id)
      redis.call('HDEL', KEYS[2], id)
      lost[#lost + 1] = id
    end
  end
end
return {claimed, lost, last}
"""
_OWNED = """
local function owned(stream, group, me, id)
  local found = redis.call('XPENDING', stream, group, id, id, 1)
  return found[1] ~= nil and found[1][2] == me
end
"""
_RENEW = (
    _OWNED
    + """
-- Keep held entries alive. Returns those that another reader has or that are settled, and those that were trimmed.
local lost, trimmed = {}, {}
for i = 3, #ARGV do
  if not owned(KEYS[1], ARGV[1], ARGV[2], ARGV[i]) then
    lost[#lost + 1] = ARGV[i]
  elseif #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID') == 0 then
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    trimmed[#trimmed + 1] = ARGV[i]
  end
end
return {lost, trimmed}
"""
)
_BEGIN = (
    _OWNED
    + """
-- Another attempt begins: note its number and when the message was first seen. 0 when another reader has the entry.
local group, me, id, attempt, seen = unpack(ARGV)
if not owned(KEYS[1], group, me, id) then return 0 end
redis.call('XCLAIM', KEYS[1], group, me, 0, id, 'RETRYCOUNT', attempt, 'JUSTID')
redis.call('HSETNX', KEYS[2], id, seen)
return 1
"""
)
_BURY = (
    _OWNED
    + """
-- Write the dead letter and acknowledge. Empty when another reader has the entry or it is settled.
local group, me, id, data, metadata, surely = unpack(ARGV)
if surely == '0' and not owned(KEYS[1], group, me, id) then return '' end
local letter = redis.call('XADD', KEYS[3], '*', 'data', data, 'metadata', metadata)
redis.call('XACK', KEYS[1], group, id)
redis.call('HDEL', KEYS[2], id)
return letter
"""
)
_RELEASE = (
    _OWNED
    + """
-- Give back what is not finished, so that any reader may take it at once; end the lease; leave when nothing is left.
local group, me, idle = unpack(ARGV, 1, 3)
for i = 4, #ARGV, 2 do
  if owned(KEYS[1], group, me, ARGV[i]) then
    redis.call('XCLAIM', KEYS[1], group, me, 0, ARGV[i], 'IDLE', idle, 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
  end
end
if #redis.call('XPENDING', KEYS[1], group, '-', '+', 1, me) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, me)
end
if redis.call('GET', KEYS[2]) == me then redis.call('DEL', KEYS[2]) end
return 1
"""
)
_LEASE = """
-- Become or stay the one reader. 1 when it worked.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_TIDY = """
-- Remove readers that are gone and have nothing pending.
local gone = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  if consumer.name ~= ARGV[2] and consumer.pending == 0 and consumer.idle > tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    gone = gone + 1
  end
end
return gone
"""
TRIM = """
-- Remove the oldest entries beyond `keep`, at most `most` of them, and none that a group has not read or not settled.
local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if #am ~= #bm then return #am < #bm end
  if am ~= bm then return am < bm end
  if #as ~= #bs then return #as < #bs end
  return as < bs
end
local keep, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local excess = math.min(redis.call('XLEN', KEYS[1]) - keep, most)
if excess <= 0 then return 0 end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups == 0 then return 0 end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', excess + 1)
local limit = first[#first][1]
for _, fields in ipairs(groups) do
  local group = {}
  for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
  local needed = group['last-delivered-id']
  local floor = redis.call('XPENDING', KEYS[1], group.name)[2]
  if not floor then
    local unread = redis.call('XRANGE', KEYS[1], '(' .. needed, '+', 'COUNT', 1)
    floor = unread[1] and unread[1][1] or limit
  end
  if before(floor, limit) then limit = floor end
end
return redis.call('XTRIM', KEYS[1], 'MINID', limit)
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Entries taken over: (id, fields, attempt, milliseconds since 1970 it was first seen if known); ids trimmed."""

    entries: list[tuple[bytes, list[bytes], int, int | None]]
    trimmed: list[bytes]
    last: bytes
    """The last id that was looked at; empty when there is no more."""


class Scripts:
    """The scripts of one stream, group and consumer. Times in milliseconds."""

    def __init__(self, client: Redis, stream: str, group: str, consumer: str) -> None:
        self._command = command_of(client)
        self._stream = stream
        self._who = (group, consumer)
        self._seen = f"treaty:first-seen:{group}:{stream}"
        self._lease = f"treaty:reader:{group}:{stream}"
        names = {"claim": _CLAIM, "renew": _RENEW, "begin": _BEGIN, "bury": _BURY, "release": _RELEASE}
        names |= {"lease": _LEASE, "tidy": _TIDY}
        self._scripts = {name: client.register_script(text) for name, text in names.items()}

    async def _run(self, name: str, keys: Sequence[str], args: Iterable[Any]) -> Any:
        return await self._scripts[name](keys=list(keys), args=list(args))

    async def claim(
        self, idle: int, count: int, *, after: bytes = b"", owner: str = "", held: Iterable[bytes] = ()
    ) -> Claimed:
        """Take over up to `count` entries that were idle for `idle`, with ids above `after`, but for the `held` ones.

        With `owner` only entries of that consumer.
        """
        cursor = b"(" + after if after else b"-"
        args = (*self._who, idle, count, cursor, owner, *held)
        claimed, lost, last = await self._run("claim", (self._stream, self._seen), args)
        entries = [(id_, fields, int(attempt), int(seen) if seen else None) for id_, fields, attempt, seen in claimed]
        return Claimed(entries, lost, last)

    async def renew(self, ids: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Keep entries alive; returns those that are no longer this consumer's, and those that were trimmed."""
        lost, trimmed = await self._run("renew", (self._stream,), (*self._who, *ids))
        return lost, trimmed

    async def begin(self, id_: bytes, attempt: int, first_seen: int) -> bool:
        """Note that another attempt begins; false when the entry is no longer this consumer's."""
        args = (*self._who, id_, attempt, first_seen)
        return bool(await self._run("begin", (self._stream, self._seen), args))

    async def bury(self, id_: bytes, letters: str, data: bytes, metadata: str, *, surely: bool) -> bool:
        """Write a dead letter and acknowledge; false when the entry is no longer this consumer's.

        `surely`: the entry was trimmed, so that Redis cannot know whose it is.
        """
        args = (*self._who, id_, data, metadata, int(surely))
        return bool(await self._run("bury", (self._stream, self._seen, letters), args))

    async def release(self, attempts: Iterable[tuple[bytes, int]], idle: int) -> None:
        """Give entries back with the number of attempts that were made, and end the lease."""
        flat = [part for pair in attempts for part in pair]
        await self._run("release", (self._stream, self._lease), (*self._who, idle, *flat))

    async def lease(self, duration: int) -> bool:
        """Become or stay the one reader of the group for `duration`."""
        return bool(await self._run("lease", (self._lease,), (self._who[1], duration)))

    async def tidy(self, idle: int) -> int:
        """Remove other consumers that were idle for `idle` and have nothing pending; returns how many."""
        return int(await self._run("tidy", (self._stream,), (*self._who, idle)))

    async def acknowledge(self, ids: Sequence[bytes], *, retried: Sequence[bytes] = ()) -> None:
        """The group is done with the entries; `retried` are those among them with more than one attempt."""
        await self._command("XACK", self._stream, self._who[0], *ids)
        if retried:
            await self._command("HDEL", self._seen, *retried)
