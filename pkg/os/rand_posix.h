/* os/rand_posix.h - random numbers from getrandom(2), without waiting for the kernel's entropy pool. Do not use them
 * for keys.
 *
 * The table is static; nothing to free. Loop thread only: the numbers come from one buffer. */
#pragma once

#include "base/rand.h"

const struct hf_rand_ops *hf_rand_posix(void);
