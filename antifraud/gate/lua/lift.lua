-- Lift the signature of a farm: from here on it speaks of nobody.
--
-- KEYS 1 farms   2 lifted   3 met   4 change, as in put.lua
-- ARGV 1 id   2 how long what was lifted is remembered, in ms
--
-- Replies: {lifted}, by this call or before; {unknown}
--
-- The change comes first, and again where it was lifted before: of a write that a kill tears
-- servers read anew what there is, and the same call completes it.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HEXISTS', KEYS[1], ARGV[1])
local before = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('HLEN', KEYS[3])
redis.call('GET', KEYS[4])
local left = redis.call('PTTL', KEYS[1])
if known == 0 and not before then return { 'unknown' } end

redis.call('SET', KEYS[4], time[1] .. '.' .. time[2])
if not before then redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', now)) end
local ends = string.format('%.0f', now + math.max(left, tonumber(ARGV[2])))
for i = 1, 4 do redis.call('PEXPIREAT', KEYS[i], ends) end
return { 'lifted' }
