-- Say that a device belongs to the voter of an address, once.
--
-- KEYS 5 voters; field voter .. `+`: whose the voter is, then those joined to it, 16 bytes each
-- ARGV 1 voter, 16 bytes   2 whose it is, 16 bytes
--
-- Replies: {claimed}, by this call or before; {taken} by another; {joined, voter}; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
local turns = turns_of(redis.call('HGET', KEYS[5], ARGV[1]), 0)
local group = redis.call('HGET', KEYS[5], ARGV[1] .. '+')
if turns.into then return { 'joined', turns.into } end
if group and string.sub(group, 1, 16) ~= ARGV[2] then return { 'taken' } end
if not group then redis.call('HSET', KEYS[5], ARGV[1] .. '+', ARGV[2]) end
return { 'claimed' }
