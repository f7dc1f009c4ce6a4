-- Lua: calls, tables, strings, closures, methods, floats.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local n, sum = 500000, 0
local sieve = {}
for i = 2, n do sieve[i] = true end
for i = 2, n do if sieve[i] then sum = sum + i for j = i * i, n, i do sieve[j] = false end end end
local t = {}
local seed = 42
for i = 1, 100000 do seed = (seed * 1103515245 + 12345) % 2147483648 t[i] = seed end
table.sort(t)
local words, count = {}, {}
for i = 1, 100000 do words[i] = string.format("w%d", t[i] % 997) end
for w in table.concat(words, " "):gmatch("%a%d+") do count[w] = (count[w] or 0) + 1 end
local keys = {}
for k in pairs(count) do keys[#keys + 1] = k end
table.sort(keys, function(a, b) return count[a] > count[b] or count[a] == count[b] and a < b end)
local Account = {}
Account.__index = Account
function Account.new() return setmetatable({ total = 0.0 }, Account) end
function Account:add(x) self.total = self.total * 0.75 + x return self end
local a = Account.new()
for i = 1, 3000000 do a:add(i % 7) end
print(fib(29), sum, t[1], t[#t], keys[1], count[keys[1]], string.format("%.6f", a.total))
