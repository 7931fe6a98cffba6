-- Say in the ledger that it is public from here on. Once.
--
-- Replies: {published, now}; {phase-closed, now} while the box is not closed; {unconfigured}

local box = open_box()
if not box then return { 'unconfigured' } end
turn(box)
if box.state == 'published' then return { 'published', box.now } end
if box.state ~= 'closed' then return { 'phase-closed', box.now } end
redis.call('HSET', META, 'state', 'published')
record(box, 'kind', 'publish', 'actor', 'organizer')
return { 'published', box.now }
