// nanoedge-detect: boxes of pictures, without Python.
#include <sys/stat.h>

#include <cstdio>
#include <set>

#include "arguments.hpp"
#include "bundle/json_text.hpp"
#include "drawing.hpp"
#include "nanoedge/detector.hpp"
#include "picture_file.hpp"

namespace {

using namespace nanoedge;
using namespace nanoedge::apps;

constexpr const char* kUsage =
    "usage: nanoedge-detect BUNDLE PICTURE... [options]\n"
    "Finds objects in JPEG and PNG pictures; nothing is written without --out.\n";

// One picture's part of the document.
std::string as_json(const std::string& source, const Picture& picture, const std::vector<Detection>& found,
                    const std::vector<std::string>& classes) {
  std::string text = "{\"source\": " + json_text(source) + ", \"width\": " + std::to_string(picture.width) +
                     ", \"height\": " + std::to_string(picture.height) + ", \"detections\": [";
  const char* before = "\n";
  for (const Detection& box : found) {
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, "\"class_id\": %d, \"score\": %.5f, \"box\": [%.2f, %.2f, %.2f, %.2f]}",
                  box.class_id, static_cast<double>(box.score), static_cast<double>(box.x1),
                  static_cast<double>(box.y1), static_cast<double>(box.x2), static_cast<double>(box.y2));
    text += before + ("    {\"label\": " + json_text(classes[static_cast<std::size_t>(box.class_id)]) + ", ") + numbers;
    before = ",\n";
  }
  return text + "]}";
}

void print_line(const std::string& source, const std::vector<Detection>& found,
                const std::vector<std::string>& classes) {
  std::printf("%s: %zu found", source.c_str(), found.size());
  const char* before = ": ";
  for (const Detection& box : found) {
    std::printf("%s%s %.2f [%.0f, %.0f, %.0f, %.0f]", before, classes[static_cast<std::size_t>(box.class_id)].c_str(),
                static_cast<double>(box.score), static_cast<double>(box.x1), static_cast<double>(box.y1),
                static_cast<double>(box.x2), static_cast<double>(box.y2));
    before = "; ";
  }
  std::printf("\n");
}

// Where the drawn copy of a picture goes: its name with .jpg, numbered when it is taken by another source.
std::string place_in(const std::string& folder, const std::string& source, std::set<std::string>& taken) {
  const std::string file = source.substr(source.rfind('/') + 1);
  const std::string stem = file.substr(0, file.rfind('.'));
  std::string name = stem + ".jpg";
  for (int number = 2; !taken.insert(name).second; ++number) name = stem + "-" + std::to_string(number) + ".jpg";
  return folder + "/" + name;
}

void refuse_existing(const std::string& place) {
  struct stat status{};
  if (::lstat(place.c_str(), &status) == 0) {
    throw Error(ErrorKind::input, place + " exists already; choose another --out or replace it with --force.");
  }
}

int detect(int count, char** words) {
  const Arguments arguments(count, words, kUsage,
                            with_detector_options({{"json", "", "print one JSON document"},
                                                   {"out", "DIR", "write copies with boxes drawn into this folder"},
                                                   {"force", "", "replace what is there"}}));
  if (arguments.plain().size() < 2)
    throw Error(ErrorKind::input, "Give a BUNDLE and at least one PICTURE; see --help.");
  const std::vector<std::string> sources(arguments.plain().begin() + 1, arguments.plain().end());
  const std::string out = arguments.text("out", "");
  std::vector<std::string> places;
  std::set<std::string> taken;
  for (const std::string& source : sources) {
    places.push_back(out.empty() ? "" : place_in(out, source, taken));
    if (!out.empty() && !arguments.has("force")) refuse_existing(places.back());
  }
  Options options = arguments.detector_options();
  options.engine = arguments.text("engine", "auto");
  options.compute = compute_of(arguments.text("compute", "fp32"));
  options.threads = arguments.has("threads") ? arguments.whole("threads", 0, 1, 256) : 0;
  Detector detector = Detector::load(arguments.plain().front(), options);
  if (!out.empty()) ::mkdir(out.c_str(), 0777);  // when it cannot be made, the first picture says so

  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a picture's line is there when its picture is done
  std::string document;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    try {
      Picture picture = read_picture(sources[i]);
      const std::vector<Detection> found = detector.detect(picture.view());
      if (arguments.has("json")) {
        document += (document.empty() ? "\n  " : ",\n  ") + as_json(sources[i], picture, found, detector.classes());
      } else {
        print_line(sources[i], found, detector.classes());
      }
      if (!out.empty()) {
        draw(picture, found, detector.classes());
        write_jpeg(places[i], picture);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::image) throw;
      std::fprintf(stderr, "nanoedge-detect: %s\n", error.what());
      ++failed;
    }
  }
  if (arguments.has("json")) std::printf("[%s]\n", (document.empty() ? document : document + "\n").c_str());
  return failed == 0 ? 0 : failed == sources.size() ? 2 : 1;
}

}  // namespace

int main(int count, char** words) {
  return run_main(detect, count, words);
}
