-- Renew an owner's heartbeat, unless a later owner beats already (we were stopped, and are fenced).
-- KEYS: heartbeat. ARGV: our epoch, our value "<epoch>:<member>", lease in ms.
local stands = redis.call('GET', KEYS[1])
if stands and tonumber(string.match(stands, '^%d+')) > tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
