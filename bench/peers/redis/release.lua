-- Release a hold. KEYS: seats, users. ARGV: seat, user. Answers 1: released, 0: not his hold.
local sold = 4503599627370496
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = ARGV[1] * 12
local record = redis.call('GETRANGE', KEYS[1], at, at + 11)
if #record < 12 then return 0 end
local holder, expiry = struct.unpack('>I4I8', record)
if holder ~= tonumber(ARGV[2]) or expiry <= now or expiry == sold then return 0 end
redis.call('SETRANGE', KEYS[1], at, string.rep('\0', 12))
local has = redis.call('HGET', KEYS[2], ARGV[2])
local seat = struct.pack('>I4', ARGV[1])
for i = 1, #has, 12 do
  if string.sub(has, i, i + 3) == seat then
    local rest = string.sub(has, 1, i - 1) .. string.sub(has, i + 12)
    if #rest == 0 then
      redis.call('HDEL', KEYS[2], ARGV[2])
    else
      redis.call('HSET', KEYS[2], ARGV[2], rest)
    end
    break
  end
end
return 1
