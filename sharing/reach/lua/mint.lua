-- Keep a voter's code, and say that a link was given out. Sent again it changes
-- nothing.
--
-- KEYS 1 codes   hash  code -> owner|made|school|entry
--      2 given   hash  link -> 1
--      3 visits  hash
--      4 recent  zset  link -> place of its last change
-- ARGV 1 code    2 owner   3 school, or empty   4 entry, or empty   5 now, in ms
--      6 the link that was given out, or empty  7 when all keys expire, in ms
--
-- Replies: {made}; {known}: by this owner, since before; {taken}: by another
--
-- What is known for is written last, and lifetimes are looked at each time: what a kill has
-- torn (docs/decisions/0005-torn-writes.md) the same call completes.

local code, owner, school, entry, via = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local kept = redis.call('HGET', KEYS[1], code)
local news = via ~= '' and redis.call('HEXISTS', KEYS[2], via) == 0
redis.call('ZCARD', KEYS[4])
local place = next_place(KEYS[3])
local made = ARGV[5]
if kept then
  local by, at, of, leads = string.match(kept, '^([^|]*)|(%d+)|([^|]*)|([^|]*)$')
  if not by then error('corrupt share code') end
  if by ~= owner then return { 'taken' } end
  made = at
  if school == '' then school = of end
  if entry == '' then entry = leads end
end
local record = owner .. '|' .. made .. '|' .. school .. '|' .. entry
if record == kept and not news then
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) == -1 then redis.call('PEXPIREAT', key, ARGV[7]) end
  end
  return { 'known' }
end

keep_place(KEYS[3], place)
redis.call('ZADD', KEYS[4], place, code)
if news then
  redis.call('ZADD', KEYS[4], place, via)
  redis.call('HSET', KEYS[2], via, '1')
end
redis.call('HSET', KEYS[1], code, record)
for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, ARGV[7]) end
return { kept and 'known' or 'made' }
