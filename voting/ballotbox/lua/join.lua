-- Say that a voter is another one: from here on the box sends its casts there.
--
-- KEYS 5 voters   6 joining hash: voters whose joining is not finished
-- ARGV 1 voter, 16 bytes   2 the voter it is, 16 bytes, or empty to only ask
--      3 `fresh`: only a voter who has neither ballots nor others joined to it
--
-- Replies
--   joined, voter    it is that one: by this call or before
--   itself           nobody else, and stays so: ARGV 2 is empty, or it is not fresh
--   unconfigured, torn   see open_box

local box, missing = open_box()
if not box then return missing end
local voter, into = ARGV[1], ARGV[2]
local kept = redis.call('HGET', KEYS[5], voter)
local others = redis.call('HEXISTS', KEYS[5], voter .. '+')
redis.call('HLEN', KEYS[6])
local turns = turns_of(kept, 0)
if turns.into then return { 'joined', turns.into } end
if into == '' or (ARGV[3] == 'fresh' and (kept or others == 1)) then return { 'itself' } end

turn(box)
record(box, 'join', 'voter', nil, nil, voter .. into)
redis.call('HSET', KEYS[5], voter, '=' .. into)
redis.call('HSET', KEYS[6], voter, into)
commit(box)
return { 'joined', into }
