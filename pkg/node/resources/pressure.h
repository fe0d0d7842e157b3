/* SPDX-License-Identifier: Apache-2.0 */
/* File systems in trouble; the condition DiskPressure. Pure. */
#pragma once

#include "node/disk.h"
#include "node/resources/wear.h"

enum { HF_PRESSURE_TEXT = 1025 };

/* From harmless to grave. */
enum hf_pressure_cause {
    HF_PRESSURE_NONE,
    HF_PRESSURE_WORN,      /* flash, near its end */
    HF_PRESSURE_SPACE,     /* warning level */
    HF_PRESSURE_INODES,    /* warning level, above blocks */
    HF_PRESSURE_READ_ONLY, /* should be writable */
};

struct hf_pressure_disk {
    const char *path;
    struct hf_disk_usage usage;
    struct hf_wear wear;
    bool missing;      /* others are 0 */
    bool must_write;   /* by the agent */
    bool was_writable; /* in this process */
    enum hf_disk_level filling;
    /* by hf_pressure_judge(): */
    enum hf_disk_level level;
    enum hf_pressure_cause cause;
};

/* Read-only file systems that never were writable (squashfs is always full) are HF_DISK_OK, unless the agent must
 * write. */
void hf_pressure_judge(struct hf_pressure_disk *disk, unsigned warn_percent, unsigned critical_percent);

struct hf_pressure_advice {
    unsigned critical_percent;
    bool reclaim;        /* by the policy, old files may go */
    const char *kubelet; /* hf_kubelet_config_describe(), or "" */
};

/* What, why, and what to do. Returns the gravest of "ReadOnly", "Critical", "Warning", "Worn"; or NULL, "". */
const char *hf_pressure_describe(const struct hf_pressure_disk *disks, size_t n_disks,
                                 const struct hf_pressure_advice *advice, char *text, size_t n);
