/* SPDX-License-Identifier: Apache-2.0 */
/* The real clock: CLOCK_BOOTTIME (monotonic) and CLOCK_REALTIME. Static. */
#pragma once

#include "base/clock.h"

const struct hf_clock_ops *hf_clock_posix(void);
