/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the wear of eMMC (JEDEC 5.0). Blocks for microseconds. */
#pragma once

#include "node/probe.h"

struct hf_wear {
    int percent; /* share of its life that is used; -1: unknown */
    bool urgent; /* reported by the medium: 90 % of its reserve is used */
};

/* Reads "0x01 0x03", the wear of two kinds of memory in steps of 10 percent. Returns the upper end of the worse one;
 * -1: unknown. Pure. */
int hf_wear_percent(const char *life_time);

/* Reads the wear of the disk that st_dev names. False: unknown. */
bool hf_wear_read(const struct hf_probe_root *at, unsigned major, unsigned minor, struct hf_wear *ret_wear);
