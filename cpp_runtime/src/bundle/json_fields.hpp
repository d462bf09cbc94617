// Reading typed fields from JSON objects, with the place of each field in errors.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "nanoedge/error.hpp"

namespace nanoedge {

// One JSON object whose keys are read one by one; finish() refuses keys that nobody asked for.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string place, std::string path);

  bool has(const std::string& key) const { return object_.contains(key); }
  JsonFields object(const std::string& key);
  const nlohmann::json& array(const std::string& key);
  std::string text(const std::string& key);
  std::string text(const std::string& key, const std::string& preset);
  std::string one_of(const std::string& key, const std::vector<std::string>& known);
  std::int64_t integer(const std::string& key, std::int64_t lowest, std::int64_t highest);
  double number(const std::string& key);
  double fraction(const std::string& key);
  bool boolean(const std::string& key);
  std::vector<std::string> texts(const std::string& key);
  void finish() const;

  // Throws Error (bundle) about the field `key`.
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;
  std::string path_of(const std::string& key) const;
  const std::string& place() const { return place_; }

 private:
  const nlohmann::json& at(const std::string& key);

  const nlohmann::json& object_;
  std::string place_, path_;
  std::set<std::string> asked_;
};

}  // namespace nanoedge
