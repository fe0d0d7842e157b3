/* os/fs_posix.h - the real tables: files, clocks, random numbers. Static, nothing to free; any thread. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/rand.h"

const struct hf_fs_ops *hf_fs_posix(void);
const struct hf_clock_ops *hf_clock_posix(void); /* CLOCK_BOOTTIME and CLOCK_REALTIME */
const struct hf_rand_ops *hf_rand_posix(void);   /* getrandom(2), buffered; loop thread only */
