/* SPDX-License-Identifier: Apache-2.0 */
/* node/storage.h - finds the kind of storage medium under a file system, such as an SD card or an SSD. The functions
 * read /sys and /proc, and block for microseconds. Threads: any. */
#pragma once

#include "node/probe.h"

/* The kinds of storage medium, which are the values of the Node label `storage`. */
enum hf_storage {
    HF_STORAGE_UNKNOWN,
    HF_STORAGE_EMMC,
    HF_STORAGE_SD,
    HF_STORAGE_SSD,
    HF_STORAGE_HDD,
    HF_STORAGE_NVME,
    HF_STORAGE_VIRTUAL,
};

/* Returns the value of the label, such as "emmc"; "" for HF_STORAGE_UNKNOWN. */
const char *hf_storage_name(enum hf_storage storage);

/* Returns the medium of the device with this number, which stat(2) reports in st_dev. If the major number is 0 (btrfs,
 * overlay, tmpfs), looks up the device in /proc/self/mountinfo, and returns HF_STORAGE_VIRTUAL if that file names no
 * device. Follows partitions, LVM, md and dm-crypt to the disk below, or to one of the disks if there are several.
 * Returns HF_STORAGE_UNKNOWN if `major` and `minor` are both 0, or if the disk or its kind cannot be found. */
enum hf_storage hf_storage_of(const struct hf_probe_root *at, unsigned major, unsigned minor);

/* Copies to name[n] the kernel's name of the whole disk under the device with this number, such as "mmcblk0". Follows
 * the device as hf_storage_of() does. Returns false if the disk cannot be found. */
bool hf_storage_disk(const struct hf_probe_root *at, unsigned major, unsigned minor, char *name, size_t n);
