#include "bundle/manifest.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "bundle/canonical_json.hpp"
#include "bundle/json_fields.hpp"
#include "bundle/sha256.hpp"

namespace nanoedge {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxClasses = 100'000;

bool is_letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// A file name without a path: letters, digits, '_', '.', '-', not beginning with '.' or '-'.
bool is_plain_name(const std::string& name) {
  if (name.empty() || name.size() > 128 || name.front() == '.' || name.front() == '-') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_engine_name(const std::string& name) {
  if (name.empty() || name.front() < 'a' || name.front() > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string plain_name(JsonFields& fields, const std::string& key) {
  std::string name = fields.text(key);
  if (!is_plain_name(name)) fields.refuse(key, "must be a plain file name, not '" + name + "'");
  return name;
}

std::array<float, 3> triple(JsonFields& fields, const std::string& key, bool positive) {
  const nlohmann::json& values = fields.array(key);
  if (values.size() != 3) fields.refuse(key, "must hold three numbers");
  std::array<float, 3> result{};
  for (std::size_t i = 0; i < 3; ++i) {
    const float value = values[i].is_number() ? values[i].get<float>() : NAN;
    const bool good = std::isfinite(value) && (!positive || (value > 0 && std::isfinite(1 / value)));
    if (!good) fields.refuse(key, positive ? "must hold positive numbers" : "must hold numbers");
    result[i] = value;
  }
  return result;
}

InputSpec read_input(JsonFields fields) {
  InputSpec spec;
  spec.width = static_cast<int>(fields.integer("width", 32, 4096));
  spec.height = static_cast<int>(fields.integer("height", 32, 4096));
  fields.one_of("channels", {"bgr"});
  spec.resize = fields.one_of("resize", {"stretch", "letterbox"}) == "stretch" ? Resize::stretch : Resize::letterbox;
  spec.pad_value = static_cast<int>(fields.integer("pad_value", 0, 255));
  spec.mean = triple(fields, "mean", false);
  spec.std = triple(fields, "std", true);
  fields.finish();
  return spec;
}

DecoderSpec read_decoder(JsonFields fields) {
  DecoderSpec spec;
  const std::string type = fields.text("type");
  if (type != "nanodet-plus") {
    throw Error(ErrorKind::bundle, fields.place() + " asks for the decoder '" + type +
                                       "', which this NanoEdge does not know; update NanoEdge.");
  }
  for (const nlohmann::json& stride : fields.array("strides")) {
    if (!stride.is_number_integer() || stride < 1 || stride > 4096) {
      fields.refuse("strides", "must hold whole numbers from 1 to 4096");
    }
    spec.strides.push_back(stride.get<int>());
  }
  if (spec.strides.empty() || spec.strides.size() > 16) fields.refuse("strides", "must hold 1 to 16 numbers");
  spec.reg_max = static_cast<int>(fields.integer("reg_max", 1, 1024));
  spec.prior_offset = static_cast<float>(fields.fraction("prior_offset"));
  fields.one_of("scores", {"logits"});
  fields.finish();
  return spec;
}

PostprocessSpec read_postprocess(JsonFields fields) {
  PostprocessSpec spec;
  spec.score_threshold = static_cast<float>(fields.fraction("score_threshold"));
  spec.nms_iou = static_cast<float>(fields.fraction("nms_iou"));
  spec.max_detections = static_cast<int>(fields.integer("max_detections", 1, 1'000'000));
  spec.class_aware = fields.boolean("class_aware");
  fields.finish();
  return spec;
}

EngineEntry read_engine(JsonFields fields) {
  EngineEntry entry;
  entry.engine = fields.text("engine");
  if (!is_engine_name(entry.engine)) fields.refuse("engine", "is no engine's name: '" + entry.engine + "'");
  const std::string precision = fields.one_of("precision", {"float", "int8"});
  entry.precision = precision == "float" ? FilePrecision::float_ : FilePrecision::int8;
  entry.files = fields.texts("files");
  for (const std::string& name : entry.files) {
    if (!is_plain_name(name)) fields.refuse("files", "must hold plain file names, not '" + name + "'");
  }
  entry.input = fields.text("input");
  entry.outputs = fields.texts("outputs");
  const bool empty = std::any_of(entry.outputs.begin(), entry.outputs.end(), [](auto& name) { return name.empty(); });
  if (entry.input.empty()) fields.refuse("input", "must not be empty");
  if (empty) fields.refuse("outputs", "must not hold an empty name");
  fields.one_of("layout", {"priors,channels"});
  fields.finish();
  return entry;
}

std::map<std::string, FileEntry> read_files(JsonFields fields, const nlohmann::json& document) {
  std::map<std::string, FileEntry> files;
  for (const auto& item : document.items()) {
    const std::string& name = item.key();
    if (!is_plain_name(name)) fields.refuse(name, "is not a plain file name");
    if (name == kManifestName) fields.refuse(name, "cannot list itself");
    JsonFields entry = fields.object(name);
    FileEntry file;
    file.sha256 = entry.text("sha256");
    if (!is_sha256(file.sha256)) entry.refuse("sha256", "must be 64 hexadecimal digits");
    file.size = static_cast<std::uint64_t>(entry.integer("size", 0, INT64_MAX));
    entry.finish();
    files.emplace(name, std::move(file));
  }
  return files;
}

void check_names(const Manifest& manifest, const std::string& place, const std::string& report) {
  std::set<std::string> named = {manifest.sample_picture, manifest.sample_detections, report};
  std::set<std::pair<std::string, FilePrecision>> pairs;
  for (const EngineEntry& entry : manifest.engines) {
    named.insert(entry.files.begin(), entry.files.end());
    if (!pairs.insert({entry.engine, entry.precision}).second) {
      throw Error(ErrorKind::bundle, place + ": an engine stands twice with the same precision.");
    }
  }
  for (const std::string& name : named) {
    if (manifest.files.count(name) == 0) {
      throw Error(ErrorKind::bundle, place + ": the file " + name + " is used but not listed under 'files'.");
    }
  }
  const std::set<std::string> classes(manifest.classes.begin(), manifest.classes.end());
  if (classes.size() != manifest.classes.size()) {
    throw Error(ErrorKind::bundle, place + ": classes: two classes have the same name.");
  }
}

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  // The depth is limited while parsing: what reads the document afterwards may recurse.
  const auto shallow = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxDepth) throw Error(ErrorKind::bundle, place + " is nested deeper than any manifest.");
    return true;
  };
  try {
    return nlohmann::json::parse(text, shallow);
  } catch (const nlohmann::json::exception& error) {
    std::string why = error.what();  // "[json.exception.kind.number] sentence"
    why.erase(0, why.compare(0, 1, "[") == 0 ? why.find("] ") + 2 : 0);
    throw Error(ErrorKind::bundle, place + " cannot be read: " + why + "; copy or export the bundle again.");
  }
}

void check_digest(const nlohmann::json& document, const std::string& place) {
  nlohmann::json rest = document;
  rest.erase("digest");
  const std::string text = canonical_json(rest);
  const auto digest = document.find("digest");
  if (digest == document.end() || !digest->is_string() || *digest != sha256_hex(text.data(), text.size())) {
    throw Error(ErrorKind::bundle,
                place + " was changed after it was written (its digest does not fit); export the bundle again.");
  }
}

}  // namespace

const char* name_of(FilePrecision precision) noexcept {
  return precision == FilePrecision::float_ ? "float" : "int8";
}

std::int64_t DecoderSpec::prior_count(int width, int height) const {
  std::int64_t count = 0;
  for (const int stride : strides) {
    count += std::int64_t{(width + stride - 1) / stride} * ((height + stride - 1) / stride);
  }
  return count;
}

Manifest parse_manifest(std::string_view text, const std::string& place) {
  if (text.size() > kMaxManifestBytes) throw Error(ErrorKind::bundle, place + " is larger than any manifest.");
  const nlohmann::json document = parse_json(text, place);
  const auto format = document.is_object() ? document.find("format") : document.end();
  if (!document.is_object() || format == document.end() || *format != "nanoedge-bundle") {
    throw Error(ErrorKind::bundle, place + " is not the manifest of a NanoEdge bundle.");
  }
  const auto version = document.find("version");
  if (version != document.end() && version->is_number_integer() && *version > kManifestVersion) {
    throw Error(ErrorKind::bundle, place + " has version " + canonical_json(*version) + ", this NanoEdge reads up to " +
                                       std::to_string(kManifestVersion) + "; update NanoEdge.");
  }
  check_digest(document, place);

  JsonFields fields(document, place, "");
  Manifest manifest;
  fields.text("format");
  fields.integer("version", kManifestVersion, kManifestVersion);
  manifest.decoder = read_decoder(fields.object("decoder"));
  manifest.name = plain_name(fields, "name");
  fields.one_of("task", {"detect"});
  fields.text("licence");
  manifest.classes = fields.texts("classes");
  if (manifest.classes.size() > kMaxClasses) fields.refuse("classes", "are more than any network has");
  manifest.input = read_input(fields.object("input"));
  manifest.postprocess = read_postprocess(fields.object("postprocess"));
  const nlohmann::json& engines = fields.array("engines");
  for (std::size_t i = 0; i < engines.size(); ++i) {
    manifest.engines.push_back(read_engine({engines[i], place, "engines." + std::to_string(i)}));
  }
  if (manifest.engines.empty()) fields.refuse("engines", "must not be empty");
  JsonFields files = fields.object("files");
  manifest.files = read_files(files, document["files"]);

  JsonFields sample = fields.object("sample");
  manifest.sample_picture = plain_name(sample, "picture");
  manifest.sample_detections = plain_name(sample, "detections");
  sample.finish();
  JsonFields parity = fields.object("parity");
  const std::string report = plain_name(parity, "report");
  if (!parity.boolean("passed")) parity.refuse("passed", "must be true");
  parity.finish();
  JsonFields provenance = fields.object("provenance");
  for (const char* key :
       {"nanoedge", "torch", "onnx", "onnxruntime", "openvino", "ncnn", "pnnx", "run", "data_fingerprint"}) {
    provenance.text(key);
  }
  provenance.finish();
  fields.text("digest");
  fields.finish();
  check_names(manifest, place, report);
  return manifest;
}

}  // namespace nanoedge
