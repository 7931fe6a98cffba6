-- Count the users of one thing, each once, up to a limit.
--
-- KEYS 1 uses   set   who used it
-- ARGV 1 who   2 how many may at most   3 how long the key lives from its first use, in ms
--
-- Replies: {used}: by this call or before; {spent}: by as many others as may
--
-- The set is of one short-lived thing: when its key is gone, so must be every
-- way to use the thing.
--
-- Nobody's use, which counts for none, and with it the lifetime come before a user's: of a write
-- that a kill tears no user stays for good.

local uses = KEYS[1]
local known = redis.call('SISMEMBER', uses, ARGV[1]) == 1
local users = redis.call('SCARD', uses) - redis.call('SISMEMBER', uses, '')
if not known and users >= tonumber(ARGV[2]) then return { 'spent' } end
if redis.call('PTTL', uses) < 0 then
  redis.call('SADD', uses, '')
  redis.call('PEXPIRE', uses, ARGV[3])
end
if not known then redis.call('SADD', uses, ARGV[1]) end
redis.call('SREM', uses, '')
return { 'used' }
