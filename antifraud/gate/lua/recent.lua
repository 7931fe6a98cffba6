-- Allow something so many times in any span of so long.
--
-- KEYS 1 recent  sorted set  one member an act that was allowed, scored by when, in ms; nobody's is of 0
-- ARGV 1 the act's own name   2 how many may be in one span   3 the span in ms
--
-- Replies: {allowed}: by this call or before; {refused}: that many were within the span before
--
-- What is of later than now was before the clock was set back. It counts no more: it would for
-- as long as the clock was set back, and nobody could do anything.
--
-- The lifetime comes before the act, at a key's first by an act of nobody that counts for none: of a
-- write that a kill tears no act stays for good.

local recent = KEYS[1]
local limit, span = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('ZSCORE', recent, ARGV[1])
local from, to = string.format('%.0f', now - span), string.format('%.0f', now)
local within = redis.call('ZCOUNT', recent, '(' .. from, to)
local refused = not known and within >= limit
if redis.call('PTTL', recent) < 0 then redis.call('ZADD', recent, 0, '') end
-- Written also where nothing changes: a refusal is synced to disk like an act, and
-- takes as long, so that whoever waits for the answer cannot tell them apart.
redis.call('PEXPIRE', recent, ARGV[3])
if not known and not refused then
  redis.call('ZADD', recent, to, ARGV[1]) -- before others go: with the last would go the lifetime
  redis.call('ZREMRANGEBYSCORE', recent, '-inf', from)
  redis.call('ZREMRANGEBYSCORE', recent, '(' .. to, '+inf')
end
return { refused and 'refused' or 'allowed' }
