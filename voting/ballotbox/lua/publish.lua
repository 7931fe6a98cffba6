-- Say in the ledger that it is public from here on. Once.
--
-- Replies: {published, now}; {phase-closed, now} while the box is not closed; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
turn(box)
local code = 'phase-closed'
if box.state == 'closed' then
  box.state = 'published'
  record(box, 'publish', 'organizer')
end
if box.state == 'published' then code = 'published' end
commit(box)
return { code, box.now }
