-- Tell whether something was done as often as it may be in a span. Nothing changes.
--
-- KEYS 1 recent  sorted set  one member an act that was allowed, scored by when, in ms
-- ARGV 1 how many may be in one span   2 the span in ms
--
-- Replies: {full}; {free}: at least one more is allowed

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local within = redis.call('ZCOUNT', KEYS[1], '(' .. string.format('%.0f', now - tonumber(ARGV[2])), string.format('%.0f', now))
return { within >= tonumber(ARGV[1]) and 'full' or 'free' }
