/* delta/blank.h - a copy of a file whose code has its references blanked: matching on it finds longer and truer matches,
 * since what an instruction refers to moves whenever anything grows. */
#pragma once

#include "delta/image.h"

/* out[n] becomes bytes[n] with the references in the code of `image` zeroed. */
void delta_blank(const struct delta_image *image, const unsigned char *bytes, size_t n, unsigned char *out);
