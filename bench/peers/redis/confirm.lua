-- Confirm a hold. KEYS: seats, users, orders (a stream). ARGV: seat, user. Answers 1: sold, 2: was sold to him already, 0: not his hold.
local sold = 4503599627370496  -- 2^52 ms: never expires
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = ARGV[1] * 12
local record = redis.call('GETRANGE', KEYS[1], at, at + 11)
if #record < 12 then return 0 end
local holder, expiry = struct.unpack('>I4I8', record)
if holder ~= tonumber(ARGV[2]) or expiry <= now then return 0 end
if expiry == sold then return 2 end
redis.call('SETRANGE', KEYS[1], at, struct.pack('>I4I8', ARGV[2], sold))
local has = redis.call('HGET', KEYS[2], ARGV[2])
local seat = struct.pack('>I4', ARGV[1])
for i = 1, #has, 12 do
  if string.sub(has, i, i + 3) == seat then
    redis.call('HSET', KEYS[2], ARGV[2], string.sub(has, 1, i + 3) .. struct.pack('>I8', sold) .. string.sub(has, i + 12))
    break
  end
end
redis.call('XADD', KEYS[3], '*', 's', ARGV[1], 'u', ARGV[2])
return 1
