-- Take records out of the ledger that are on disk, with their evidence.
--
-- KEYS 5 evidence
-- ARGV 1 offset of the last of them   2 the stream id behind it, where evidence that stays begins
--      3 and on: the stream ids of the records, all that are left up to the last one
--
-- Replies: {trimmed, offset}: by this call or before; {gap, offset}: records are not named that are
-- still there; {unconfigured}, {torn}
--
-- The count comes first, the records after it: a write that a kill tears leaves more records than there
-- should be, as it does everywhere else, and never fewer, so that two tears cannot hide each other. The
-- records go by name: whatever a torn write has put among them stays to be seen. See mend.go.

local box, missing = open_box()
if not box then return missing end
redis.call('XLEN', KEYS[5])
local upto = integer(ARGV[1])
if upto <= box.trimmed then return { 'trimmed', box.trimmed } end
if upto > box.offset or upto - box.trimmed > #ARGV - 2 then return { 'gap', box.trimmed } end

redis.call('HSET', META, 'trimmed', ARGV[1])
redis.call('XDEL', LEDGER, unpack(ARGV, 3))
redis.call('XTRIM', KEYS[5], 'MINID', ARGV[2])
return { 'trimmed', upto }
