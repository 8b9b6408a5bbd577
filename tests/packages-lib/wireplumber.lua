-- Does the rule that is named on the command line match greenroom's nodes, and no others? WirePlumber 0.4 has two of its
-- operators here: "equals", and "matches" with * and ?, as in GLib (a class like [0-9] means nothing).
v4l2_monitor = { rules = {} }
dofile (arg[1])
assert (#v4l2_monitor.rules == 1, "one rule is added")
local rule = v4l2_monitor.rules[1]
assert (rule.apply_properties["node.disabled"] == true)

local function glob (pattern, text)
  local lua = pattern:gsub ("[%^%$%(%)%%%.%+%-%[%]]", "%%%0"):gsub ("%?", "."):gsub ("%*", ".*")
  return text:match ("^" .. lua .. "$") ~= nil
end

local function holds (constraint, properties)
  local value = properties[constraint[1]]
  if value == nil then return false end
  if constraint[2] == "equals" then return value == constraint[3] end
  assert (constraint[2] == "matches", "an unknown operator: " .. constraint[2])
  return glob (constraint[3], value)
end

local function matches (properties)
  for _, constraints in ipairs (rule.matches) do
    local all = true
    for _, constraint in ipairs (constraints) do all = all and holds (constraint, properties) end
    if all then return true end
  end
  return false
end

local function node (driver, card)
  return { ["api.v4l2.cap.driver"] = driver, ["api.v4l2.cap.card"] = card, ["node.name"] = "v4l2_input.x" }
end
for _, card in ipairs { "greenroom", "greenroom 2", "greenroom 12" } do
  assert (matches (node ("v4l2 loopback", card)), card .. " is ours")
end
for _, card in ipairs { "OBS Virtual Camera", "greenroom camera", "my greenroom", "greenroom2", "" } do
  assert (not matches (node ("v4l2 loopback", card)), card .. " is not ours")
end
assert (not matches (node ("uvcvideo", "greenroom")), "a webcam is not ours, whatever it is called")
assert (not matches ({ ["node.name"] = "v4l2_input.x" }))
