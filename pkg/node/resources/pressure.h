/* SPDX-License-Identifier: Apache-2.0 */
/* Judges file systems, for the condition DiskPressure. Pure. */
#pragma once

#include "node/disk.h"
#include "node/resources/wear.h"

enum { HF_PRESSURE_TEXT = 1025 };

/* From harmless to grave. */
enum hf_pressure_cause {
    HF_PRESSURE_NONE,
    HF_PRESSURE_WORN,      /* the flash is nearly worn out */
    HF_PRESSURE_SPACE,     /* few blocks are free */
    HF_PRESSURE_INODES,    /* few inodes are free */
    HF_PRESSURE_READ_ONLY, /* the file system should be writable */
};

struct hf_pressure_disk {
    const char *path;
    struct hf_disk_usage usage;
    struct hf_wear wear;
    bool missing; /* the path does not exist; `usage` is meaningless */
    bool must_write;
    bool was_writable;
    enum hf_disk_level filling;
    /* set by hf_pressure_judge(): */
    enum hf_disk_level level;
    enum hf_pressure_cause cause;
};

/* Sets level and cause. Read-only file systems that never were writable (such as squashfs) are HF_DISK_OK, unless the
 * agent must write. */
void hf_pressure_judge(struct hf_pressure_disk *disk, unsigned warn_percent, unsigned critical_percent);

struct hf_pressure_advice {
    unsigned critical_percent;
    bool reclaim; /* the policy lets the agent remove its old files */
    const char *kubelet;
};

/* Writes what is wrong, and what to do. Returns "ReadOnly", "Critical", "Warning", "Worn" (the gravest), or NULL and
 * "". */
const char *hf_pressure_describe(const struct hf_pressure_disk *disks, size_t n_disks,
                                 const struct hf_pressure_advice *advice, char *text, size_t n);
