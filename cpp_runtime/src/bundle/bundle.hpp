// A bundle's folder: its manifest, and its files with their sizes and hashes checked.
#pragma once

#include <string>
#include <vector>

#include "bundle/manifest.hpp"

namespace nanoedge {

using Bytes = std::vector<char>;

class Bundle {
 public:
  // Reads and checks the manifest. Throws Error (bundle) when it is no bundle, damaged, or made by a newer version.
  static Bundle open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const Manifest& manifest() const { return manifest_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // The engine's entry, or null.
  const EngineEntry* find(const std::string& engine, FilePrecision precision) const;

  // The same. Throws Error (bundle) when there is none; names those it has.
  const EngineEntry& entry(const std::string& engine, FilePrecision precision) const;

  // The models that it has, for messages.
  std::string offers() const;

  // A listed file's bytes. Throws Error (bundle) when it is missing, a link, or not as it was written.
  Bytes read(const std::string& name) const;

 private:
  Bundle(std::string folder, Manifest manifest);

  std::string folder_;
  Manifest manifest_;
};

}  // namespace nanoedge
