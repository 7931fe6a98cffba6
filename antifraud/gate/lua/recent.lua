-- Allow something so many times in any span of so long.
--
-- KEYS 1 recent  sorted set  one member an act that was allowed, scored by when, in ms
-- ARGV 1 the act's own name   2 how many may be in one span   3 the span in ms
--
-- Replies: {allowed}: by this call or before; {refused}: that many were within the span before

local recent = KEYS[1]
local limit, span = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('ZSCORE', recent, ARGV[1])
local within = redis.call('ZCOUNT', recent, '(' .. string.format('%.0f', now - span), '+inf')
if known then return { 'allowed' } end
if within >= limit then return { 'refused' } end
redis.call('ZREMRANGEBYSCORE', recent, '-inf', string.format('%.0f', now - span))
redis.call('ZADD', recent, string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', recent, ARGV[3])
return { 'allowed' }
