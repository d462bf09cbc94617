// Views of every format, size and stride on a buffer that is exactly as long as the view says.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "image/preprocess.hpp"
#include "nanoedge/error.hpp"

namespace {

struct Header {
  std::uint8_t format, letterbox;
  std::int16_t width, height, stride, chroma_stride;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nanoedge;
  Header header;
  if (size < sizeof header) return 0;
  std::memcpy(&header, data, sizeof header);
  const std::vector<std::uint8_t> pixels(data + sizeof header,
                                         data + size);  // a block of its own: the ends are guarded
  InputSpec spec;
  spec.width = 64, spec.height = 32;
  spec.resize = header.letterbox % 2 ? Resize::letterbox : Resize::stretch;
  spec.std = {1, 1, 1};
  ImageView view;
  view.data = pixels.data(), view.size = pixels.size();
  view.width = header.width, view.height = header.height, view.stride = header.stride;
  view.chroma_stride = header.chroma_stride;
  view.format = static_cast<PixelFormat>(header.format % 9);
  if (pixels.empty()) return 0;  // a size of 0 says that the length is not known
  std::vector<float> tensor(3 * 64 * 32);
  try {
    Preprocessor(spec).run(check_image(view), InputView::planes(tensor.data(), 64 * 32));
  } catch (const Error&) {
  }
  return 0;
}
