#include "bundle/json_fields.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nanoedge {

JsonFields::JsonFields(const nlohmann::json& object, std::string place, std::string path)
    : object_(object), place_(std::move(place)), path_(std::move(path)) {
  if (!object.is_object()) {
    throw Error(ErrorKind::bundle, place_ + ": " + (path_.empty() ? "The document" : path_) + " must be an object.");
  }
}

std::string JsonFields::path_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonFields::refuse(const std::string& key, const std::string& what) const {
  throw Error(ErrorKind::bundle, place_ + ": " + path_of(key) + " " + what + ".");
}

const nlohmann::json& JsonFields::at(const std::string& key) {
  asked_.insert(key);
  const auto found = object_.find(key);
  if (found == object_.end()) {
    throw Error(ErrorKind::bundle, place_ + ": The key '" + path_of(key) + "' is missing.");
  }
  return *found;
}

JsonFields JsonFields::object(const std::string& key) {
  return {at(key), place_, path_of(key)};
}

const nlohmann::json& JsonFields::array(const std::string& key) {
  const nlohmann::json& value = at(key);
  if (!value.is_array()) refuse(key, "must be a list");
  return value;
}

std::string JsonFields::text(const std::string& key) {
  const nlohmann::json& value = at(key);
  if (!value.is_string()) refuse(key, "must be a text");
  return value.get<std::string>();
}

std::string JsonFields::text(const std::string& key, const std::string& preset) {
  asked_.insert(key);
  return has(key) ? text(key) : preset;
}

std::string JsonFields::one_of(const std::string& key, const std::vector<std::string>& known) {
  const std::string value = text(key);
  if (std::find(known.begin(), known.end(), value) == known.end()) refuse(key, "has the unknown value '" + value + "'");
  return value;
}

std::int64_t JsonFields::integer(const std::string& key, std::int64_t lowest, std::int64_t highest) {
  const nlohmann::json& value = at(key);
  if (!value.is_number_integer()) refuse(key, "must be a whole number");
  const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  const std::int64_t number = huge ? INT64_MAX : value.get<std::int64_t>();
  if (number < lowest) refuse(key, "must be at least " + std::to_string(lowest));
  if (number > highest || huge) refuse(key, "must be at most " + std::to_string(highest));
  return number;
}

double JsonFields::number(const std::string& key) {
  const nlohmann::json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) refuse(key, "must be a number");
  return value.get<double>();
}

double JsonFields::fraction(const std::string& key) {
  const double value = number(key);
  if (value < 0 || value > 1) refuse(key, "must be between 0 and 1");
  return value;
}

bool JsonFields::boolean(const std::string& key) {
  const nlohmann::json& value = at(key);
  if (!value.is_boolean()) refuse(key, "must be true or false");
  return value.get<bool>();
}

std::vector<std::string> JsonFields::texts(const std::string& key) {
  std::vector<std::string> values;
  for (const nlohmann::json& value : array(key)) {
    if (!value.is_string()) refuse(key, "must be a list of texts");
    values.push_back(value.get<std::string>());
  }
  if (values.empty()) refuse(key, "must not be empty");
  return values;
}

void JsonFields::finish() const {
  for (const auto& item : object_.items()) {
    if (asked_.count(item.key()) == 0) {
      throw Error(ErrorKind::bundle, place_ + ": Unknown key '" + path_of(item.key()) + "'.");
    }
  }
}

}  // namespace nanoedge
