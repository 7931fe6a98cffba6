-- Open or close the box if its time has come. Servers send it at these instants,
-- so that a box without visitors opens and closes too.
--
-- Replies: {state, now}; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
turn(box)
commit(box)
return { box.state, box.now }
