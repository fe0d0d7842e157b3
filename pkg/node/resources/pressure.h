/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/pressure.h - decides which file systems are in trouble, and makes the text of the condition
 * DiskPressure. Pure. Threads: any. */
#pragma once

#include "node/disk.h"
#include "node/resources/wear.h"

enum { HF_PRESSURE_TEXT = 1025 };

/* The trouble of a file system, from harmless to grave. */
enum hf_pressure_cause {
    HF_PRESSURE_NONE,
    HF_PRESSURE_WORN,  /* the flash below it is near the end of its life */
    HF_PRESSURE_SPACE, /* the used part of its blocks has reached the warning level */
    /* the used part of its inodes has reached the warning level, and is greater than that of its blocks */
    HF_PRESSURE_INODES,
    HF_PRESSURE_READ_ONLY, /* it should be writable, but is read-only */
};

/* The measurements of one file system, and results of earlier measurements. */
struct hf_pressure_disk {
    const char *path;
    struct hf_disk_usage usage;
    struct hf_wear wear;
    bool missing;      /* the path does not exist; all other figures are 0 */
    bool must_write;   /* the agent keeps its own data there */
    bool was_writable; /* the file system was writable at an earlier measurement by this process */
    /* level of the usage at the last hf_pressure_judge(), which needs it for the hysteresis */
    enum hf_disk_level filling;
    /* results of hf_pressure_judge() */
    enum hf_disk_level level;
    enum hf_pressure_cause cause;
};

/* Sets filling, was_writable, level and cause. A read-only file system that never was writable (such as squashfs, which
 * is always full) gets the level HF_DISK_OK, unless the agent must write there. */
void hf_pressure_judge(struct hf_pressure_disk *disk, unsigned warn_percent, unsigned critical_percent);

struct hf_pressure_advice {
    unsigned critical_percent;
    bool reclaim;        /* the policy permits the agent to remove its old files */
    const char *kubelet; /* sentence about what the kubelet does when the disk fills; "" if unknown */
};

/* Writes to text[n] which file systems are in trouble, why, and what to do. Returns the reason of the condition for the
 * gravest trouble: "ReadOnly", "Critical", "Warning" or "Worn". If no file system is in trouble, returns NULL and
 * writes "". */
const char *hf_pressure_describe(const struct hf_pressure_disk *disks, size_t n_disks,
                                 const struct hf_pressure_advice *advice, char *text, size_t n);
