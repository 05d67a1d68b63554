-- One batch, wholly or not at all: header, outputs, links, replies and cursor.
-- Everything is checked before anything is written, because a script does not roll back.
--
-- KEYS: epoch, cursor, log, one per link, one per reply stream.
-- ARGV: epoch, batch, hash, prev, header, outputs, reply ttl in ms, how many links, how many replies;
--       per link: number, frame, hash; per reply: frame; per cursor field: stream, id.
local epoch, batch, hash, prev = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if (redis.call('GET', KEYS[1]) or '0') ~= epoch then
  return 'FENCED'
end

local stands = redis.call('HMGET', KEYS[2], 'batch', 'hash')
local stands_at, stands_hash = stands[1] or '0', stands[2] or prev
if stands_at == batch and stands_hash == hash then
  return 'ALREADY'
end
if tonumber(stands_at) ~= tonumber(batch) - 1 or stands_hash ~= prev then
  return 'CONFLICT'
end

redis.call('XADD', KEYS[3], batch .. '-0', 'h', ARGV[5], 'o', ARGV[6])

local ttl, links, replies = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local at = 10
for i = 1, links do
  redis.call('XADD', KEYS[3 + i], ARGV[at] .. '-0', 'f', ARGV[at + 1], 'h', ARGV[at + 2], 'j', hash)
  at = at + 3
end
if replies > 0 then
  local now = redis.call('TIME')
  local oldest = string.format('%.0f', now[1] * 1000 - ttl)
  for i = 1, replies do
    local key = KEYS[3 + links + i]
    redis.call('XADD', key, 'MINID', '~', oldest, '*', 'f', ARGV[at])
    redis.call('PEXPIRE', key, ttl)
    at = at + 1
  end
end
redis.call('HSET', KEYS[2], 'batch', batch, 'hash', hash, unpack(ARGV, at))
return 'WRITTEN'
