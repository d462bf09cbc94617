// A small manifest for tests, signed after it was changed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bundle/canonical_json.hpp"
#include "bundle/sha256.hpp"

inline nlohmann::json manifest_document() {
  const std::string hash(64, 'a');
  return {
      {"format", "nanoedge-bundle"},
      {"version", 1},
      {"name", "small"},
      {"task", "detect"},
      {"licence", ""},
      {"classes", {"cat", "dog"}},
      {"input",
       {{"width", 64},
        {"height", 32},
        {"channels", "bgr"},
        {"resize", "stretch"},
        {"pad_value", 0},
        {"mean", {103.53, 116.28, 123.675}},
        {"std", {57.375, 57.12, 58.395}}}},
      {"decoder",
       {{"type", "nanodet-plus"}, {"strides", {8, 32}}, {"reg_max", 7}, {"prior_offset", 0.0}, {"scores", "logits"}}},
      {"postprocess", {{"score_threshold", 0.35}, {"nms_iou", 0.6}, {"max_detections", 100}, {"class_aware", true}}},
      {"engines",
       {{{"engine", "ncnn"},
         {"precision", "float"},
         {"files", {"model.ncnn.param", "model.ncnn.bin"}},
         {"input", "in0"},
         {"outputs", {"out0"}},
         {"layout", "priors,channels"}}}},
      {"files",
       {{"model.ncnn.param", {{"sha256", hash}, {"size", 10}}},
        {"model.ncnn.bin", {{"sha256", hash}, {"size", 10}}},
        {"sample.png", {{"sha256", hash}, {"size", 10}}},
        {"sample.json", {{"sha256", hash}, {"size", 10}}},
        {"parity.json", {{"sha256", hash}, {"size", 10}}}}},
      {"sample", {{"picture", "sample.png"}, {"detections", "sample.json"}}},
      {"parity", {{"report", "parity.json"}, {"passed", true}}},
      {"provenance",
       {{"nanoedge", "0.1.0"},
        {"torch", ""},
        {"onnx", ""},
        {"onnxruntime", ""},
        {"openvino", ""},
        {"ncnn", ""},
        {"pnnx", ""},
        {"run", ""},
        {"data_fingerprint", ""}}}};
}

inline std::string signed_text(nlohmann::json document) {
  const std::string text = nanoedge::canonical_json(document);
  document["digest"] = nanoedge::sha256_hex(text.data(), text.size());
  return document.dump(2);
}
