-- Try a code. The right one is good once.
--
-- KEYS 1 pending hash
-- ARGV 1 keyed hash of the code tried   2 how many tries there are   3 this try's own name
--
-- Replies
--   right, field, value, …   by this very try, now or before
--   wrong, tries left
--   gone                     nothing is pending: expired, never asked for, tried too often, or used

local p = redis.call('HMGET', KEYS[1], 'code', 'tries', 'last', 'used')
local code, tries, last, used = p[1], tonumber(p[2] or '0'), p[3], p[4]
local most, name = tonumber(ARGV[2]), ARGV[3]
if not code then return { 'gone' } end
if used == name then return { 'right', unpack(redis.call('HGETALL', KEYS[1])) } end
if last == name then return { 'wrong', most - tries } end
if used or tries >= most then return { 'gone' } end
if code == ARGV[1] then
  redis.call('HSET', KEYS[1], 'used', name)
  return { 'right', unpack(redis.call('HGETALL', KEYS[1])) }
end
redis.call('HSET', KEYS[1], 'tries', tries + 1, 'last', name)
return { 'wrong', most - tries - 1 }
