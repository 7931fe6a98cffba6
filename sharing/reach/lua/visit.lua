-- Count one opening of a link, or of a page's frame, once however often this is sent.
--
-- KEYS as in mint.lua
-- ARGV 1 link, or @page   2 a name for this opening   3 when all keys expire, in ms
--
-- Replies: {counted, openings}. An opening that is sent again after another one of the same
-- link came between is counted twice: to keep all names would cost more than it tells.

local kept = redis.call('HGET', KEYS[3], ARGV[1])
redis.call('HLEN', KEYS[1])
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[4])
local place = next_place(KEYS[3])
local n, last = 0, ''
if kept then
  n, last = string.match(kept, '^(%d+) (.*)$')
  if not n then error('corrupt visits of a link') end
  n = tonumber(n)
end
if last == ARGV[2] then return { 'counted', n } end

n = n + 1
keep_place(KEYS[3], place)
redis.call('ZADD', KEYS[4], place, ARGV[1]) -- first: see mint.lua
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', n) .. ' ' .. ARGV[2])
for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, ARGV[3]) end
return { 'counted', n }
