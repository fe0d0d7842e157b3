/* SPDX-License-Identifier: Apache-2.0 */
/* support/golden.h - a text that must stay as it is in tests/golden/: a change shows in review. HF_GOLDEN_WRITE=1 (`make golden`)
 * rewrites it. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Compare with tests/golden/<name>; false with the first different line on stderr. Run from the top of the repository. */
bool hf_golden(const char *name, struct hf_view text);
