// The command line of the executables.
#pragma once

#include <string>
#include <vector>

#include "nanoedge/detector.hpp"

namespace nanoedge::apps {

// One option: its name without dashes, the word for its value (empty: a switch), and what it does.
struct Option {
  const char* name;
  const char* value;
  const char* help;
};

// What was typed, taken apart. Options may stand anywhere; "--" ends them.
class Arguments {
 public:
  // Prints help or the version and exits when asked to. Throws Error (input) for an unknown option or a missing value.
  Arguments(int count, char** words, const char* usage, const std::vector<Option>& options);

  const std::vector<std::string>& plain() const { return plain_; }
  bool has(const std::string& name) const;
  std::string text(const std::string& name, const std::string& preset) const;
  int whole(const std::string& name, int preset, int lowest, int highest) const;
  std::vector<int> wholes(const std::string& name, const std::vector<int>& preset, int lowest, int highest) const;
  std::vector<std::string> texts(const std::string& name, const std::vector<std::string>& preset) const;

  // The options of every executable as the library takes them; engine, compute and threads are left to the caller,
  // because nanoedge-bench takes lists of them.
  Options detector_options() const;
  Options detector_options(const std::string& precision) const;  // where several may be given

 private:
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> plain_;
};

// The options that detector_options() reads.
std::vector<Option> with_detector_options(std::vector<Option> own);

ComputePrecision compute_of(const std::string& text);

// Runs `work` and turns errors into a sentence on standard error and an exit status: 2 for bad input, 1 else.
int run_main(int (*work)(int, char**), int count, char** words);

}  // namespace nanoedge::apps
