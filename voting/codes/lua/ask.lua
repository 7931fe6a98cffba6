-- Keep what somebody asked for until the code comes back.
--
-- KEYS 1 pending hash; lives as long as ARGV 1 says, then the code is gone
-- ARGV 1 lifetime in ms   2 and on: field, value, …
--
-- Replies: {pending}, by this call or before

if redis.call('HLEN', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
-- Asked for each time: a kill may have kept the fields and lost the lifetime.
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { 'pending' }
