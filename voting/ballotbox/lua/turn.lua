-- Open or close the box if its time has come. Servers send it at these instants,
-- so that a box without visitors opens and closes too.
--
-- Replies: {state, now}; {unconfigured}

local box = open_box()
if not box then return { 'unconfigured' } end
turn(box)
return { box.state, box.now }
