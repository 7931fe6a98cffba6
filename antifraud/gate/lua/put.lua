-- Keep signatures of farms, each once, the latest of each.
--
-- KEYS 1 farms   hash    id -> `expires|signature`, expires in ms
--      2 lifted  hash    id -> since when it is lifted, in ms
--      3 met     hash    id -> attempts that bore it; id .. `!` -> those that were rejected
--      4 change  string  names the last change of 1 or 2
-- ARGV 1 how many a contest may have   2 how long what was lifted is remembered, in ms
--      then, to the end: id, expires in ms, signature
--
-- Replies: {put}; {full}: nothing was written
--
-- Signatures past their time leave when others come, and are not kept when they do. What is
-- lifted stays lifted, whatever comes: it is replaced, and still speaks of nobody.
--
-- The change comes first, so that of a write that a kill tears servers read anew what there is,
-- and then how long it lives, by a signature that is over: none stays for good.

local farms, lifted, met, change = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HGETALL', farms)
local since = redis.call('HGETALL', lifted)
redis.call('HLEN', met)
redis.call('GET', change)

local ends, gone, count, coming = now, {}, 0, {}
for i = 3, #ARGV, 3 do
  local expires = tonumber(ARGV[i + 1])
  if expires > now then
    if not coming[ARGV[i]] then count = count + 1 end
    coming[ARGV[i]] = ARGV[i + 1] .. '|' .. ARGV[i + 2]
    ends = math.max(ends, expires)
  end
end
for i = 1, #known, 2 do
  local expires = tonumber(string.match(known[i + 1], '^%d+') or 0)
  if coming[known[i]] then
    -- replaced
  elseif expires <= now then
    gone[#gone + 1] = known[i]
  else
    count, ends = count + 1, math.max(ends, expires)
  end
end
if count > tonumber(ARGV[1]) then return { 'full' } end
if #since > 0 then ends = math.max(ends, now + tonumber(ARGV[2])) end

redis.call('SET', change, time[1] .. '.' .. time[2])
redis.call('HSET', farms, '', '0|{}')
for i = 1, 4 do redis.call('PEXPIREAT', KEYS[i], string.format('%.0f', ends)) end
for i = 1, #gone do
  redis.call('HDEL', farms, gone[i])
  redis.call('HDEL', met, gone[i], gone[i] .. '!')
end
for id, value in pairs(coming) do redis.call('HSET', farms, id, value) end
redis.call('HDEL', farms, '')
return { 'put' }
