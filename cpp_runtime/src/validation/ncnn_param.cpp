#include "validation/ncnn_param.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "nanoedge/error.hpp"

namespace nanoedge {
namespace {

constexpr std::size_t kMaxBytes = 4'000'000;
constexpr int kMagic = 7767517;
constexpr int kMaxLayers = 4096, kMaxBlobs = 16384, kMaxEnds = 64;
constexpr int kMaxParameterId = 31;  // ncnn keeps 32 parameters a layer
constexpr int kMaxListLength = 4096;
constexpr int kListKey = -23300;
constexpr std::size_t kMaxName = 128;  // ncnn reads names into 256 bytes

class Lines {
 public:
  Lines(std::string_view text, const std::string& place) : rest_(text), place_(place) {}

  bool at_end() {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == ' ' || rest_.front() == '\r')) {
      rest_.remove_prefix(1);
    }
    return rest_.empty();
  }

  void next() {
    if (rest_.empty()) refuse("ends before all of its layers");
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
  }

  // The next word of the line; empty at its end.
  std::string_view word() {
    while (!line_.empty() && (line_.front() == ' ' || line_.front() == '\r' || line_.front() == '\t')) {
      line_.remove_prefix(1);
    }
    std::size_t end = 0;
    while (end < line_.size() && line_[end] != ' ' && line_[end] != '\r' && line_[end] != '\t') ++end;
    const std::string_view word = line_.substr(0, end);
    line_.remove_prefix(end);
    return word;
  }

  int whole(int lowest, int highest, const char* what) {
    const std::string_view text = word();
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < lowest || value > highest) {
      refuse(std::string("has no ") + what + " from " + std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return value;
  }

  std::string name(const char* what) {
    const std::string_view text = word();
    if (text.empty() || text.size() > kMaxName) refuse(std::string("has no ") + what + " of 1 to 128 letters");
    for (const char c : text) {
      if (c < '!' || c > '~') refuse(std::string("has a ") + what + " with a character that is no plain letter");
    }
    return std::string(text);
  }

  int number() const { return number_; }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::bundle, place_ + ", line " + std::to_string(number_) + ", " + what +
                                       "; the bundle is damaged or not made by NanoEdge.");
  }

 private:
  std::string_view rest_, line_;
  const std::string& place_;
  int number_ = 0;
};

// Reads one number; says whether it is a whole one.
bool read_number(std::string_view text, double& value, bool& whole) {
  if (text.empty() || text.size() > 32) return false;
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  const auto as_integer = std::from_chars(text.data(), end, integer);
  if (as_integer.ec == std::errc{} && as_integer.ptr == end) {
    value = static_cast<double>(integer);
    whole = true;
    return integer >= INT32_MIN && integer <= INT32_MAX;
  }
  for (const char c : text) {  // no "inf", "nan" or hexadecimal digits
    if (!((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E')) return false;
  }
  const auto as_float = std::from_chars(text.data(), end, value);
  whole = false;
  return as_float.ec == std::errc{} && as_float.ptr == end && std::fabs(value) < 1e30;
}

std::pair<int, NcnnValue> read_value(const Lines& lines, std::string_view word) {
  const std::size_t equals = word.find('=');
  int key = 0;
  if (equals == std::string_view::npos) lines.refuse("has a parameter without '='");
  const auto [end, error] = std::from_chars(word.data(), word.data() + equals, key);
  if (error != std::errc{} || end != word.data() + equals) lines.refuse("has a parameter whose key is no number");
  NcnnValue value;
  value.is_list = key <= kListKey;
  const int id = value.is_list ? kListKey - key : key;
  if (id < 0 || id > kMaxParameterId) lines.refuse("has the unknown parameter " + std::to_string(key));

  std::string_view rest = word.substr(equals + 1);
  int expected = -1;
  for (bool more = true; more;) {
    const std::size_t comma = value.is_list ? rest.find(',') : std::string_view::npos;
    double number = 0;
    bool whole = false;
    if (!read_number(rest.substr(0, comma), number, whole)) {
      lines.refuse("has a parameter " + std::to_string(key) + " that is no number");
    }
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
    if (value.is_list && expected < 0) {  // the list's length comes first
      if (!whole || number < 0 || number > kMaxListLength) lines.refuse("has a list of an impossible length");
      expected = static_cast<int>(number);
      continue;
    }
    value.numbers.push_back(number);
    value.is_whole = value.is_whole && whole;
  }
  if (value.is_list && static_cast<int>(value.numbers.size()) != expected) {
    lines.refuse("has a list whose length is not the one it says");
  }
  return {id, std::move(value)};
}

}  // namespace

NcnnGraph parse_ncnn_param(std::string_view text, const std::string& place) {
  if (text.size() > kMaxBytes) throw Error(ErrorKind::bundle, place + " is larger than any network.");
  Lines lines(text, place);
  lines.next();
  lines.whole(kMagic, kMagic, "magic number");
  lines.next();
  const int layer_count = lines.whole(1, kMaxLayers, "number of layers");
  const int blob_count = lines.whole(1, kMaxBlobs, "number of blobs");

  NcnnGraph graph;
  std::unordered_map<std::string, std::size_t> written;  // name to index
  std::vector<bool> consumed;
  for (int i = 0; i < layer_count; ++i) {
    lines.next();
    NcnnLayer layer;
    layer.line = lines.number();
    layer.type = lines.name("layer type");
    layer.name = lines.name("layer name");
    const int input_count = lines.whole(0, kMaxEnds, "number of inputs");
    const int output_count = lines.whole(0, kMaxEnds, "number of outputs");
    for (int k = 0; k < input_count; ++k) {
      const std::string name = lines.name("input");
      const auto found = written.find(name);
      if (found == written.end()) lines.refuse("reads the blob " + name + ", which no layer before it writes");
      if (consumed[found->second]) lines.refuse("reads the blob " + name + " a second time");
      consumed[found->second] = true;
      layer.inputs.push_back(found->second);
    }
    for (int k = 0; k < output_count; ++k) {
      const std::string name = lines.name("output");
      if (!written.emplace(name, graph.blobs.size()).second) lines.refuse("writes the blob " + name + " a second time");
      layer.outputs.push_back(graph.blobs.size());
      graph.blobs.push_back(name);
      consumed.push_back(false);
    }
    for (std::string_view word = lines.word(); !word.empty(); word = lines.word()) {
      auto [id, value] = read_value(lines, word);
      if (!layer.values.emplace(id, std::move(value)).second) {
        lines.refuse("has the parameter " + std::to_string(id) + " twice");
      }
    }
    graph.layers.push_back(std::move(layer));
  }
  if (graph.blobs.size() != static_cast<std::size_t>(blob_count)) {
    lines.refuse("has " + std::to_string(graph.blobs.size()) + " blobs, not " + std::to_string(blob_count));
  }
  if (!lines.at_end()) lines.refuse("goes on after its last layer");
  return graph;
}

}  // namespace nanoedge
