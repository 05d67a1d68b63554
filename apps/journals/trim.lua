#!lua flags=allow-oom
-- Drop a stream's entries up to an id, and say so in the same breath: a reader of the dropped range
-- would else skip it in silence.
-- It runs on a full server, too: there nothing but this makes room again.
--
-- KEYS: stream, the hash of what was trimmed. ARGV: the last id to drop, the one after it.
local function parts(id)
  local high, low = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(high), tonumber(low)
end

local before = redis.call('HGET', KEYS[2], KEYS[1])
if before then
  local old_high, old_low = parts(before)
  local high, low = parts(ARGV[1])
  if high < old_high or (high == old_high and low <= old_low) then
    return 0
  end
end
redis.call('HSET', KEYS[2], KEYS[1], ARGV[1])
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
