/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the medium under a file system. Blocks for microseconds. */
#pragma once

#include "node/probe.h"

enum hf_storage {
    HF_STORAGE_UNKNOWN,
    HF_STORAGE_EMMC,
    HF_STORAGE_SD,
    HF_STORAGE_SSD,
    HF_STORAGE_HDD,
    HF_STORAGE_NVME,
    HF_STORAGE_VIRTUAL,
};

/* Returns the value of the label `storage`; unknown: "". */
const char *hf_storage_name(enum hf_storage storage);

/* Finds the medium by st_dev; if major is 0 (btrfs, overlay, tmpfs), by /proc/self/mountinfo. Follows partitions, LVM,
 * md and dm-crypt to one disk. */
enum hf_storage hf_storage_of(const struct hf_probe_root *at, unsigned major, unsigned minor);

/* Finds the kernel's name of the disk, "mmcblk0". */
bool hf_storage_disk(const struct hf_probe_root *at, unsigned major, unsigned minor, char *name, size_t n);
