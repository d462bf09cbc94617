// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>

namespace nanoedge {

// What an error is about; the same families as in Python.
enum class ErrorKind {
  input,   // an option or argument is out of its range
  image,   // an image view does not describe an image
  bundle,  // the bundle is damaged, hostile, too new, or lacks what was asked for
  engine,  // the engine is not there, or cannot do what was asked on this CPU
};

// Everything that the library throws. what() is one or two sentences: what is wrong, where, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace nanoedge
