/* SPDX-License-Identifier: Apache-2.0 */
/* The wear of eMMC (JEDEC 5.0); the kernel shows no other. Blocks for microseconds. */
#pragma once

#include "node/probe.h"

struct hf_wear {
    int percent; /* used life; -1: unknown */
    bool urgent; /* reported by the medium: 90 % of its reserve */
};

/* "0x01 0x03", for two kinds of memory in steps of 10 percent: the upper end of the worse one; -1: unknown. Pure. */
int hf_wear_percent(const char *life_time);

/* The disk by st_dev. */
bool hf_wear_read(const struct hf_probe_root *at, unsigned major, unsigned minor, struct hf_wear *ret_wear);
