-- Set the turns of a voter who is several devices, if nothing has happened since
-- they were counted.
--
-- KEYS 5 voters
-- ARGV 1 voter, 16 bytes   2 what is kept of it, empty for nothing
--      3 start of the period in ms   4 turns used in it   5 `entry=n,entry=n`
--
-- Replies: {set}; {changed} when something else is kept by now; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
local kept = redis.call('HGET', KEYS[5], ARGV[1])
if (kept or '') ~= ARGV[2] then return { 'changed' } end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[3] .. '|' .. ARGV[4] .. '|' .. ARGV[5])
return { 'set' }
