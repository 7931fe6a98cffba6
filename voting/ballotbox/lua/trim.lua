-- Take sheets out of the ledger whose records are on disk, with their evidence.
--
-- KEYS 5 evidence
-- ARGV 1 offset of the first of the records   2 of the last one
--      3 the stream id behind it, where evidence that stays begins
--      4 and on: the stream ids of the sheets, all that have these records
--
-- Replies: {trimmed, offset}: by this call or before; {gap, offset}: records before the first are
-- still there, or there are no such sheets; {unconfigured}, {torn}
--
-- The count comes first, the sheets after it: a write that a kill tears leaves more sheets than there
-- should be, as it does everywhere else, and never fewer, so that two tears cannot hide each other. The
-- sheets go by name: whatever a torn write has put among them stays to be seen. See mend.go.

local box, missing = open_box()
if not box then return missing end
redis.call('XLEN', KEYS[5])
local first, upto, sheets = integer(ARGV[1]), integer(ARGV[2]), #ARGV - 3
if upto <= box.trimmed then return { 'trimmed', box.trimmed } end
if upto > box.offset or first ~= box.trimmed + 1 or sheets > box.sheets - box.gone then return { 'gap', box.trimmed } end

redis.call('HSET', META, 'trimmed', string.format('%d|%d', upto, box.gone + sheets))
redis.call('XDEL', LEDGER, unpack(ARGV, 4))
redis.call('XTRIM', KEYS[5], 'MINID', ARGV[3])
return { 'trimmed', upto }
