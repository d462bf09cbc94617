// What a refusal says, for tests.
#pragma once

#include <functional>
#include <string>

#include "nanoedge/error.hpp"

// The message of the Error that `work` throws; empty when it throws none.
inline std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const nanoedge::Error& error) {
    return error.what();
  }
  return "";
}
