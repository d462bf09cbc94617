#include "bundle/bundle.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "bundle/sha256.hpp"

namespace nanoedge {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 31;

// At most `limit` bytes and one more, so that a file that is too long shows.
Bytes read_file(const std::string& path, std::uint64_t limit) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw Error(ErrorKind::bundle, path + " cannot be read; copy or export the bundle again.");
  Bytes bytes(limit + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get())) {
    throw Error(ErrorKind::bundle, path + " cannot be read; copy or export the bundle again.");
  }
  return bytes;
}

}  // namespace

Bundle::Bundle(std::string folder, Manifest manifest) : folder_(std::move(folder)), manifest_(std::move(manifest)) {}

Bundle Bundle::open(const std::string& folder) {
  struct stat status{};
  if (stat(folder.c_str(), &status) != 0) {
    throw Error(ErrorKind::bundle,
                "There is no bundle " + folder + "; a bundle is a folder that nanoedge export makes.");
  }
  if (!S_ISDIR(status.st_mode)) throw Error(ErrorKind::bundle, folder + " is a file, not a bundle.");
  const std::string path = folder + "/" + kManifestName;
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::bundle, folder + " is no bundle: it has no " + std::string(kManifestName) + ".");
  }
  if (static_cast<std::uint64_t>(status.st_size) > kMaxManifestBytes) {
    throw Error(ErrorKind::bundle, path + " is larger than any manifest.");
  }
  const Bytes text = read_file(path, static_cast<std::uint64_t>(status.st_size));
  return Bundle(folder, parse_manifest({text.data(), text.size()}, path));
}

const EngineEntry* Bundle::find(const std::string& engine, FilePrecision precision) const {
  for (const EngineEntry& entry : manifest_.engines) {
    if (entry.engine == engine && entry.precision == precision) return &entry;
  }
  return nullptr;
}

const EngineEntry& Bundle::entry(const std::string& engine, FilePrecision precision) const {
  if (const EngineEntry* found = find(engine, precision)) return *found;
  throw Error(ErrorKind::bundle, folder_ + " has no " + engine + " model in " + name_of(precision) +
                                     " precision; it has: " + offers() + ". Export it again with --target " + engine +
                                     ", or choose another engine.");
}

std::string Bundle::offers() const {
  std::string offered;
  for (const EngineEntry& entry : manifest_.engines) {
    offered += (offered.empty() ? "" : ", ") + entry.engine + " (" + name_of(entry.precision) + ")";
  }
  return offered;
}

Bytes Bundle::read(const std::string& name) const {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorKind::bundle, path(name) + " " + problem + "; the bundle is damaged. Copy or export it again.");
  };
  const auto listed = manifest_.files.find(name);
  if (listed == manifest_.files.end()) refuse("is not listed in the manifest");
  struct stat status{};
  if (lstat(path(name).c_str(), &status) != 0) refuse("is missing");
  if (S_ISLNK(status.st_mode)) refuse("is a link");
  if (!S_ISREG(status.st_mode)) refuse("is missing");
  const auto& [hash, size] = listed->second;
  if (static_cast<std::uint64_t>(status.st_size) != size) {
    refuse("has " + std::to_string(status.st_size) + " bytes, not " + std::to_string(size));
  }
  if (size > kMaxFileBytes) refuse("is larger than any model");
  Bytes bytes = read_file(path(name), size);
  if (bytes.size() != size) refuse("has another size than the manifest says");
  if (sha256_hex(bytes.data(), bytes.size()) != hash) refuse("was changed (its sha256 is not the manifest's)");
  return bytes;
}

}  // namespace nanoedge
