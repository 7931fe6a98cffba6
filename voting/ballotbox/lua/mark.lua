-- Promise that every later record is stamped at or after an instant that is past
-- all records there are. With it the records of many boxes have one order.
--
-- ARGV 1 an instant in ms to raise the promise to, 0 for the box's own clock
--
-- Replies: {marked, instant}; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
local mark = math.max(box.now, box.at + 1, integer(ARGV[1]))
redis.call('HSET', META, 'mark', text(mark))
return { 'marked', mark }
