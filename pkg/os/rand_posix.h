/* os/rand_posix.h - real random numbers from getrandom(2), which never waits for the kernel's pool. Not for keys.
 *
 * Static, nothing to free. Loop thread only: the numbers come from one buffer. */
#pragma once

#include "base/rand.h"

const struct hf_rand_ops *hf_rand_posix(void);
