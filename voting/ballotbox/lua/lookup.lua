-- Find ballots by their ids alone, among the voters of some hashes.
--
-- KEYS hashes of voters, as in cast.lua
-- ARGV ballots, 16 bytes each
--
-- Replies: the names, ballot .. voter, of those that are there

local wanted, found = {}, {}
for _, ballot in ipairs(ARGV) do wanted[ballot] = true end
for _, hash in ipairs(KEYS) do
  for _, field in ipairs(redis.call('HKEYS', hash)) do
    if #field == 32 and wanted[string.sub(field, 1, 16)] then found[#found + 1] = field end
  end
end
return found
