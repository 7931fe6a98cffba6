-- Remember that another voter has joined this one.
--
-- KEYS 5 voters, as in claim.lua
-- ARGV 1 voter, 16 bytes   2 who has joined, 16 bytes
--
-- Replies: {member}, by this call or before; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
local group = redis.call('HGET', KEYS[5], ARGV[1] .. '+') or ARGV[1]
for i = 1, #group, 16 do
  if string.sub(group, i, i + 15) == ARGV[2] then return { 'member' } end
end
redis.call('HSET', KEYS[5], ARGV[1] .. '+', group .. ARGV[2])
return { 'member' }
