-- Delete what was seen of attempts, what detectors said of them and what voters wrote, for good, and say so in
-- the ledger, once. A closed box has no more attempts.
--
-- KEYS 5 evidence   6 appeals   7 findings   8 sweeps
--
-- Replies: {forgotten, now}: by this call or before; {not-closed, now}; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
redis.call('XLEN', KEYS[5])
for i = 6, 8 do redis.call('HLEN', KEYS[i]) end
local before = redis.call('HGET', META, 'forgotten') == '1'
turn(box)
if box.state ~= 'closed' and box.state ~= 'published' then
  commit(box)
  return { 'not-closed', box.now }
end
if not before then record(box, 'forget', 'organizer') end
redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7], KEYS[8])
commit(box, 'forgotten', '1')
return { 'forgotten', box.now }
