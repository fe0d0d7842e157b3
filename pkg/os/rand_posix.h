/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers from getrandom(2), or from clocks while the kernel's pool is not ready: not for keys. Static. Loop
 * thread only. */
#pragma once

#include "base/rand.h"

const struct hf_rand_ops *hf_rand_posix(void);
