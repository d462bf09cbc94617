// libjpeg-turbo holds its code three times, for samples of 8, 12 and 16 bits, and a file says which. Pictures with more
// than 8 bits are refused here, sooner or later: these functions take the names of those that begin the work on them,
// and of a coarse way to enlarge colours that is not asked for, so that the linker leaves it out. They stand in an
// executable's own object file, which comes before the library.
// clang-format off
#include <cstdio>  // before libjpeg's own, which do not ask for it
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

namespace {

void refuse(j_common_ptr picture) {
  const int bits = picture->is_decompressor ? reinterpret_cast<j_decompress_ptr>(picture)->data_precision
                                            : reinterpret_cast<j_compress_ptr>(picture)->data_precision;
  ERREXIT1(picture, JERR_BAD_PRECISION, bits);
}

}  // namespace

extern "C" {

// clang-format off
void j12init_c_coef_controller(j_common_ptr picture) { refuse(picture); }
void j12init_c_main_controller(j_common_ptr picture) { refuse(picture); }
void j12init_c_prep_controller(j_common_ptr picture) { refuse(picture); }
void j12init_color_converter(j_common_ptr picture) { refuse(picture); }
void j12init_color_deconverter(j_common_ptr picture) { refuse(picture); }
void j12init_d_coef_controller(j_common_ptr picture) { refuse(picture); }
void j12init_d_diff_controller(j_common_ptr picture) { refuse(picture); }
void j12init_d_main_controller(j_common_ptr picture) { refuse(picture); }
void j12init_d_post_controller(j_common_ptr picture) { refuse(picture); }
void j12init_downsampler(j_common_ptr picture) { refuse(picture); }
void j12init_forward_dct(j_common_ptr picture) { refuse(picture); }
void j12init_inverse_dct(j_common_ptr picture) { refuse(picture); }
void j12init_lossless_decompressor(j_common_ptr picture) { refuse(picture); }
void j12init_merged_upsampler(j_common_ptr picture) { refuse(picture); }
void j12init_upsampler(j_common_ptr picture) { refuse(picture); }
void j16init_color_deconverter(j_common_ptr picture) { refuse(picture); }
void j16init_d_diff_controller(j_common_ptr picture) { refuse(picture); }
void j16init_d_main_controller(j_common_ptr picture) { refuse(picture); }
void j16init_d_post_controller(j_common_ptr picture) { refuse(picture); }
void j16init_lossless_decompressor(j_common_ptr picture) { refuse(picture); }
void j16init_upsampler(j_common_ptr picture) { refuse(picture); }
void jinit_merged_upsampler(j_common_ptr picture) { refuse(picture); }
// clang-format on
}
