-- Add to how often signatures were met, and tell the last change of them.
--
-- KEYS 1 farms   2 met   3 change, as in put.lua
-- ARGV to the end: field of met, how many more
--
-- Replies: {change}, empty where there are no signatures. Then nothing is counted.

local change = redis.call('GET', KEYS[3])
redis.call('HLEN', KEYS[2])
local left = redis.call('PTTL', KEYS[1])
if not change or left == -2 then return { '' } end
for i = 1, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
if #ARGV > 0 and left > 0 then redis.call('PEXPIRE', KEYS[2], left) end
return { change }
