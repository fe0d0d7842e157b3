/* node/storage.h - the kind of medium that carries a block device. Reads /sys and /proc; blocks for microseconds.
 * Threads: any. */
#pragma once

#include "node/probe.h"

/* The values of the label `storage`. */
enum hf_storage {
    HF_STORAGE_UNKNOWN,
    HF_STORAGE_EMMC,
    HF_STORAGE_SD,
    HF_STORAGE_SSD,
    HF_STORAGE_HDD,
    HF_STORAGE_NVME,
    HF_STORAGE_VIRTUAL,
};

const char *hf_storage_name(enum hf_storage storage); /* "emmc" ...; "" for unknown */

/* Finds the medium of the device with this number, as stat(2) reports it in st_dev. Looks up a number with major 0
 * (btrfs, overlay, tmpfs) in /proc/self/mountinfo. Follows partitions, LVM, md and dm-crypt to the disk below. */
enum hf_storage hf_storage_of(const struct hf_probe_root *at, unsigned major, unsigned minor);
