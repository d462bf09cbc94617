#include "arguments.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>

namespace nanoedge::apps {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::input, message);
}

void print_help(const char* usage, const std::vector<Option>& options) {
  std::printf("%s\n", usage);
  for (const Option& option : options) {
    const std::string name = std::string("--") + option.name + (*option.value ? " " : "") + option.value;
    std::printf("  %-22s %s\n", name.c_str(), option.help);
  }
  std::printf("  %-22s %s\n  %-22s %s\n", "--help", "this text", "--version", "the version");
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::size_t first = std::min(text.find_first_not_of(' ', start), comma);
    std::size_t last = comma;
    while (last > first && text[last - 1] == ' ') --last;
    if (last > first) parts.push_back(text.substr(first, last - first));
    start = comma + 1;
  }
  return parts;
}

int whole_of(const std::string& name, const std::string& text, int lowest, int highest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < lowest || value > highest) {
    refuse("--" + name + " takes whole numbers from " + std::to_string(lowest) + " to " + std::to_string(highest) +
           ", not '" + text + "'.");
  }
  return value;
}

float fraction_of(const std::string& name, const std::string& text) {
  char* end = nullptr;
  const auto value = static_cast<float>(std::strtod(text.c_str(), &end));
  if (text.empty() || *end != '\0' || !(value >= 0 && value <= 1)) {
    refuse("--" + name + " takes a number between 0 and 1, not '" + text + "'.");
  }
  return value;
}

Cores cores_of(const std::string& text) {
  if (text == "auto") return Cores::auto_;
  if (text == "all") return Cores::all;
  if (text == "big") return Cores::big;
  if (text == "little") return Cores::little;
  refuse("--cores is auto, all, big or little, not '" + text + "'.");
}

}  // namespace

Arguments::Arguments(int count, char** words, const char* usage, const std::vector<Option>& options) {
  bool options_end = false;
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    if (word == "-h" && !options_end) word = "--help";
    if (!options_end && word.size() > 1 && word[0] == '-' && word[1] != '-') {
      refuse("Unknown option " + word + "; see --help. A file of that name: ./" + word);
    }
    if (options_end || word.size() < 3 || word.compare(0, 2, "--") != 0) {
      options_end = options_end || word == "--";
      if (word != "--") plain_.push_back(word);
      continue;
    }
    if (word == "--help") {
      print_help(usage, options);
      std::exit(0);
    }
    if (word == "--version") {
      std::printf("%s\n", version());
      std::exit(0);
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) { return name == o.name; });
    if (option == options.end()) refuse("Unknown option --" + name + "; see --help.");
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (*option->value) {
      if (i + 1 >= count) refuse("--" + name + " needs a value: " + option->value + ".");
      value = words[++i];
    }
    given_.emplace_back(name, value);
  }
}

bool Arguments::has(const std::string& name) const {
  return std::any_of(given_.begin(), given_.end(), [&](const auto& item) { return item.first == name; });
}

std::string Arguments::text(const std::string& name, const std::string& preset) const {
  for (auto item = given_.rbegin(); item != given_.rend(); ++item) {
    if (item->first == name) return item->second;
  }
  return preset;
}

int Arguments::whole(const std::string& name, int preset, int lowest, int highest) const {
  return has(name) ? whole_of(name, text(name, ""), lowest, highest) : preset;
}

std::vector<std::string> Arguments::texts(const std::string& name, const std::vector<std::string>& preset) const {
  return has(name) ? split(text(name, "")) : preset;
}

std::vector<int> Arguments::wholes(const std::string& name, const std::vector<int>& preset, int lowest,
                                   int highest) const {
  if (!has(name)) return preset;
  std::vector<int> values;
  for (const std::string& part : texts(name, {})) values.push_back(whole_of(name, part, lowest, highest));
  if (values.empty()) refuse("--" + name + " needs a value.");
  return values;
}

Options Arguments::detector_options() const {
  return detector_options(text("precision", "float"));
}

Options Arguments::detector_options(const std::string& precision) const {
  Options options;
  const std::string cores = text("cores", "auto");
  if (precision != "float" && precision != "int8") refuse("--precision is float or int8, not '" + precision + "'.");
  options.precision = precision == "float" ? FilePrecision::float_ : FilePrecision::int8;
  options.cores = cores_of(cores);
  if (has("score")) options.score_threshold = fraction_of("score", text("score", ""));
  if (has("nms")) options.nms_iou = fraction_of("nms", text("nms", ""));
  if (has("max-detections")) options.max_detections = whole("max-detections", 0, 1, 1'000'000);
  options.classes = texts("classes", {});
  return options;
}

std::vector<Option> with_detector_options(std::vector<Option> own) {
  const std::vector<Option> shared = {
      {"engine", "NAME", "auto, native, ncnn or openvino"},
      {"threads", "N", "CPU threads; default: all fast cores"},
      {"precision", "P", "which of the bundle's files: float or int8"},
      {"compute", "C", "what float layers are calculated in: fp32, fp16 or bf16"},
      {"cores", "KIND", "auto (the big ones where there are two kinds), all, big or little"},
      {"score", "S", "report boxes above this score; default: the bundle's"},
      {"nms", "T", "IoU of non-maximum suppression; default: the bundle's"},
      {"max-detections", "N", "most boxes a picture; default: the bundle's"},
      {"classes", "A,B", "report only these classes"},
  };
  for (const Option& option : shared) {
    const bool replaced =
        std::any_of(own.begin(), own.end(), [&](const Option& o) { return std::string(o.name) == option.name; });
    if (!replaced) own.push_back(option);
  }
  return own;
}

ComputePrecision compute_of(const std::string& text) {
  if (text == "fp32") return ComputePrecision::fp32;
  if (text == "fp16") return ComputePrecision::fp16;
  if (text == "bf16") return ComputePrecision::bf16;
  refuse("--compute is fp32, fp16 or bf16, not '" + text + "'.");
}

int run_main(int (*work)(int, char**), int count, char** words) {
  const std::string name = std::string(words[0]).substr(std::string(words[0]).rfind('/') + 1);
  try {
    const int status = work(count, words);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw std::runtime_error("The output cannot be written: " + std::string(std::strerror(errno)) + ".");
    }
    return status;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 1;
  }
}

}  // namespace nanoedge::apps

#if defined(__GLIBCXX__)
// Nothing gets past run_main. The C++ library's own function for what does brings a demangler of 50 kB into static
// executables.
void __gnu_cxx::__verbose_terminate_handler() {
  std::abort();
}
#endif
