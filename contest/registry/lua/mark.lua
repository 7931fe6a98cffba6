-- mark notes when a contest was set up, closed by hand, published or forgotten. The first instant stays.
--
-- KEYS[1] index    hash  contest id -> stamp
-- KEYS[2] contest  hash  see keys.go
-- ARGV    id, field (configured_at, closed_at, published_at or forgotten_at), instant in ms
-- Replies {'marked'}: it is, now or already
--         {'absent'}: there is no such contest

local id, field, at = ARGV[1], ARGV[2], ARGV[3]
local old = redis.call('HMGET', KEYS[2], 'epoch', 'revision', field)
redis.call('HGET', KEYS[1], id) -- the wrong type fails here, before anything is written
if not old[1] then return {'absent'} end
if old[3] then return {'marked'} end
local revision = string.format('%.0f', tonumber(old[2]) + 1)
redis.call('HSET', KEYS[1], id, old[1] .. '-' .. revision) -- first: see put.lua
redis.call('HSET', KEYS[2], field, at, 'revision', revision)
return {'marked'}
