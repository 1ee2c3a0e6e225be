-- How every kind of tenantry.io stands, for Argo CD.
--
--   Suspended    a person is awaited: the customer, the vendor, the provider or you
--   Degraded     nothing goes on without a person: a guard, a refusal, a passed deadline
--   Healthy      what is declared is there
--   Progressing  not looked at since it was changed, under way, or being deleted
--
-- It stands alone: Argo CD opens no string library to it.
local awaited = {
  AwaitingCustomer = true,
  AwaitingVendor = true,
  AwaitingProvider = true,
  AwaitingOperator = true,
}
-- What is only read by others, so that nothing is to become of it.
local plain = {
  Attestation = true,
  ConsoleBinding = true,
  Inventory = true,
  PlanPolicy = true,
  Product = true,
}

local hs = { status = "Progressing", message = "The controller has not looked at it yet" }

if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "It is being deleted"
  return hs
end

local conditions = nil
if obj.status ~= nil then
  conditions = obj.status.conditions
end
if conditions == nil then
  if plain[obj.kind] then
    hs.status = "Healthy"
    hs.message = ""
  end
  return hs
end

if obj.status.observedGeneration ~= nil and obj.status.observedGeneration ~= obj.metadata.generation then
  hs.message = "The controller has not looked at the last change yet"
  return hs
end

local ready = nil
for _, condition in ipairs(conditions) do
  if condition.type == "Stalled" and condition.status == "True" then
    hs.status = "Degraded"
    hs.message = condition.message
    return hs
  end
  if condition.type == "Ready" then
    ready = condition
  end
end
if ready == nil then
  return hs
end

hs.message = ready.message
if ready.status == "True" then
  hs.status = "Healthy"
elseif ready.status == "False" and awaited[ready.reason] then
  hs.status = "Suspended"
end
return hs
