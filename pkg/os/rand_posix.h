/* SPDX-License-Identifier: Apache-2.0 */
/* os/rand_posix.h - random numbers from getrandom(2), or from the clocks while the kernel's entropy pool is not ready.
 * Do not make keys from these numbers.
 *
 * The table is static; nothing to free. Threads: loop thread only, because all numbers come from one buffer. */
#pragma once

#include "base/rand.h"

const struct hf_rand_ops *hf_rand_posix(void);
