-- What is kept of a ballot: a reading that a replica confirms.
--
-- KEYS 1 voters   as in cast.lua
-- ARGV 1 ballot .. voter
--
-- Replies
--   {value}   as ballot_text in box.lua writes it
--   {}        there is no such ballot

return { redis.call('HGET', KEYS[1], ARGV[1]) or nil }
