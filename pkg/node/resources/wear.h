/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/wear.h - reads the wear of a disk's flash, which the kernel shows only for eMMC (JEDEC 5.0). SD cards
 * do not report their wear, and the wear of NVMe and SATA disks needs privileged ioctls.
 *
 * Reads two small files of /sys and blocks for microseconds. Threads: any. */
#pragma once

#include "node/probe.h"

/* At this percentage or above, somebody should replace the medium. */
enum { HF_WEAR_REPLACE_PERCENT = 90 };

struct hf_wear {
    int percent; /* used part of the medium's life; -1 if unknown */
    bool urgent; /* the medium itself reports "urgent": at least 90 % of its reserve blocks are used */
};

/* Returns the used part of life, in percent, for the text of the file life_time, such as "0x01 0x03". The register has
 * one value for each of two kinds of memory, in steps of 10 percent; the result is the upper end of the worse step, but
 * at most 100. Returns -1 if neither value is known. Pure. */
int hf_wear_percent(const char *life_time);

/* Reads the wear of the disk under the device with this number (st_dev). Returns false if the kernel shows no wear. */
bool hf_wear_read(const struct hf_probe_root *at, unsigned major, unsigned minor, struct hf_wear *ret_wear);
