-- Raise a worker's epoch by one, if it still is what the claimant saw: who holds it may write.
-- KEYS: epoch. ARGV: the epoch seen.
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then
  return 0
end
return redis.call('INCR', KEYS[1])
