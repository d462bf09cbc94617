// nanoedge-bench: how long each stage takes, warm and cold, over engines, precisions and numbers of threads.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "arguments.hpp"
#include "bundle/bundle.hpp"
#include "engines/engine.hpp"
#include "nanoedge/cpu.hpp"
#include "nanoedge/detector.hpp"
#include "picture_file.hpp"

namespace {

using namespace nanoedge;
using namespace nanoedge::apps;

constexpr const char* kUsage =
    "usage: nanoedge-bench BUNDLE [options]\n"
    "Times preprocessing, the network and post-processing; combinations are measured in turn, round by round.\n";
constexpr int kWarmUp = 5;

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Row {
  std::string engine, precision, compute;
  int threads;
  double load_ms, first_ms;
  Detector detector;
  std::vector<double> stages[4];  // preprocess, forward, postprocess, total
};

constexpr const char* kStages[4] = {"preprocess", "forward", "postprocess", "total"};

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (values[high] - values[low]) * (place - static_cast<double>(low));
}

// The engines that the bundle has and that are here.
std::vector<std::string> engines_of(const std::string& folder, FilePrecision precision) {
  const Bundle bundle = Bundle::open(folder);
  std::vector<std::string> names;
  for (const EngineKind& kind : engine_kinds()) {
    std::string reason;
    if (bundle.find(kind.name, precision) == nullptr) continue;
    if (kind.is_available({}, &reason)) {
      names.emplace_back(kind.name);
    } else {
      std::fprintf(stderr, "left out: %s\n", reason.c_str());
    }
  }
  return names;
}

// One row, or why there is none.
std::string add_row(std::vector<Row>& rows, const std::string& folder, const Options& options,
                    const std::string& precision, const std::string& compute, const ImageView& frame) {
  try {
    const Clock::time_point start = Clock::now();
    Detector detector = Detector::load(folder, options);
    const double load_ms = milliseconds_since(start);
    const Clock::time_point loaded = Clock::now();
    detector.detect(frame);
    const std::string name = detector.engine();
    rows.push_back(
        {name, precision, compute, options.threads, load_ms, milliseconds_since(loaded), std::move(detector), {}});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::engine) throw;
    return error.what();
  }
  return "";
}

std::vector<Row> load_rows(const Arguments& arguments, const std::string& folder, const ImageView& frame) {
  std::vector<Row> rows;
  std::string missing;
  const Bundle bundle = Bundle::open(folder);
  const std::vector<std::string> precisions = arguments.texts("precision", {"float"});
  for (const std::string& precision : precisions) {
    Options options = arguments.detector_options(precision);
    std::vector<std::string> engines = arguments.texts("engine", engines_of(folder, options.precision));
    if (engines.empty()) engines = {"auto"};  // which says what is missing
    for (const std::string& engine : engines) {
      for (const std::string& compute : arguments.texts("compute", {"fp32"})) {
        for (const int threads : arguments.wholes("threads", {1}, 1, 256)) {
          options.engine = engine, options.compute = compute_of(compute), options.threads = threads;
          const bool is_one_of_several = precisions.size() > 1 && engine != "auto";
          const std::string why = is_one_of_several && bundle.find(engine, options.precision) == nullptr
                                      ? "the bundle has no " + precision + " model for " + engine + "."
                                      : add_row(rows, folder, options, precision, compute, frame);
          if (!why.empty() && missing != why) std::fprintf(stderr, "left out: %s\n", why.c_str());
          if (!why.empty()) missing = why;
        }
      }
    }
  }
  if (rows.empty()) throw Error(ErrorKind::engine, "There is nothing to measure: " + missing);
  return rows;
}

void measure(std::vector<Row>& rows, const ImageView& frame, int rounds) {
  std::vector<Detection> found;
  for (int round = -kWarmUp; round < rounds; ++round) {
    for (Row& row : rows) {
      Timing timing;
      row.detector.detect(frame, found, &timing);
      if (round < 0) continue;
      const double values[4] = {timing.preprocess, timing.forward, timing.postprocess, timing.total()};
      for (std::size_t i = 0; i < 4; ++i) row.stages[i].push_back(values[i]);
    }
  }
}

// Of this program alone. What getrusage says is at least what the process held that started it, before it became this
// program; it is taken where the system tells nothing better.
double peak_megabytes() {
  // Not std::ifstream: a static executable would grow by a tenth for its locales.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> status(std::fopen("/proc/self/status", "re"), std::fclose);
  const std::string name = "VmHWM:";
  for (char line[256]; status && std::fgets(line, sizeof line, status.get());) {
    if (std::strncmp(line, name.c_str(), name.size()) == 0) return std::strtod(line + name.size(), nullptr) / 1024;
  }
  struct rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double rounded(double value) {
  return std::round(value * 1e6) / 1e6;  // milliseconds, to the nanosecond
}

void print_json(const std::vector<Row>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json one = {
        {"engine", row.engine},   {"precision", row.precision},      {"compute", row.compute},
        {"threads", row.threads}, {"load_ms", rounded(row.load_ms)}, {"first_ms", rounded(row.first_ms)}};
    for (std::size_t i = 0; i < 4; ++i) {
      one[kStages[i]] = {{"p50", rounded(percentile(row.stages[i], 0.5))},
                         {"p90", rounded(percentile(row.stages[i], 0.9))},
                         {"p99", rounded(percentile(row.stages[i], 0.99))}};
    }
    list.push_back(one);
  }
  const nlohmann::ordered_json document = {{"rows", list}, {"peak_megabytes", rounded(peak_megabytes())}};
  std::printf("%s\n", document.dump(2).c_str());
}

void print_table(const std::vector<Row>& rows) {
  std::printf("%-9s %-5s %-5s %7s  %9s %9s", "engine", "file", "comp.", "threads", "load ms", "first ms");
  for (const char* stage : kStages) std::printf("  %-24s", stage);
  std::printf("\n%48s", "");
  for (std::size_t i = 0; i < 4; ++i) std::printf("  %-24s", "p50     p90     p99");
  std::printf("\n");
  for (const Row& row : rows) {
    std::printf("%-9s %-5s %-5s %7d  %9.1f %9.2f", row.engine.c_str(), row.precision.c_str(), row.compute.c_str(),
                row.threads, row.load_ms, row.first_ms);
    for (const auto& values : row.stages) {
      std::printf("  %7.3f %7.3f %8.3f", percentile(values, 0.5), percentile(values, 0.9), percentile(values, 0.99));
    }
    std::printf("\n");
  }
  std::printf("peak memory %.1f MB\n", peak_megabytes());
}

void print_cpu(bool json) {
  auto list = nlohmann::ordered_json::array();
  if (!json) std::printf("%-26s %-9s %-5s %s\n", "instructions", "this CPU", "used", "for");
  for (const CpuFeature& feature : cpu_features()) {
    const bool used = feature.found && feature.built;
    list.push_back({{"name", feature.name}, {"found", feature.found}, {"used", used}, {"for", feature.used_for}});
    if (!json) {
      std::printf("%-26s %-9s %-5s %s\n", feature.name, feature.found ? "yes" : "no", used ? "yes" : "no",
                  feature.used_for);
    }
  }
  if (json) std::printf("%s\n", list.dump(2).c_str());
}

int bench(int count, char** words) {
  const Arguments arguments(
      count, words, kUsage,
      with_detector_options({{"engine", "A,B", "engines to measure; default: all of the bundle that are here"},
                             {"precision", "P,Q", "the bundle's files to measure: float, int8; default: float"},
                             {"compute", "C,D", "compute precisions to measure; default: fp32"},
                             {"threads", "N,M", "numbers of threads to measure; default: 1"},
                             {"rounds", "N", "counted rounds; default: 100"},
                             {"picture", "FILE", "the picture; default: the bundle's sample at 640x480"},
                             {"cpu", "", "show the CPU's instructions and what is used of them; needs no BUNDLE"},
                             {"json", "", "print one JSON document"}}));
  if (arguments.has("cpu")) {
    print_cpu(arguments.has("json"));
    return 0;
  }
  if (arguments.plain().size() != 1) throw Error(ErrorKind::input, "Give one BUNDLE; see --help.");
  const std::string& folder = arguments.plain().front();
  const std::string given = arguments.text("picture", "");
  Picture picture;
  if (given.empty()) {
    const Bundle bundle = Bundle::open(folder);
    picture = camera_frame(read_picture(bundle.path(bundle.manifest().sample_picture)));
  } else {
    picture = read_picture(given);
  }
  std::vector<Row> rows = load_rows(arguments, folder, picture.view());
  measure(rows, picture.view(), arguments.whole("rounds", 100, 1, 10'000'000));
  if (arguments.has("json")) {
    print_json(rows);
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  return run_main(bench, count, words);
}
