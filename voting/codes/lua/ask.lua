-- Keep what somebody asked for until the code comes back.
--
-- KEYS 1 pending hash; lives as long as ARGV 1 says, then the code is gone
-- ARGV 1 lifetime in ms   2 and on: field, value, …
--
-- Replies: {pending}, by this call or before
--
-- Its lifetime comes before anything that is of a person: of a write that a kill tears
-- (docs/decisions/0005-torn-writes.md) nothing of theirs is left that does not expire.

if redis.call('HEXISTS', KEYS[1], 'code') == 0 then
  redis.call('HSET', KEYS[1], 'tries', '0')
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('HSET', KEYS[1], unpack(ARGV, 2))
end
return { 'pending' }
