-- Keep what the voter of a held or void ballot writes, once.
--
-- KEYS 5 voters    as in cast.lua
--      6 appeals   hash   ballot .. voter -> the text, sealed
-- ARGV 1 ballot .. voter, 32 bytes   2 the text, sealed   3 how many a box may keep
--
-- Replies
--   kept, standing       by this call or before: the first text stays
--   nothing, standing    the ballot is neither held nor void, or not there
--   full                 the box keeps as many as it may
--   forgotten            the contest is: nothing a voter writes is kept
--   unconfigured, torn   see open_box
--
-- When it expires comes first, with a field that says nothing: of a write that a kill tears
-- nothing stays for good. See docs/decisions/0005-torn-writes.md.

local box, missing = open_box()
if not box then return missing end
local value = redis.call('HGET', KEYS[5], ARGV[1])
local first = redis.call('HEXISTS', KEYS[6], ARGV[1]) == 1
local many = redis.call('HLEN', KEYS[6])
if redis.call('HGET', META, 'forgotten') == '1' then return { 'forgotten' } end
if not value then return { 'nothing', '' } end
local standing = ballot_of(value).standing
if first then return { 'kept', standing } end
if standing ~= 'held' and standing ~= 'void' then return { 'nothing', standing } end
if many >= tonumber(ARGV[3]) then return { 'full' } end

redis.call('HSET', KEYS[6], '', '')
redis.call('PEXPIREAT', KEYS[6], text(box.expires))
redis.call('HSET', KEYS[6], ARGV[1], ARGV[2])
redis.call('HDEL', KEYS[6], '')
return { 'kept', standing }
