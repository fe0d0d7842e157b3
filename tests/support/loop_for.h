/* SPDX-License-Identifier: Apache-2.0 */
/* support/loop_for.h - the real loop for a while. */
#pragma once

#include "loop/loop.h"

void loop_run_for(struct hf_loop *loop, uint64_t ns);
